"""The dashboard: all channels of a connection in figures and lines, and a view of the open one below."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.render import size
from kubemq_nb.render.frames import KINDS
from kubemq_nb.render.live import where
from kubemq_nb.session import Dashboard, QueueBrowser, Responder, registry
from kubemq_nb.widgets import captions, cells
from kubemq_nb.widgets.handover import Variables
from kubemq_nb.widgets.host import Host, OpenView
from kubemq_nb.widgets.model_view import Action, Message, module, sentences

if TYPE_CHECKING:
    from kubemq_nb.messages import Kind
    from kubemq_nb.session.channels import Figures
    from kubemq_nb.session.dashboard import Board, Row

MOST = 2_000
"""Channels that reach the browser, those of the last activity first."""

READ_ONLY = (
    "Read-only connection: sending, receiving, answering and purging are off. Looking changes nothing."
)

_LOOKS = {
    **captions.LOOKS,
    "connecting": ("connecting", "warn", "spin"),
    "live": ("connected", "good", "live"),
}

_ACTIONS = {
    "peek": {"name": "Peek", "glyph": "peek", "title": "Look without taking (P)", "key": "p"},
    "tail": {"name": "Tail", "glyph": "follow", "title": "Watch events as they come (T)", "key": "t"},
    "scrub": {"name": "Scrub", "glyph": "clock", "title": "Go through what is stored (B)", "key": "b"},
    "answer": {"name": "Answer…", "glyph": "answer", "title": "Answer by hand (A)", "key": "a"},
    "send": {"name": "Send…", "glyph": "send", "title": "Send to this channel (S)", "key": "s"},
    "ask": {
        "name": "Ask…",
        "glyph": "send",
        "title": "Send a request and wait for its answer (S)",
        "key": "s",
    },
    "hold": {"name": "Hold next", "glyph": "lock", "title": "Receive one in a transaction (H)", "key": "h"},
}
_BY_KIND = {
    "queues": ("peek", "send", "hold"),
    "events": ("tail", "send"),
    "events_store": ("tail", "scrub", "send"),
    "commands": ("answer", "ask"),
    "queries": ("answer", "ask"),
}
_LOOKING = {"peek", "tail", "scrub"}  # what a read-only connection has


class DashboardView(Host[Dashboard]):
    """Shows a dashboard; a channel opens with its figures and with a button for each thing to do with it."""

    _esm = module("life.js", "grid.js", "child.js", "dashboard.js")

    status = Dict().tag(sync=True)
    chart = Dict().tag(sync=True)
    table = Dict().tag(sync=True)
    choices = Dict().tag(sync=True)  # filter, kinds, sort
    detail = Dict().tag(sync=True)  # the channel that is open

    def __init__(self, source: Dashboard, *, open_view: OpenView, variables: Variables | None = None) -> None:
        self._open: tuple[str, str] | None = None  # kind and channel
        self._code = ""  # the line of the last action
        super().__init__(source, open_view=open_view, variables=variables)

    def version(self, source: Dashboard) -> object:
        """Another after each look, and when a connection comes or goes."""
        return source.version, tuple(session.name for session in registry.all())

    def over(self, source: Dashboard) -> bool:
        """Whether its connection was closed, and it looks no more."""
        return source.session.closed and source.finished

    def show(self, source: Dashboard) -> None:
        """Write all of it into the traits."""
        if not self.choices:
            self.choices = {"filter": "", "kinds": [], "sort": "rate", "descending": True}
        board = source.board()
        self.about = {"label": "KubeMQ dashboard", "most": MOST}
        self.status = _status(source, board)
        self.chart = _chart(board)
        rows = sorted(board.rows, key=_last, reverse=True)[:MOST]
        self.table = {
            "rows": [_cells(row) for row in rows],
            "of": len(board.rows),
            "complete": board.complete,
        }
        self.detail = self._detail(source, board)
        self.foot = {"code": self._code or source.code, "held": ""}

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {
            "choose": lambda message: self._choose(message["choice"]),
            "open": self._select,
            "close": self.end_child,
        }

    def calls(self) -> Mapping[str, Action]:
        """What asks the broker."""
        return {"refresh": self._refresh, "use": self._use, "act": self._act_on}

    def _choose(self, choice: Mapping[str, object]) -> None:
        self.choices = {**self.choices, **{name: choice[name] for name in self.choices if name in choice}}

    def _select(self, message: Message) -> None:
        channel = message["channel"]
        self._open = (str(message["kind"]), str(channel)) if channel else None

    def _refresh(self, _message: Message) -> None:
        assert self.source
        self.source.refresh()

    def _use(self, message: Message) -> None:
        assert self.source
        name = str(message["name"])
        self.source.use(name)
        with self._guard:
            self._open, self._code = None, f"%kubemq ui --on {name}"
            self.end_child()

    def _act_on(self, message: Message) -> None:
        """Open what a button stands for, as the line at the foot does."""
        assert self.source
        kind, channel, what = message["kind"], str(message["channel"]), str(message["what"])
        before = _responders(self.source)
        model = _model(self.source, kind, channel, what)
        begun = [each for each in _responders(self.source) if each not in before]
        with self._guard:
            self._code = _line(kind, channel, what)
            self.host(model, f"{_ACTIONS[what]['name'].rstrip('…')} {channel}".strip(), begun=begun)

    def _detail(self, source: Dashboard, board: "Board") -> dict[str, object]:
        found = [row for row in board.rows if (row.figures.kind, row.figures.channel) == self._open]
        if not found:
            return {}
        figures = found[0].figures
        closed = source.session.closed
        allowed = () if closed else _LOOKING if source.session.read_only else _ACTIONS
        names = [name for name in _BY_KIND[figures.kind] if name in allowed]
        return {
            "kind": figures.kind,
            "channel": figures.channel,
            "noun": KINDS[figures.kind],
            "actions": [{"what": name, **_ACTIONS[name]} for name in names],
            "read_only": READ_ONLY if source.session.read_only else "",
            "facts": [[name, told] for name, told in _facts(figures) if not (closed and name == "held")],
        }


def _responders(source: Dashboard) -> list[Responder]:
    return [job for job in source.session.open_jobs() if isinstance(job, Responder)]


def _model(source: Dashboard, kind: "Kind", channel: str, what: str) -> Any:
    session = source.session
    if what == "scrub":
        return session.events_store.scrub(channel)
    model = session.ui(kind, channel or None, send=what in ("send", "ask"))
    if what == "hold" and isinstance(model, QueueBrowser):
        model.hold()
    return model


def _line(kind: str, channel: str, what: str) -> str:
    if what == "scrub":
        return f"%kubemq events_store scrub {channel}"
    if what == "hold":
        return f"%kubemq queues transaction {channel} --visibility 30s --hold 0s"
    return f"%kubemq ui {kind} {channel}{' --send' if what in ('send', 'ask') else ''}"


def _status(source: Dashboard, board: "Board") -> dict[str, object]:
    closed = source.session.closed
    word, tone, icon = _LOOKS["closed" if closed else board.state]
    return {
        "state": board.state,
        "word": word,
        "tone": tone,
        "icon": icon,
        "connections": [[name, where(name)] for name in _connections(board.connection)],
        "connection": board.connection,
        "version": board.server.version,
        "started": int(board.server.start_time.timestamp() * 1000),
        "read_only": source.session.read_only,
        "closed": closed,
        "as_of": int(board.as_of.timestamp() * 1000) if board.as_of else None,
        "next_at": int(board.next_at.timestamp() * 1000) if board.next_at else None,
        "attempt": board.attempt,
        "note": _note(source, board),
        "tiles": [
            ["Channels", render.count(board.channels), ""],
            ["Waiting", render.count(board.waiting), ""],
            ["In", render.rate(board.rate_in), "msg/s"],
            ["Out", render.rate(board.rate_out), "msg/s"],
            ["Held", render.count(None if closed else board.held), ""],
            ["Jobs", render.count(board.jobs), "running"],
        ],
    }


def _connections(shown: str) -> list[str]:
    """Those that are open, and the one that is shown."""
    names = [session.name for session in registry.all()]
    return names if shown in names else [*names, shown]


def _note(source: Dashboard, board: "Board") -> dict[str, object]:
    if board.state == "reconnecting":
        place = f"{where(board.connection)} ({source.session.address})"
        return {
            "tone": "warn",
            "icon": "plug",
            "head": f"{place} does not answer.",
            "rest": "",
            "ticks": True,
            "act": "Try now",
        }
    if source.session.closed:
        head, rest = f"The connection {board.connection} was closed.", "The figures stay as they were."
        return {"tone": "", "icon": "halt", "head": head, "rest": rest}
    if board.state == "stopped":
        head, rest = "Stopped.", "The figures stay as they were."
        return {"tone": "", "icon": "halt", "head": head, "rest": rest, "act": "Start again"}
    if board.note:
        head, rest = sentences(board.note)
        return {"tone": "bad", "icon": "bad", "head": head, "rest": rest, "act": "Try again"}
    return {}


def _chart(board: "Board") -> dict[str, object]:
    moments = board.moments
    return {
        "times": [int(each.time * 1000) for each in moments],
        "in": [round(each.rate_in, 1) for each in moments],
        "out": [round(each.rate_out, 1) for each in moments],
        "waiting": [each.waiting for each in moments],
        "now": [render.rate(board.rate_in), render.rate(board.rate_out), render.count(board.waiting)],
    }


def _cells(row: "Row") -> list[object]:
    """A channel as the browser takes it; short, because there may be thousands."""
    figures = row.figures
    last = int(figures.last_activity.timestamp() * 1000) if figures.last_activity else None
    line = [round(rate, 1) for rate in row.line]
    name = cells.cut(figures.channel)
    return [
        figures.kind,
        figures.channel,
        name,
        figures.waiting,
        figures.sent,
        round(row.rate_in, 1),
        last,
        line,
    ]


def _last(row: "Row") -> float:
    return row.figures.last_activity.timestamp() if row.figures.last_activity else 0.0


def _facts(figures: "Figures") -> Iterator[tuple[str, str]]:
    names = {
        "queues": ("waiting", "delayed", "sent", "expired", "delivered", "held"),
        "events": ("sent", "delivered"),
        "events_store": ("sent", "delivered"),
        "commands": ("sent", "responses"),
        "queries": ("sent", "responses"),
    }[figures.kind]
    for name in names:
        yield {"responses": "answered"}.get(name, name), render.count(getattr(figures, name))
    if figures.last_sequence:
        yield "sequences", f"{figures.first_sequence or 1:,} to {figures.last_sequence:,}"
    if figures.bytes:
        yield "size", size(figures.bytes)
