"""The time scrubber: a slider over stored events, the event at its place, and the state of a fold there."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.frames import decode
from kubemq_nb.render import clean, size
from kubemq_nb.render.live import where
from kubemq_nb.render.scrub import figure, is_figure
from kubemq_nb.session import Scrubber, positions
from kubemq_nb.session.fold import Failure
from kubemq_nb.session.states import StateTable
from kubemq_nb.widgets import captions, cells
from kubemq_nb.widgets.detail import shown_body
from kubemq_nb.widgets.handover import Variables, hand_over, variable_of
from kubemq_nb.widgets.host import Host, OpenView, can_send
from kubemq_nb.widgets.model_view import Action, Message, module

BARS = 124
LINES = 200
"""Lines of a state that reach the browser."""

_LABELS = {"time": "stored at"}

_READING = {
    "reading": ("reading", "good", "live"),
    "ready": ("ready", "good", "good"),
    "stopped": ("stopped", "off", "halt"),
    "not connected": ("not connected", "bad", "bad"),
}


class ScrubberView(Host[Scrubber]):
    """Shows a scrubber at its position, and moves it."""

    _esm = module("life.js", "child.js", "scrubber.js")

    reading = Dict().tag(sync=True)  # how far it was read
    axis = Dict().tag(sync=True)  # bars, labels, and where position and pin are on it
    position = Dict().tag(sync=True)
    table = Dict().tag(sync=True)  # the state, or two of them side by side
    failure = Dict().tag(sync=True)  # what the fold raised, empty when it did not up to here
    choices = Dict().tag(sync=True)  # axis and step

    def __init__(self, source: Scrubber, *, open_view: OpenView, variables: Variables | None = None) -> None:
        self._done = ""
        self._handed = ""
        self._turn = ""  # the move that was made last, as the browser names it
        self._bars: tuple[object, list[int]] = (None, [])
        super().__init__(source, open_view=open_view, variables=variables)

    @property
    def ended(self) -> bool:
        """Whether all was read, though it can still be moved: it holds what was read."""
        return self.source is None or self.source.reading != "reading"

    def over(self, source: Scrubber) -> bool:
        """Never: it can be moved from Python."""
        del source
        return False

    def version(self, source: Scrubber) -> object:
        """Another after each move, and with each part that was read."""
        return source.version

    def show(self, source: Scrubber) -> None:
        """Write all of it into the traits."""
        self.choices = self.choices or {"axis": "sequence", "step": 1}
        self.about = {
            "channel": source.channel,
            "kind": f"events store, {where(source.connection)}",
            "icon": "events_store",
            "label": f"Time scrubber of {source.channel}",
            "can_send": can_send(source.connection),
        }
        began = time.perf_counter()
        failure = source.failure
        self.table = self._compared(source) if source.pinned is not None else self._state(source)
        spent = 1000 * (time.perf_counter() - began)
        word, tone, icon = _READING[source.reading]
        self.reading = {
            "state": source.reading,
            "look": {"word": word, "tone": tone, "icon": icon},
            "read": source.received,
            "expected": source.expected,
            "note": source.note,
        }
        self.position = self._position(source, spent)
        self.axis = self._axis(source)
        self.failure = _failed(failure) if failure else {}
        self.foot = {"code": self._code(source), "held": self._held(source)}

    def at_once(self) -> Mapping[str, Action]:
        """What needs no event."""
        return {
            "axis": lambda message: self._choose(axis=str(message["axis"])),
            "steps": lambda message: self._choose(step=int(message["step"])),
            "stop": lambda _: self._source.stop(),
            "form": lambda _: self._form(),
            "close": self.end_child,
        }

    def calls(self) -> Mapping[str, Action]:
        """What may read events again or fold many."""
        return {
            "move": self._move,
            "step": self._step,
            "time": self._time,
            "pin": lambda _: self._pin(),
            "unpin": lambda _: self._unpin(),
            "swap": lambda _: self._swap(),
            "frame": lambda _: self._hand_over(),
        }

    @property
    def _source(self) -> Scrubber:
        assert self.source
        return self.source

    def _choose(self, **choice: object) -> None:
        self.choices = {**self.choices, **choice}

    def _move(self, message: Message) -> None:
        self._turn = str(message.get("turn", ""))
        last = self._source.span[1]
        wanted = message["to"]
        axis = self._chosen(self._source)
        if axis == "sequence" or message.get("of") != "slider":
            self._source.at(min(max(int(wanted), 0), last))
        elif wanted >= self.axis["high"]:
            self._source.at(last)
        elif self.axis["is_time"]:
            self._source.at(time=datetime.fromtimestamp(wanted / 1000, UTC), by=_field(axis))
        else:
            self._source.at(wanted, by=axis)
        self._done = f"at({self._source.sequence})"

    def _step(self, message: Message) -> None:
        self._turn = str(message.get("turn", ""))
        count = int(message["count"])
        reach = self._source.received - self._source.place
        self._source.step(min(count, reach))
        self._done = f"step({count})"

    def _time(self, message: Message) -> None:
        moment = positions.chosen("time", str(message["text"]))
        assert isinstance(moment, datetime)
        if self._source.reading != "reading":
            field = _field(self._chosen(self._source)) if self.axis["is_time"] else None
            self._source.at(time=moment, by=field)
            by = f", by={field!r}" if field else ""
            self._done = f"at(time=datetime.fromisoformat({moment.isoformat()!r}){by})"

    def _pin(self) -> None:
        self._source.pin()
        self._done = "pin()"

    def _unpin(self) -> None:
        self._source.unpin()
        self._done = "unpin()"

    def _swap(self) -> None:
        pinned, here = self._source.pinned, self._source.sequence
        assert pinned is not None
        self._source.pin(here).at(pinned)
        self._done = f"compare({here}, {pinned})"

    def _form(self) -> None:
        """Open a form with the event at the position."""
        self.host(self._source.form(), f"Send event {self._source.sequence:,} again")
        self._done = "form()"

    def _hand_over(self) -> None:
        frame = self._source.df
        self._handed = hand_over(frame, self._source.channel, self._variables, name=self._handed)
        self.said = captions.handed(self._handed, len(frame))

    def _code(self, source: Scrubber) -> str:
        name = variable_of(source, self._variables) or "scrub"
        if source.pinned is not None:
            return f"{name}.compare({source.pinned}, {source.sequence})"
        return f"{name}.{self._done}" if self._done else source.code

    def _held(self, source: Scrubber) -> str:
        if source.pinned is None:
            return f"{render.counted(source.received, 'event')} indexed"
        changed = self.table["changed"]
        return f"{render.counted(len(self.table['rows']), 'key')}, {changed:,} changed"

    def _position(self, source: Scrubber, spent: float) -> dict[str, object]:
        event = source.event
        first, last = source.span
        (at,) = source.along("time", source.sequence)
        keys = render.counted(self.table["keys"], "key")
        return {
            "turn": self._turn,
            "sequence": source.sequence,
            "first": first,
            "last": last,
            "time": _coordinate(at),
            "size": size(len(event.body)) if event else "",
            "body": shown_body(decode(event.body), event.body) if event else "",
            "fold": f"{source.fold_name}, {keys}, {spent:,.0f} ms" if source.fold_name else "",
            "pinned": source.pinned,
        }

    def _chosen(self, source: Scrubber) -> str:
        """The axis that was chosen, as long as there is one of that name."""
        chosen = str(self.choices["axis"])
        return chosen if chosen in source.axes else "sequence"

    def _axis(self, source: Scrubber) -> dict[str, object]:
        name = self._chosen(source)
        first, last = source.span
        values = source.along(name, first, last, source.sequence, source.pinned or 0)
        low, high, here, pinned = map(_coordinate, values)
        if name == "sequence":
            low = max(first - 1, 0)
        key = (source.received, name)
        if self._bars[0] != key:
            self._bars = (key, source.counts(BARS, name))
        return {
            "by": name,
            "names": [{"name": each, "label": _LABELS.get(each, cells.cut(each))} for each in source.axes],
            "is_time": isinstance(values[1], datetime),
            "bars": self._bars[1],
            "low": low,
            "high": high,
            "here": max(here, low) if source.place else low,
            "pin": None if source.pinned is None else max(pinned, low) if source.pinned else low,
        }

    def _state(self, source: Scrubber) -> dict[str, object]:
        if not source.fold_name:
            return {"columns": [], "rows": [], "keys": 0, "compare": False}
        before, now = source.lines_before, source.lines
        rows = [
            {"key": cells.cut(key), "cells": _texts(values), "new": before.rows.get(key) != values}
            for key, values in list(now.rows.items())[:LINES]
        ]
        return {"columns": _columns(now), "rows": rows, "keys": len(now.rows), "compare": False}

    def _compared(self, source: Scrubber) -> dict[str, object]:
        assert source.pinned is not None
        if not source.fold_name:
            return {"columns": [], "rows": [], "keys": 0, "compare": True, "changed": 0, "between": 0}
        frame = source.compare(source.pinned)
        names = [str(name).removesuffix(" A") for name in frame.columns if str(name).endswith(" A")]
        rows: list[dict[str, Any]] = [
            {"key": cells.cut(str(key)), "cells": _sides(values), "new": False}
            for key, *values in frame.head(LINES).itertuples(index=False, name=None)
        ]
        numbers = [is_figure(frame[f"{name} B"].tolist()) for name in names]
        columns = [
            {"label": cells.cut(name), "number": number} for name, number in zip(names, numbers, strict=True)
        ]
        told = {name: frame.attrs[name] for name in ("changed", "between")}
        return {"columns": columns, "rows": rows, "keys": len(frame), "compare": True, **told}


def _columns(states: StateTable) -> list[dict[str, object]]:
    values = [[line[place] for line in states.rows.values()] for place in range(len(states.columns))]
    return [
        {"label": cells.cut(name), "number": is_figure(column)}
        for name, column in zip(states.columns, values, strict=True)
    ]


def _failed(failure: Failure) -> dict[str, str]:
    head, _, rest = failure.text.partition(": ")
    return {
        "tone": "bad",
        "icon": "bad",
        "head": f"{cells.cut(head)}:",
        "rest": clean(rest),
        "traceback": failure.traceback,
    }


def _texts(values: Sequence[object]) -> list[str]:
    return [cells.cut(figure(value)) for value in values]


def _sides(values: Sequence[object]) -> list[str]:
    """A, B and the change of each column."""
    return [
        cells.cut("" if place % 3 == 2 and not value else figure(value, signed=place % 3 == 2))  # noqa: PLR2004
        for place, value in enumerate(values)
    ]


def _coordinate(value: datetime | float | None) -> float:
    """Where a value is on its axis: a time in Unix milliseconds."""
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value or 0


def _field(axis: str) -> str | None:
    """The axis, if it is a field of the bodies."""
    return axis if axis.startswith("body.") else None
