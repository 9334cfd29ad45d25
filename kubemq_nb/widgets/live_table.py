"""The live table of a feed and the log of a responder: one widget, a view over a model of the session.

At most 200 rows reach the browser, cut, and counters.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

from traitlets import Dict

from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import Feed, background, positions
from kubemq_nb.widgets import captions, events, requests
from kubemq_nb.widgets.detail import detail
from kubemq_nb.widgets.handover import Variables, hand_over, variable_of
from kubemq_nb.widgets.host import Host, OpenView, can_send
from kubemq_nb.widgets.model_view import Action, Message, module
from kubemq_nb.widgets.tail import Source, Tail

_LATE = 6.0  # seconds after the end in which a request at work may still get its answer


class LiveTable(Host[Source]):
    """Shows the newest rows of a feed or responder, with its state, counters and buttons."""

    _esm = module("life.js", "hand.js", "cells.js", "child.js", "start.js", "rows.js", "live_table.js")

    table = Dict().tag(sync=True)
    status = Dict().tag(sync=True)
    choices = Dict().tag(sync=True)  # filter and start as picked, what is wrong with them, follow
    detail = Dict().tag(sync=True)  # the row that is open, empty when none is

    def __init__(self, source: Source, *, open_view: OpenView, variables: Variables | None = None) -> None:
        self._done = ""  # the call that a button made
        self._began: object = None  # where the source began, at the last look
        self._filtered: object = self  # the filter of the source, at the last look
        self._handed = ""
        self._rows, self._painter = _parts(source)
        super().__init__(source, open_view=open_view, variables=variables)

    @property
    def ended(self) -> bool:
        """Whether its feed was stopped, though it can begin again: it may hold many rows."""
        return self.source is None or self._is_over(self.source)

    def over(self, source: Source) -> bool:
        """Never: it can begin again from Python."""
        del source
        return False

    def version(self, source: Source) -> object:
        """Another after each change, and each second while the rate falls because nothing comes."""
        status = self.status
        still = status.get("rate", "0.0") == "0.0" and not any(status.get("rates", ()))
        return source.version, 0 if still else int(time.monotonic())

    def show(self, source: Source) -> None:
        """Write the newest rows and the figures into the traits."""
        self.choices = self.choices or {"follow": True}
        self.about = {**captions.about(source), "can_send": can_send(source.connection)}
        self._follow_choices(source)
        self._advance(source)
        self._paint(source)

    def let_go(self) -> None:
        """Stand still as it is and let go of the feed, so that its rows can be freed."""
        super().let_go()
        del self._rows

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {
            "pause": lambda _: self._call("pause"),
            "resume": lambda _: self._call("resume"),
            "stop": lambda _: self._stop(),
            "clear": lambda _: self._clear(),
            "filter": lambda message: self._filter(str(message["text"])),
            "start": lambda message: self._pick(str(message["choice"]), str(message["text"])),
            "follow": lambda message: self._choose(follow=bool(message["on"])),
            "open": lambda message: self._open(message["number"]),
            "form": self._form,
            "close": self.end_child,
            "frame": lambda _: self._hand_over(),
        }

    def calls(self) -> Mapping[str, Action]:
        """What asks the broker."""
        return {"retry": lambda _: self._connect("retry()", self._source.retry), "restart": self._restart}

    @property
    def _source(self) -> Source:
        assert self.source
        return self.source

    def _call(self, name: Literal["pause", "resume", "clear"]) -> None:
        self._done = f"{name}()"
        getattr(self._source, name)()

    def _stop(self) -> None:
        self._done = "stop()"
        background.spawn("view:stop", self._source.stop)  # it waits for handlers at work

    def _restart(self, message: Message) -> None:
        source = self._source
        assert isinstance(source, Feed)
        if source.start is None:
            self._connect("restart()", source.restart)
            return
        self._pick(str(message["choice"]), str(message["text"]))
        try:
            start = positions.chosen(message["choice"], message["text"])
        except ValueError as error:
            self._choose(wrong_start=str(error))
        else:
            self._connect(captions.restarted(start), lambda: source.restart(start=start))

    def _connect(self, done: str, call: Callable[[], None]) -> None:
        self._done = done
        with suppress(KubeMQError):  # its state says so
            call()

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
        with self._guard:
            self.choices = {**self.choices, **choice}

    def _open(self, number: int | None) -> None:
        noun = captions.noun(self._source)
        self.detail = {} if number is None else detail(self._source.row(number), number, noun=noun)

    def _form(self, message: Message) -> None:
        """Open a form to send to the channel: empty, or filled with the open row."""
        number = message.get("number")
        title = f"Send {self.detail['head'].lower()} again" if number else f"Send to {self._source.channel}"
        self.host(self._source.form(number), title)
        self._done = f"form({number or ''})"

    def _hand_over(self) -> None:
        frame = self._source.df
        self._handed = hand_over(frame, self._source.channel, self._variables, name=self._handed)
        self.said = captions.handed(self._handed, len(frame))

    def _is_over(self, source: Source) -> bool:
        now = source.status()
        return now.state == "stopped" and (self._rows.complete or now.seconds_since_change > _LATE)

    def _paint(self, source: Source) -> None:
        columns, rows = self._painter(self._rows)
        now = source.status()
        self.table = {
            "columns": columns,
            "rows": rows,
            "marks": [list(gap) for gap in self._rows.gaps],
            "text": self._rows.text,
            "empty": captions.empty(source, now, text=self._rows.text, can_send=bool(self.about["can_send"])),
        }
        self.status = captions.status(source, now, self._rows)
        self.foot = captions.foot(source, now, name=variable_of(source, self._variables), done=self._done)


def _parts(source: Source) -> tuple[Tail[Any], Callable[[Tail[Any]], Any]]:
    """The rows of a source as lines, and what makes cells of the lines."""
    if captions.is_responder(source):
        log = Tail(source, line=requests.RequestLine.of, settled=requests.is_answered)
        return log, requests.RequestTable(channel=source.channel).cells
    rows = Tail(source, line=events.EventLine.of)
    return rows, events.EventTable(kind=source.kind, channel=source.channel).cells
