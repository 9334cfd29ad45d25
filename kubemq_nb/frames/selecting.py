"""What a reader wants to see of what was read: which messages, decoded how, with which fields as columns.

Conditions, decoders and pandas are loaded by the first read that asks for them: no other pays for them.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from kubemq_nb.frames.decoders import Decoder

_comma = re.compile(r""",(?=(?:[^"'\[\]]|"[^"]*"|'[^']*'|\[[^\]]*\])*$)""")


def of(
    where: str | None, fields: str | Sequence[str] | None, decode: "str | Decoder | None"
) -> "Selection | None":
    """A selection, or None where nothing is asked for.

    Raises:
        ValueError: The condition, a field or the decoder is none; nothing was read.
        ImportError: The decoder needs a package that is not installed.
    """
    if where is None and fields is None and decode is None:
        return None
    return Selection(where, fields, decode)


class Selection:
    """A condition, columns and a decoder, for frames of messages."""

    def __init__(
        self, where: str | None, fields: str | Sequence[str] | None, decode: "str | Decoder | None"
    ) -> None:
        from kubemq_nb.frames import decoders, expanding  # noqa: PLC0415  see above
        from kubemq_nb.frames.where import Where, path  # noqa: PLC0415  see above

        self.where = None if where is None else Where(where)
        self._fields = {name: path(name) for name in _names(fields)}
        self._budget = expanding.Budget()
        self._decode = None if decode is None else decoders.decoder(decode, self._budget)

    def apply(self, frame: "DataFrame") -> "DataFrame":
        """The frame with its bodies decoded, then the rows that match, then the fields as columns.

        `attrs` gets `notes`, a line for each thing worth telling, and `read`, `incomparable`, `undecoded` and
        `fields`.
        """
        frame = self.decoded(frame)
        if self.where:
            frame = self._matching(frame)
        return self.with_fields(frame)

    def shown(self, frame: "DataFrame") -> "DataFrame":
        """The same for rows that are known to match."""
        return self.with_fields(self.decoded(frame))

    def matches(self, frame: "DataFrame") -> list[bool | None]:
        """Whether each row matches; None where values of different kinds could not be compared."""
        assert self.where
        return self.where.of(_rows(self.decoded(frame)))

    def decoded(self, frame: "DataFrame") -> "DataFrame":
        """The frame with `decoded` as the decoder has it."""
        if self._decode is None:
            return frame
        from kubemq_nb.frames.decoders import decode_with  # noqa: PLC0415  see above

        self._budget.renew()
        found, failures = decode_with(self._decode, frame["body"].tolist())
        frame["decoded"] = _objects(found)
        frame.attrs["decode"] = True
        if failures:
            (why, _), count = failures.most_common(1)[0], failures.total()
            frame.attrs["undecoded"] = count
            _note(frame, f"{count:,} not decoded: {why}")
        return frame

    def with_fields(self, frame: "DataFrame") -> "DataFrame":
        """The frame with the fields as columns after its own."""
        if not self._fields:
            return frame
        rows = list(_rows(frame))
        for name, read in self._fields.items():
            frame[name] = _column([read(row) for row in rows])
        frame.attrs["fields"] = list(self._fields)
        return frame

    def _matching(self, frame: "DataFrame") -> "DataFrame":
        assert self.where
        verdicts = self.where.of(_rows(frame))
        chosen = frame.loc[[bool(verdict) for verdict in verdicts]].reset_index(drop=True)
        chosen.attrs |= {"count": len(chosen), "read": len(frame), "where": self.where.text}
        _note(chosen, f"{len(chosen):,} of {len(frame):,} match")
        if strange := verdicts.count(None):
            chosen.attrs["incomparable"] = strange
            _note(chosen, f"{strange:,} could not be compared")
        return chosen


def _names(fields: str | Sequence[str] | None) -> list[str]:
    """Each field once, in order; a text is split at its commas, those in quotes and brackets excepted."""
    from kubemq_nb.frames.where import NAMES, Unclear  # noqa: PLC0415  see above

    if fields is None:
        return []
    given = _comma.split(fields) if isinstance(fields, str) else list(fields)
    if strange := [name for name in given if not isinstance(name, str)]:
        raise TypeError(f"fields are texts such as total and tags.day, not {type(strange[0]).__name__}")
    names = list(dict.fromkeys(name.strip() for name in given))
    for name in names:
        if name in NAMES:
            raise Unclear(f"fields: {name} is a column already; body.{name} is the body's")
    return names


def _rows(frame: "DataFrame") -> Iterator[dict[str, Any]]:
    """Rows as conditions see them: `body` decoded, `raw` as it came, `size` its bytes, None for no value."""
    names = [str(name) for name in frame.columns]
    columns = [values_of(frame[name]) for name in names]
    for values in zip(*columns, strict=True):
        row = dict(zip(names, values, strict=True))
        raw = row["body"]
        yield row | {"body": row["decoded"], "raw": raw, "size": len(raw)}


def values_of(column: "Series[Any]") -> list[Any]:
    """What a column holds, None for what is missing."""
    values = column.tolist()
    if column.dtype == object:
        return values
    return [None if gone else value for gone, value in zip(column.isna().tolist(), values, strict=True)]


def _note(frame: "DataFrame", text: str) -> None:
    frame.attrs["notes"] = [*frame.attrs.get("notes", ()), text]


def _objects(values: Sequence[object]) -> Any:
    return _build().column(values, "object")


def _column(values: Sequence[Any]) -> Any:
    """A column of numbers where all there are numbers (`Int64`, `float64`), else of objects."""
    kinds = {type(value) for value in values if value is not None}
    with contextlib.suppress(OverflowError):  # an integer beyond all floats
        if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
            return _build().column(values, "Int64")
        if float in kinds and kinds <= {int, float}:
            numbers = [float("nan") if value is None else float(value) for value in values]
            return _build().column(numbers, "float64")
    return _objects(values)


def _build() -> Any:
    """Load what needs pandas, which comes with the first frame and not before."""
    return import_module("kubemq_nb.frames.build")
