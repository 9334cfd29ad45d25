"""What a read brings, written to a file as it comes, so that it may be larger than memory."""

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from kubemq_nb import frames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from kubemq_nb.frames.selecting import Selection

COLUMNS = {"file": "object", "rows": "int64", "bytes": "int64"}
PART = 5000  # messages that become rows at once

Kind = Literal["queues", "events", "events_store"]


class Export:
    """A file that takes the frames of one read.

    It is there when the read is over, in place of one that was there before; after an error or an interrupt
    that one is as it was.

    Args:
        file: The file; its ending says which kind.
        kind: What is read.
        selection: What of it to write, and how decoded.
    """

    def __init__(self, file: str | Path, kind: Kind, selection: "Selection | None") -> None:
        self._writer = frames.Writer(file)
        self._selection = selection
        self._counts: Counter[str] = Counter()
        self.add(frames.empty(kind))  # a file without rows has columns too

    def add(self, frame: "DataFrame") -> None:
        """Write the rows that are wanted."""
        if self._selection:
            frame = self._selection.apply(frame)
            self._counts.update(
                {name: frame.attrs.get(name, 0) for name in ("read", "undecoded", "incomparable")}
            )
        self._writer.write(frame)

    def told(self, notes: "Iterable[str]" = (), **attrs: object) -> "DataFrame":
        """One line with the file, its rows and its size, after the read, and the `notes` of the read."""
        writer = self._writer
        columns: dict[str, list[object]] = {
            "file": [str(writer.path)],
            "rows": [writer.count],
            "bytes": [writer.path.stat().st_size],
        }
        return frames.table(columns, COLUMNS, rows=writer.count, notes=[*notes, *self._notes()], **attrs)

    def _notes(self) -> "Iterable[str]":
        if self._selection and self._selection.where:
            yield f"{self._writer.count:,} of {self._counts['read']:,} match"
        if strange := self._counts["incomparable"]:
            yield f"{strange:,} could not be compared"
        if undecoded := self._counts["undecoded"]:
            yield f"{undecoded:,} not decoded"

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, traceback)


def written(file: str | Path, kind: Kind, selection: "Selection | None", frame: "DataFrame") -> "DataFrame":
    """Write what is already here; what is told of the read stays."""
    facts = {str(name): value for name, value in frame.attrs.items() if name not in ("count", "kind")}
    with Export(file, kind, selection) as export:
        export.add(frame)
    return export.told(**facts)
