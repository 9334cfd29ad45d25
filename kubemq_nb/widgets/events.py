"""Events as lines of a table: body fields as columns of their own, the rest of the body cut."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Self, cast

from kubemq_nb import render
from kubemq_nb.render import size
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.tail import Row

FIELDS = 5
"""Body fields that get a column of their own; the others stay together in one."""

_KEPT_FIELDS = 40

Column = dict[str, str]
"""How the browser shows a column: `label`, `kind`, and where there is one `group`, `width` and `title`."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event, cut to what a view shows."""

    time: int | None  # Unix milliseconds
    sequence: str
    id: str
    channel: str
    metadata: str
    tags: list[list[str]]
    fields: dict[str, tuple[str, str]] | None  # of a JSON object: text and sort (number, text, nested)
    body: str  # of anything else
    size: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """The line of one row of a feed's frame."""
        raw, decoded = cast("bytes", row["body"]), row["decoded"]
        is_object = isinstance(decoded, dict) and bool(decoded)
        return cls(
            time=cells.milliseconds(row["timestamp"]),
            sequence=_sequence(row["sequence"]),
            id=cells.cut(str(row["id"])),
            channel=cells.cut(str(row["channel"])),
            metadata=cells.cut(str(row["metadata"])),
            tags=cells.tags(cast("Mapping[str, str]", row["tags"])),
            fields=_fields(cast("dict[str, object]", decoded)) if is_object else None,
            body="" if is_object else cells.body(raw, decoded),
            size=size(len(raw)),
        )


class EventTable:
    """Turns lines into columns and cells. It remembers its body columns, so that they do not jump about."""

    def __init__(self, *, kind: str, channel: str) -> None:
        self._stored = kind == "events_store"
        self._several = "*" in channel or ">" in channel
        self._fields: list[str] = []

    def cells(
        self, numbered: Iterable[tuple[int, EventLine]]
    ) -> tuple[list[Column], list[dict[str, object]]]:
        """Columns, and for each line its number, its time and a cell for each column."""
        numbered = list(numbered)
        lines = [line for _, line in numbered]
        self._fields = choose_fields(lines, before=self._fields)
        columns = list(self._columns(lines))
        rows: list[dict[str, object]] = [
            {
                "number": number,
                "time": line.time,
                "cells": [self._cell(line, number, column) for column in columns],
            }
            for number, line in numbered
        ]
        return columns, rows

    def _columns(self, lines: list[EventLine]) -> Iterator[Column]:
        yield {"label": "seq" if self._stored else "no.", "kind": "number", "of": "number"}
        yield {"label": "age", "kind": "age", "of": "age"}
        if self._several:
            yield {"label": "channel", "kind": "mono", "of": "channel"}
        yield {"label": "id", "kind": "id", "of": "id", "width": "3"}
        if any(line.tags for line in lines):
            yield {"label": "tags", "kind": "tags", "of": "tags"}
        if any(line.metadata for line in lines):
            yield {"label": "metadata", "kind": "rest", "of": "metadata", "width": "2"}
        yield from self._body_columns(lines)
        yield {"label": "size", "kind": "size", "of": "size"}

    def _body_columns(self, lines: list[EventLine]) -> Iterator[Column]:
        for name in self._fields:
            yield {
                "label": cells.cut(name),
                "kind": _sort(name, lines),
                "of": "field",
                "field": name,
                "group": "body",
            }
        if not self._fields:
            yield {"label": "body", "kind": "body", "of": "rest"}
        elif any(line.fields is None and line.body for line in lines):
            yield {"label": "rest of body", "kind": "rest", "of": "rest"}
        elif any(set(line.fields or ()) - set(self._fields) for line in lines):
            yield {"label": "rest of body", "kind": "rest", "of": "rest", "width": "3"}

    def _cell(self, line: EventLine, number: int, column: Column) -> object:
        match column["of"]:
            case "number":
                return line.sequence if self._stored else render.count(number)
            case "field":
                return (line.fields or {}).get(column["field"], ("", ""))[0]
            case "rest":
                return self._rest(line)
            case "age":
                return None
            case name:
                return getattr(line, name)

    def _rest(self, line: EventLine) -> str:
        if line.fields is None:
            return line.body
        return cells.pairs(
            (name, text) for name, (text, _) in line.fields.items() if name not in self._fields
        )


def choose_fields(lines: list[EventLine], *, before: list[str]) -> list[str]:
    """Body fields that get a column: those that had one and still occur, then the most frequent others."""
    found = Counter(
        name for line in lines for name, (_, sort) in (line.fields or {}).items() if sort != "nested"
    )
    kept = [name for name in before if name in found]
    others = [name for name, _ in found.most_common() if name not in kept]
    return kept + others[: FIELDS - len(kept)]


def _sequence(sequence: object) -> str:
    return render.count(int(cast("int", sequence))) if cells.is_number(sequence) else ""


def _fields(decoded: dict[str, object]) -> dict[str, tuple[str, str]]:
    return {
        name: (cells.value(value), _sort_of(value)) for name, value in islice(decoded.items(), _KEPT_FIELDS)
    }


def _sort_of(value: object) -> str:
    if isinstance(value, dict | list):
        return "nested"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else "text"


def _sort(name: str, lines: list[EventLine]) -> str:
    """Figures stand right when the field is a figure wherever it is something."""
    sorts = {
        line.fields[name][1]
        for line in lines
        if line.fields and name in line.fields and line.fields[name][0] != "null"
    }
    return "figure" if sorts == {"number"} else "text"
