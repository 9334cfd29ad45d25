"""The live table of a feed and the log of a responder: one widget, a view over a model of the session.

All that is shown is in synced traits (at most 200 rows, cut, and counters), so that a page loaded again and a
second view show the same. What a person does comes as a message and is done by a method of the feed.
One lock guards the traits, because the ticker and the kernel's main thread both change them.
"""

import threading
import time
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from anywidget import AnyWidget
from traitlets import Dict

from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import Feed, background, positions
from kubemq_nb.widgets import captions, events, requests
from kubemq_nb.widgets.detail import detail
from kubemq_nb.widgets.handover import Variables, hand_over, variable_of
from kubemq_nb.widgets.tail import Source, Tail
from kubemq_nb.widgets.ticker import Ticker

if TYPE_CHECKING:
    from kubemq_nb.session.jobs import JobStatus

_STATIC = files("kubemq_nb.widgets") / "static"
_FADING = 1.0  # seconds between two looks at a rate that falls while nothing comes
_LATE = 6.0  # seconds after the end in which a request at work may still get its answer


class LiveTable(AnyWidget):
    """Shows the newest rows of a feed or responder, with its state, counters and buttons.

    It looks at the feed until that is stopped; `close` ends the view alone.

    Attributes:
        source: The feed or responder; None once it was let go.
    """

    # One module out of two files: the browser gets it as text, and could import nothing from there.
    _esm = "\n".join((_STATIC / name).read_text() for name in ("frame.js", "live_table.js"))
    _css = (_STATIC / "tokens.css").read_text()

    about = Dict().tag(sync=True)
    table = Dict().tag(sync=True)
    status = Dict().tag(sync=True)
    foot = Dict().tag(sync=True)
    choices = Dict().tag(sync=True)  # filter and start as picked, what is wrong with them, follow
    detail = Dict().tag(sync=True)  # the row that is open, empty when none is
    said = Dict().tag(sync=True)  # what the last button did, empty when there is nothing to say

    def __init__(self, source: Source, *, variables: Variables | None = None) -> None:
        super().__init__(about=captions.about(source), choices={"follow": True})
        self.source: Source | None = source
        self._variables: Variables = {} if variables is None else variables
        self._label = f"{source.kind} {source.channel}"
        self._guard = threading.RLock()
        self._version = -1
        self._looked = 0.0
        self._done = ""  # the call that a button made
        self._began: object = None  # where the source began, at the last look
        self._filtered: object = self  # the filter of the source, at the last look
        self._over = False
        self._handed = ""
        self._rows, self._painter = _parts(source)
        self._ticker = Ticker(self._tick, name=source.channel)
        self.on_msg(lambda _widget, content, _buffers: self.act(content))
        self.refresh()
        self._ticker.start()

    def __repr__(self) -> str:
        return f"<LiveTable {self._label}>"

    @property
    def ticking(self) -> bool:
        """Whether its feed may change by itself."""
        return self._ticker.running and not self._over

    def close(self) -> None:
        """End this view; the feed goes on."""
        self._ticker.stop()
        super().close()

    def let_go(self) -> None:
        """Stand still as it is and let go of the feed, so that its rows can be freed."""
        with self._guard:
            self._ticker.stop()
            self.source = None
            del self._rows
            self._say("info", "The kernel no longer holds these rows.", "Run the cell to see it live.")

    def refresh(self) -> None:
        """Show the feed as it is now."""
        with self._guard:
            if self.source is None:
                return
            self._version = self.source.version
            self._looked = time.monotonic()
            self._follow_choices(self.source)
            self._advance(self.source)
            self._show(self.source, self.source.status())

    def act(self, message: dict[str, Any]) -> None:
        """Do what a person asked for in the browser: `do` names it."""
        action = self._actions().get(str(message.get("do")))
        with self._guard:
            if action is None or self.source is None:
                return
            try:
                action(message)
            except Exception as error:  # noqa: BLE001  the edge to the browser: it is said in the view
                self._say("bad", f"{type(error).__name__}: {error}")
            self.refresh()

    def _actions(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        return {
            "pause": lambda _: self._call("pause"),
            "resume": lambda _: self._call("resume"),
            "stop": lambda _: self._call("stop"),
            "clear": lambda _: self._clear(),
            "filter": lambda message: self._filter(str(message["text"])),
            "start": lambda message: self._pick(str(message["choice"]), str(message["text"])),
            "restart": self._restart,
            "retry": lambda _: self._in_background("retry()", self._source.retry),
            "follow": lambda message: self._choose(follow=bool(message["on"])),
            "open": lambda message: self._open(message["number"]),
            "frame": lambda _: self._hand_over(),
            "dismiss": lambda _: self.set_trait("said", {}),
        }

    @property
    def _source(self) -> Source:
        assert self.source
        return self.source

    def _call(self, name: Literal["pause", "resume", "stop", "clear"]) -> None:
        self._done = f"{name}()"
        getattr(self._source, name)()

    def _in_background(self, done: str, call: Callable[[], None]) -> None:
        """Call what waits for the broker; the kernel stays free."""
        self._done = done

        def run() -> None:
            try:
                call()
            except KubeMQError:
                pass  # its state says so
            except Exception as error:  # noqa: BLE001  the edge of the thread: it is said in the view
                self._say("bad", f"{type(error).__name__}: {error}")
            self.refresh()

        background.spawn(f"view:{self._label}:{done}", run)

    def _restart(self, message: dict[str, Any]) -> None:
        source = self._source
        assert isinstance(source, Feed)
        if source.start is None:
            self._in_background("restart()", source.restart)
            return
        self._pick(str(message["choice"]), str(message["text"]))
        try:
            start = positions.chosen(message["choice"], message["text"])
        except ValueError as error:
            self._choose(wrong_start=str(error))
            return
        self._in_background(captions.restarted(start), lambda: source.restart(start=start))

    def _pick(self, choice: str, text: str) -> None:
        """Note where to begin; nothing changes until it is started again."""
        self._choose(start=choice, text=text, wrong_start="")

    def _clear(self) -> None:
        self._call("clear")
        self.detail = {}

    def _filter(self, text: str) -> None:
        try:
            self._source.filter(text or None)
        except ValueError as error:
            self._choose(filter=text, wrong_filter=str(error))
            return
        self._choose(filter=text, wrong_filter="")
        self._done = f"filter({text!r})" if text else "filter()"

    def _follow_choices(self, source: Source) -> None:
        """Take over what was chosen in Python, and what a new start says."""
        if source.selection is not self._filtered:
            self._filtered = source.selection
            where = source.selection.where if source.selection else None
            self._choose(filter=where.text if where else "", wrong_filter="")
        start = getattr(source, "start", None)
        if start is not None and start is not self._began:
            self._began = start
            choice, text = positions.picked(start)
            self._choose(began=[choice, text], start=choice, text=text, wrong_start="")

    def _advance(self, source: Source) -> None:
        try:
            self._rows.advance()
        except ValueError as error:  # a pattern of the filter takes too long
            text = self.choices["filter"]
            source.filter()
            self._rows.advance()
            self._filtered = source.selection
            self._choose(filter=text, wrong_filter=str(error))

    def _choose(self, **choice: object) -> None:
        self.choices = {**self.choices, **choice}

    def _open(self, number: int | None) -> None:
        row = None if number is None else self._rows.row(number)
        if number is None:
            self.detail = {}
        elif row is None:
            self._say("info", f"Row {number:,} is no longer held.")
        else:
            self.detail = detail(row, number, noun=captions.noun(self._source))

    def _hand_over(self) -> None:
        frame = self._source.df
        self._handed = hand_over(frame, self._source.channel, self._variables, name=self._handed)
        self.said = captions.handed(self._handed, len(frame))

    def _say(self, tone: str, head: str, rest: str = "") -> None:
        self.said = {"tone": tone, "icon": tone, "head": head, "rest": rest, "code": ""}

    def _tick(self) -> bool:
        """Look at the feed if it changed; an ended one may begin again. Whether to go on looking."""
        with self._guard:
            if self.source is None:
                return False
            fades = any(self.status["rates"]) and time.monotonic() - self._looked >= _FADING
            if self.source.version != self._version or fades:
                try:
                    self.refresh()
                except Exception as error:  # noqa: BLE001  the edge of the thread: it is said in the view
                    self._say("bad", "This view stands still.", f"{type(error).__name__}: {error}")
                    return False
            self._over = self._is_over(self.source.status())
            return True

    def _is_over(self, now: "JobStatus") -> bool:
        return now.state == "stopped" and (self._rows.complete or now.seconds_since_change > _LATE)

    def _show(self, source: Source, now: "JobStatus") -> None:
        columns, rows = self._painter(self._rows)
        name = variable_of(source, self._variables)
        with self.hold_sync():
            self.table = {
                "columns": columns,
                "rows": rows,
                "marks": [list(gap) for gap in self._rows.gaps],
                "text": self._rows.text,
                "empty": captions.empty(source, now, text=self._rows.text),
            }
            self.status = captions.status(source, now, self._rows)
            self.foot = captions.foot(source, now, name=name, done=self._done)


def _parts(source: Source) -> tuple[Tail[Any], Callable[[Tail[Any]], Any]]:
    """The rows of a source as lines, and what makes cells of the lines."""
    if captions.is_responder(source):
        log = Tail(source, line=requests.RequestLine.of, settled=requests.is_answered)
        return log, requests.RequestTable(channel=source.channel).cells
    rows = Tail(source, line=events.EventLine.of)
    return rows, events.EventTable(kind=source.kind, channel=source.channel).cells
