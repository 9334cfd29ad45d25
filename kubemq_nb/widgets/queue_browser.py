"""The queue browser: the messages at the head of a queue, one of them open, and one held."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.render.live import where
from kubemq_nb.session import QueueBrowser, Transaction, background
from kubemq_nb.widgets import captions, cells, peeked
from kubemq_nb.widgets.card import Card
from kubemq_nb.widgets.handover import Variables, hand_over, variable_of
from kubemq_nb.widgets.host import Host, OpenView
from kubemq_nb.widgets.message import editable, opened
from kubemq_nb.widgets.model_view import Action, Message, module, sentences

if TYPE_CHECKING:
    from pandas import DataFrame

READ_ONLY = "Read-only connection: sending, holding and purging are off. Peek changes nothing."
_UNCHANGED = "Peeked: the queue is unchanged."
_LOOKS = {**captions.LOOKS, "live": ("connected", "good", "live"), "stopped": captions.LOOKS["closed"]}


class QueueBrowserView(Host[QueueBrowser]):
    """Shows a queue browser, with buttons for each of its methods and those of the transaction it holds."""

    _esm = module(
        *(
            "life.js",
            "hand.js",
            "cells.js",
            "grid.js",
            "child.js",
            "message.js",
            "card.js",
            "queue_browser.js",
        )
    )

    status = Dict().tag(sync=True)
    table = Dict().tag(sync=True)
    choices = Dict().tag(sync=True)  # filter, only dead letters, sort, how many
    detail = Dict().tag(sync=True)  # the message that is open
    editor = Dict().tag(sync=True)  # what of the held message can be changed, while that is done
    asking = Dict().tag(sync=True)  # the question before a purge
    card = Dict().tag(sync=True)  # the message that is held

    def __init__(
        self, source: QueueBrowser, *, open_view: OpenView, variables: Variables | None = None
    ) -> None:
        self._table = peeked.PeekedTable()
        self._card: Card | None = None
        self._done = (
            "",
            "",
        )  # the last action: the call in Python, and the line where nothing names the browser
        self._handed = ""
        self._gone_back: Transaction | None = None  # what went back by itself and was looked for
        self._code = source.code
        super().__init__(source, open_view=open_view, variables=variables)

    def version(self, source: QueueBrowser) -> object:
        """Another after each call and each change of what is held."""
        return source.version, source.state, source.code

    def over(self, source: QueueBrowser) -> bool:
        """Whether its connection was closed, and what it held was given back after that."""
        return source.session.closed and not (source.held and not source.held.finished)

    def show(self, source: QueueBrowser) -> None:
        """Write all of it into the traits."""
        if not self.choices:
            self.choices = {"filter": "", "rerouted": False, "sort": "sequence", "descending": False}
        if source.code != self._code:  # opened by another cell
            self._code, self._done = source.code, ("", "")
        if source.session.closed:
            self.asking, self.editor = {}, {}
        self.about = _about(source)
        self.status = _status(source)
        if source.note and sentences(source.note) == (self.said.get("head"), self.said.get("rest")):
            self.said = {}  # once is enough
        self.table = self._rows(source)
        self.card = self._held(source)
        self.foot = {
            "code": self._line(source),
            "held": f"peeked, {render.counted(len(source.df), 'row')}",
        }

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {
            "filter": lambda message: self._choose(filter=str(message["text"])),
            "rerouted": lambda message: self._choose(rerouted=bool(message["on"])),
            "sort": self._sort,
            "open": self._open,
            "edit": self._edit,
            "form": self._form,
            "close": self.end_child,
            "frame": lambda _: self._hand_over(),
            "keep": lambda _: self.set_trait("asking", {}),
        }

    def calls(self) -> Mapping[str, Action]:
        """What asks the broker: each a method of the browser or of what it holds."""
        return {
            "refresh": self._refresh,
            "hold": self._hold,
            "ask": self._ask,
            "purge": self._purge,
            **(
                {name: self._settling(call) for name, call in self._card.actions().items()}
                if self._card
                else {}
            ),
        }

    def _did(self, call: str, line: str) -> None:
        self._done = (call, f"%kubemq {line}")

    def _line(self, source: QueueBrowser) -> str:
        """What does the same as the mouse did last."""
        call, line = self._done
        name = variable_of(source, self._variables)
        if call and name:
            return f"{name}.{call}"
        return line or source.code

    def _tick(self) -> bool:
        """Show what changed; a message that went back by itself is looked for once."""
        going_on = super()._tick()
        source = self.source
        if source and source.held and not source.session.closed and self._went_back(source.held):
            background.spawn("view:refresh", lambda: self._carry_out(lambda _: source.refresh(), {}))
        return going_on

    def _went_back(self, held: Transaction) -> bool:
        """Whether its visibility ran out or its connection broke since the last call, and nobody looks."""
        found = bool(held.errors) and held is not self._gone_back and self._takes("refresh")
        if found:
            self._gone_back = held
        return found

    # ---------------------------------------------------------------- choices

    def _choose(self, **choice: object) -> None:
        self.choices = {**self.choices, **choice}

    def _sort(self, message: Message) -> None:
        column = str(message["column"])
        again = column == self.choices["sort"]
        self._choose(sort=column, descending=again and not self.choices["descending"])

    def _open(self, message: Message) -> None:
        assert self.source
        number = message["number"]
        self.editor = {}
        self.detail = {} if number is None else opened(self.source.message(number), hint=_UNCHANGED)

    def _edit(self, message: Message) -> None:
        """Open the form that modifies the held message, or close it."""
        assert self.source
        self.editor = {}
        if message["on"] and self.source.held:
            self.editor = editable(peeked.first(self.source.held.df))

    def _form(self, message: Message) -> None:
        """Open a form to send: empty, or filled with a message."""
        assert self.source
        number = message.get("number")
        self._did(f"form({number or ''})", f"ui queues {self.source.channel} --send")
        title = f"Send to {self.source.channel}" if number is None else f"Send {number:,} again"
        self.host(self.source.form(number), title)

    def _hand_over(self) -> None:
        assert self.source
        frame = self._found(self.source)
        self._handed = hand_over(frame, self.source.channel, self._variables, name=self._handed)
        self.said = captions.handed(self._handed, len(frame))

    # ---------------------------------------------------------------- calls

    def _refresh(self, message: Message) -> None:
        assert self.source
        count = message.get("count")
        self._did(
            f"refresh({count or ''})", f"queues peek {self.source.channel} -n {count or self.source.count}"
        )
        self.source.refresh(int(count) if count else None)

    def _hold(self, _message: Message) -> None:
        assert self.source
        self._did("hold()", f"queues transaction {self.source.channel} --visibility 30s --hold 0s")
        held = self.source.hold()
        if held.empty:
            self._say("info", f"{self.source.channel} has no message to hold.")
        self.source.refresh()

    def _ask(self, _message: Message) -> None:
        assert self.source
        waiting = self.source.waiting()
        held = self.source.figures.held if self.source.figures else None
        self.asking = _question(self.source.channel, waiting, held)

    def _purge(self, _message: Message) -> None:
        assert self.source
        self.asking = {}
        self._did("purge()", f"queues ack_all {self.source.channel} --yes")
        removed = self.source.purge()
        gone = "is" if removed == 1 else "are"
        self._say(
            "good", f"{render.counted(removed, 'message')} {gone} removed.", "Delayed and held ones stay."
        )
        self.source.refresh()

    def _settling(self, call: Action) -> Action:
        """One of the five verbs; after it the queue is looked at again, because it has changed."""

        def settle(message: Message) -> None:
            assert self.source
            assert self._card
            call(message)
            verb = self._card.call.partition("(")[0]
            self._did(f"held.{self._card.call}", f"tx {verb}")
            if self.source.held and self.source.held.finished:
                self.editor = {}
                self.source.refresh()

        return settle

    # ---------------------------------------------------------------- what is shown

    def _found(self, source: QueueBrowser) -> "DataFrame":
        frame = source.find(self.choices["filter"], rerouted=self.choices["rerouted"])
        return peeked.sort(frame, self.choices["sort"], descending=self.choices["descending"])

    def _rows(self, source: QueueBrowser) -> dict[str, object]:
        wrong = ""
        try:
            frame = self._found(source)
        except ValueError as error:
            wrong, frame = str(error), source.df.head(0)
        columns, rows = self._table.rows(frame)
        return {
            "columns": columns,
            "rows": rows,
            "of": len(source.df),
            "text": self.choices["filter"],
            "wrong": wrong,
            "empty": _empty(source, self.choices),
        }

    def _held(self, source: QueueBrowser) -> dict[str, object]:
        held = source.held
        if held is None or held.empty:
            self._card = None
        elif self._card is None or self._card.transaction is not held:
            self._card = Card(held)
        return self._card.state() if self._card else {}


def _about(source: QueueBrowser) -> dict[str, object]:
    return {
        "channel": source.channel,
        "kind": f"queue, {where(source.connection)}",
        "icon": "queues",
        "label": f"Queue browser of {source.channel}",
        "read_only": READ_ONLY if source.session.read_only else "",
        "count": source.count,
    }


def _status(source: QueueBrowser) -> dict[str, object]:
    word, tone, icon = _LOOKS[source.state]
    figures, closed = source.figures, source.session.closed
    counts = {
        "waiting": figures.waiting if figures else 0,
        "peeked": len(source.df),
        "held": None if closed else figures.held if figures else 0,
        "delayed": figures.delayed if figures else 0,
        "expired": figures.expired if figures else 0,
    }
    return {
        "state": source.state,
        "word": word,
        "tone": tone,
        "icon": icon,
        "counts": [[name, render.count(count)] for name, count in counts.items()],
        "as_of": int(source.as_of.timestamp() * 1000) if source.as_of else None,
        "note": _note(source),
        "closed": closed,
        "can_hold": not closed and (not source.held or source.held.finished),
    }


def _note(source: QueueBrowser) -> dict[str, object]:
    if source.session.closed:
        head = f"The connection {source.connection} was closed."
        rest = "Messages and figures stay as they were at the last look."
        return {"tone": "", "icon": "halt", "head": head, "rest": rest}
    head, rest = sentences(source.note)
    return {"tone": "bad", "icon": "bad", "head": head, "rest": rest} if source.note else {}


def _question(channel: str, waiting: int | None, held: int | None) -> dict[str, object]:
    count = "all" if waiting is None else render.counted(waiting, "waiting message")
    whole = (
        f"all {count}"
        if waiting is not None and waiting != 1
        else f"the {count}"
        if waiting
        else "all waiting messages"
    )
    kept = (
        ""
        if not held
        else f" The {render.counted(held, 'held message')} {'is' if held == 1 else 'are'} not touched."
    )
    return {
        "head": f"Remove {whole} from {channel}?",
        "rest": f"They cannot be brought back.{kept}",
        "act": "Remove all messages" if waiting is None else f"Remove {render.counted(waiting, 'message')}",
    }


def _empty(source: QueueBrowser, choices: Mapping[str, Any]) -> dict[str, str]:
    if len(source.df):
        what = f"matches “{cells.cut(choices['filter'])}”" if choices["filter"] else "is a dead letter"
        return {
            "head": f"None of {render.counted(len(source.df), 'message')} {what}",
            "rest": "The filter looks at the messages of the last look. Esc in it empties it.",
        }
    figures = source.figures
    delayed, held = (figures.delayed or 0, figures.held or 0) if figures else (0, 0)
    told = [*([f"{delayed:,} delayed"] if delayed else []), *([f"{held:,} held"] if held else [])]
    rest = (
        f"{' and '.join(told)}: not to be seen by a look."
        if told
        else "New ones show when it is looked at again."
    )
    return {"head": f"No message waits in {source.channel}", "rest": rest}
