"""Messages of a queue as lines of a table: since when they wait, until when, how often they were received."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from kubemq_nb import render
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.events import Column, EventLine, EventTable

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.widgets.tail import Row


RECEIVED = (
    "The receive that comes next: 1 means that nobody has received it yet. "
    "After the last one of a limit it is a dead letter."
)


@dataclass(frozen=True, slots=True)
class PeekedLine(EventLine):
    """One message that waits, cut to what a view shows."""

    number: int  # its sequence
    received: str
    rerouted_from: str
    expires: int | None  # Unix milliseconds


class PeekedTable(EventTable):
    """Turns messages of a look into columns and rows."""

    def __init__(self) -> None:
        super().__init__(kind="queues", channel="")

    def rows(self, frame: "DataFrame") -> tuple[list[Column], list[dict[str, object]]]:
        """Columns, and for each message its sequence, times and a cell for each column."""
        lines = [_line(row) for row in _rows(frame)]
        columns, rows = self.cells((line.number, line) for line in lines)
        for row, line in zip(rows, lines, strict=True):
            row["expires"] = line.expires
        return columns, rows

    def _columns(self, lines: list[EventLine]) -> Iterator[Column]:
        peeked = cast("list[PeekedLine]", lines)
        yield {"label": "seq", "kind": "number", "of": "number", "sort": "sequence"}
        yield {"label": "age", "kind": "age", "of": "age", "sort": "timestamp"}
        yield {"label": "expires", "kind": "expires", "of": "age", "sort": "expiration_at"}
        yield {
            "label": "received",
            "kind": "figure",
            "of": "received",
            "sort": "receive_count",
            "title": RECEIVED,
        }
        if any(line.rerouted_from for line in peeked):
            yield {"label": "dead letter from", "kind": "rerouted", "of": "rerouted_from"}
        if any(line.tags for line in lines):
            yield {"label": "tags", "kind": "tags", "of": "tags", "width": "3"}
        if any(line.metadata for line in lines):
            yield {"label": "metadata", "kind": "rest", "of": "metadata", "width": "3"}
        yield from self._body_columns(lines)
        yield {"label": "size", "kind": "size", "of": "size", "sort": "size", "width": "2"}

    def _cell(self, line: EventLine, number: int, column: Column) -> object:
        return render.count(number) if column["of"] == "number" else super()._cell(line, number, column)


def sort(frame: "DataFrame", column: str, *, descending: bool) -> "DataFrame":
    """The messages in the order of a column; those that have nothing in it last."""
    if column == "size":
        order = frame["body"].map(len).sort_values(ascending=not descending, kind="stable").index
        return frame.loc[order]
    return frame.sort_values(column, ascending=not descending, kind="stable", na_position="last")


def first(frame: "DataFrame") -> "Row":
    """The first message, by column."""
    return next(iter(_rows(frame)))


def _line(row: "Row") -> PeekedLine:
    base = EventLine.of(row)
    limit = f" of {row['max_receive_count']:,}" if row["dead_letter"] else ""
    return PeekedLine(
        **{name: getattr(base, name) for name in EventLine.__slots__},
        number=cast("int", row["sequence"]),
        received=f"{row['receive_count']:,}{limit}",
        rerouted_from=cells.cut(str(row["rerouted_from"])) if row["rerouted"] else "",
        expires=cells.milliseconds(row["expiration_at"]),
    )


def _rows(frame: "DataFrame") -> "Iterable[Row]":
    for values in frame.itertuples(index=False, name=None):
        yield dict(zip(frame.columns, values, strict=True))
