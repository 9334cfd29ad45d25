"""A state of a fold as a table: what a reader compares line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from numbers import Number
from typing import Any


@dataclass(frozen=True, slots=True)
class StateTable:
    """A line for each key.

    Attributes:
        columns: Names of what each line tells beside its key.
        rows: Values by key, one a column; None where a line lacks one.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[object, ...]]


def table(state: object) -> StateTable:
    """A mapping as a line a key, a sequence as a line an item, anything else as one line."""
    if hasattr(state, "to_dict") and hasattr(state, "columns"):
        state = _of_frame(state)
    if is_dataclass(state) and not isinstance(state, type):
        state = asdict(state)
    if isinstance(state, Mapping):
        return _lines({str(key): value for key, value in state.items()})
    if isinstance(state, Sequence) and not isinstance(state, str | bytes):
        return _lines({str(number): value for number, value in enumerate(state, 1)})
    return StateTable((), {}) if state is None else _lines({"state": state})


def compared(a: StateTable, b: StateTable) -> dict[str, list[object]]:
    """Columns of two tables side by side: of each what it was at A, what it is at B, and the change."""
    names = [*b.columns, *(name for name in a.columns if name not in b.columns)]
    keys = [*b.rows, *(key for key in a.rows if key not in b.rows)]
    columns: dict[str, list[object]] = {"key": list(keys)}
    for name in names:
        before, after = _column(a, name, keys), _column(b, name, keys)
        columns[f"{name} A"], columns[f"{name} B"] = before, after
        columns[f"{name} change"] = [_change(old, new) for old, new in zip(before, after, strict=True)]
    return columns


def _of_frame(frame: Any) -> dict[str, object]:
    return {str(key): line for key, line in zip(frame.index, frame.to_dict("records"), strict=True)}


def _lines(given: Mapping[str, object]) -> StateTable:
    lines = {key: _fields(value) for key, value in given.items()}
    columns = tuple(dict.fromkeys(name for fields in lines.values() for name in fields))
    return StateTable(
        columns, {key: tuple(fields.get(name) for name in columns) for key, fields in lines.items()}
    )


def _fields(value: object) -> dict[str, object]:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "_asdict"):  # a named tuple
        return dict(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    return {"value": value}


def _column(given: StateTable, name: str, keys: Sequence[str]) -> list[object]:
    if name not in given.columns:
        return [None] * len(keys)
    place = given.columns.index(name)
    return [given.rows[key][place] if key in given.rows else None for key in keys]


def _change(old: Any, new: Any) -> object:
    """A difference of numbers, where there are two; else whether it is another."""
    if _is_number(old) and _is_number(new):
        return new - old
    if old is None and _is_number(new):
        return new
    return None if old == new else "changed"


def _is_number(value: object) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)
