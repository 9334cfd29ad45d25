"""The log of a responder as lines of a table: what was asked, whether it was executed, what was answered."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self, cast

from kubemq_nb import render
from kubemq_nb.render import span
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.events import Column
from kubemq_nb.widgets.tail import Row

_YES, _NO, _WAITS = ["yes", "good", "check"], ["no", "bad", "close"], ["answering", "off", "clock"]
_LATE = ["too late", "warn", "clock"]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request and its answer, cut to what a view shows."""

    time: int | None  # Unix milliseconds
    id: str
    channel: str
    request: str
    tags: list[list[str]]
    executed: list[str]  # word, tone, icon
    answer: str  # or the reason why it was not executed
    latency: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """The line of one row of a responder's log."""
        waits = not is_answered(row)
        executed = not waits and bool(row["executed"])
        return cls(
            time=cells.milliseconds(row["timestamp"]),
            id=cells.cut(str(row["id"])),
            channel=cells.cut(str(row["channel"])),
            request=cells.body(cast("bytes", row["body"]), row["decoded"]),
            tags=cells.tags(cast("Mapping[str, str]", row["tags"])),
            executed=_state(row, waits=waits),
            answer=_text(row["answer"]) if executed else _text(row["error"]),
            latency="" if waits else span(cast("float", row["elapsed"])),
        )


def _state(row: Row, *, waits: bool) -> list[str]:
    if waits:
        return _WAITS
    if row["outcome"] == "unanswered":
        return _LATE
    return _YES if row["executed"] else _NO


def is_answered(row: Row) -> bool:
    """Whether a request got its answer."""
    return not math.isnan(cast("float", row["elapsed"]))


class RequestTable:
    """Turns lines of a log into columns and cells."""

    def __init__(self, *, channel: str) -> None:
        self._several = "*" in channel or ">" in channel

    def cells(
        self, numbered: Iterable[tuple[int, RequestLine]]
    ) -> tuple[list[Column], list[dict[str, object]]]:
        """Columns, and for each line its number, its time and a cell for each column."""
        numbered = list(numbered)
        columns = list(self._columns([line for _, line in numbered]))
        rows: list[dict[str, object]] = [
            {
                "number": number,
                "time": line.time,
                "cells": [_cell(line, number, column["of"]) for column in columns],
            }
            for number, line in numbered
        ]
        return columns, rows

    def _columns(self, lines: list[RequestLine]) -> Iterator[Column]:
        yield {"label": "no.", "kind": "number", "of": "number"}
        yield {"label": "age", "kind": "age", "of": "age"}
        if self._several:
            yield {"label": "channel", "kind": "mono", "of": "channel"}
        yield {"label": "id", "kind": "id", "of": "id", "width": "3"}
        if any(line.tags for line in lines):
            yield {"label": "tags", "kind": "tags", "of": "tags", "width": "2"}
        yield {"label": "request", "kind": "body", "of": "request"}
        yield {"label": "executed", "kind": "state", "of": "executed"}
        yield {"label": "answer", "kind": "body", "of": "answer"}
        yield {"label": "latency", "kind": "figure", "of": "latency"}


def _cell(line: RequestLine, number: int, name: str) -> object:
    match name:
        case "number":
            return render.count(number)
        case "age":
            return None
        case _:
            return getattr(line, name)


def _text(given: object) -> str:
    return "" if given is None else cells.value(given)
