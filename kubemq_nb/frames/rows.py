"""Rows to send: a DataFrame, a list or a file, as columns of message fields."""

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import pandas as pd

from kubemq_nb.frames import files
from kubemq_nb.frames.kinds import COLUMNS
from kubemq_nb.messages import as_tags, encode_body, reworded

FIELDS = frozenset(
    {
        "body",
        files.BASE64,
        "id",
        "metadata",
        "tags",
        "expiration",
        "delay",
        "max_receive_count",
        "dead_letter",
    }
)
"""What a row may say of its message."""

OF_THE_SERVER = frozenset(name for kind in COLUMNS.values() for name in kind) - FIELDS | {"decoded_base64"}
"""Columns of ours that the server or the session sets: ignored when they come back."""


_TEXTS = ("id", "metadata", "dead_letter")
_PLAIN = {type(None), str, bool, int, bytes, dict, list}  # what JSON has a form for, and bodies


Columns = Mapping[str, Sequence[Any]]
"""Fields of messages, one list a field, all equally long: `body` (bytes), and those of FIELDS that rows
have. What is missing, zero or empty in a row is None or empty: it is left to the options of the call."""


def columns(rows: object) -> Columns:
    """The rows as fields of messages, without one object a row.

    A frame (or a file, or a dict) with a `body` is read as ours, one without as one JSON body a row.

    Raises:
        TypeError: Not rows, or a value that is no message field.
        ValueError: Columns that are neither ours nor the server's, or a file of another kind.
    """
    if isinstance(rows, str | Path):
        return _joined(list(of_file(rows)))
    if not isinstance(rows, pd.DataFrame) and hasattr(rows, "to_pandas"):
        rows = rows.to_pandas()
    if isinstance(rows, pd.DataFrame):
        return _of_frame(rows)
    if isinstance(rows, Mapping | bytes) or not isinstance(rows, Iterable):
        raise TypeError(f"rows are a DataFrame, a list or a file, not one {type(rows).__name__}")
    return _of_items(rows)


def records(rows: object) -> list[dict[str, Any]]:
    """The same as one dict of what each row sets."""
    return each(columns(rows))


def each(given: Columns) -> list[dict[str, Any]]:
    """Columns as one dict of what each row sets."""
    return [
        {name: value for name, value in zip(given, row, strict=True) if value or name == "body"}
        for row in zip(*given.values(), strict=True)
    ]


def of_file(path: str | Path) -> Iterator[Columns]:
    """The rows of a file in parts, so that a file may be larger than memory; see `columns`."""
    first = 0
    for part in files.read(path):
        yield _of_frame(part, first) if isinstance(part, pd.DataFrame) else _of_items(part, first)
        first += len(part)


def _joined(parts: list[Columns]) -> Columns:
    names = dict.fromkeys(name for part in parts for name in part) or {"body": None}
    return {
        name: [value for part in parts for value in part.get(name, repeat(None, len(part["body"])))]
        for name in names
    }


def _of_items(items: Iterable[object], first: int = 0) -> Columns:
    made = list(map(_of_item, count(first), items))
    names = dict.fromkeys(["body", *(name for fields in made for name in fields)])
    return {name: [fields.get(name) for fields in made] for name in names}


def _of_frame(frame: pd.DataFrame, first: int = 0) -> Columns:
    if added := frame.attrs.get("fields"):
        frame = frame.drop(columns=list(added), errors="ignore")
    names = [str(name) for name in frame.columns]
    values = [_values(frame.iloc[:, place]) for place in range(len(names))]
    if not {"body", files.BASE64} & set(names):
        return {
            "body": [encode_body(dict(zip(names, row, strict=True))) for row in zip(*values, strict=True)]
        }
    _refuse_unknown(names)
    given = {name: column for name, column in zip(names, values, strict=True) if name in FIELDS}
    bodies = given.pop("body", None) or [None] * len(frame)
    encoded = given.pop(files.BASE64, None)
    made = {"body": bodies if _all(bytes, bodies) else _converted(bodies, encode_body, first)}
    if encoded:
        decoded = _converted(encoded, _decoded, first)
        made["body"] = [
            body if text else other for body, text, other in zip(decoded, encoded, made["body"], strict=True)
        ]
    return made | {name: _field(name, column, first) for name, column in given.items()}


def _field(name: str, column: list[Any], first: int) -> list[Any]:
    """A column as messages take it; one that is so already costs a look at its types."""
    convert = _CONVERTED.get(name)
    return _converted(column, convert, first) if convert and not _is_good(name, column) else column


def _is_good(name: str, column: list[Any]) -> bool:
    if name == "tags":
        values = map(dict.values, column)
        return _all(dict, column) and all(_all(str, chain.from_iterable(each)) for each in (column, values))
    return name in _TEXTS and _all(str, column)


def _all(kind: type, values: Iterable[object]) -> bool:
    return set(map(type, values)) <= {kind}


def _converted(values: list[Any], convert: Callable[[Any], Any], first: int) -> list[Any]:
    """Each value converted; an error names its row."""
    made: list[Any] = []
    try:
        made.extend(map(convert, values))
    except (TypeError, ValueError) as error:
        raise reworded(error, f"row {first + len(made)}: {error}") from error
    return made


def _of_item(number: int, item: object) -> dict[str, Any]:
    if isinstance(item, Mapping) and {"body", files.BASE64} & item.keys():
        _refuse_unknown(item)
        return _fields(number, {name: item[name] for name in FIELDS if name in item})
    if isinstance(item, Mapping):
        return {"body": _as_json(number, item)}
    return _fields(number, {"body": item})


def _as_json(number: int, item: Mapping[Any, Any]) -> bytes:
    plain = {str(name): _plain(value) for name, value in item.items()}
    try:
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, default=_nested).encode()
    except (TypeError, ValueError) as error:
        raise reworded(error, f"row {number}: {error}") from error


def _refuse_unknown(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in FIELDS and name not in OF_THE_SERVER]
    if unknown:
        known = ", ".join(sorted(FIELDS - {files.BASE64}))
        raise ValueError(
            f"no message has the columns {', '.join(unknown)}: beside a body there may be {known}; "
            "leave the body out to send each row as JSON"
        )


def _fields(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """The fields that a row sets."""
    fields = {name: value for name, value in row.items() if value}
    try:
        encoded = fields.pop(files.BASE64, None)
        fields["body"] = _decoded(encoded) if encoded else encode_body(row.get("body"))
        return {name: _CONVERTED.get(name, _as_it_is)(value) for name, value in fields.items()}
    except (TypeError, ValueError) as error:
        raise reworded(error, f"row {number}: {error}") from error


def _decoded(encoded: str | None) -> bytes:
    return base64.b64decode(encoded or "", validate=True)


def _tags(given: Any) -> dict[str, str] | None:
    if isinstance(given, str) and given:
        given = json.loads(given)  # as a CSV file has them
    return as_tags(given) if given else None


def _text(name: str, value: Any) -> str | None:
    if value and not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r}")
    return value or None


def _whole(name: str, value: Any) -> int | None:
    """A field that is a whole number; seconds are given as they are, without a unit."""
    if not value:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = None
    if number is None or (isinstance(value, float) and number != value) or isinstance(value, bool):
        what = "a whole number" if name == "max_receive_count" else "whole seconds, as a number"
        raise TypeError(f"{name} is {what}, not {value!r}")
    return number


def _as_it_is(value: Any) -> Any:
    return value


_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "tags": _tags,
    **{name: partial(_text, name) for name in _TEXTS},
    **{name: partial(_whole, name) for name in ("expiration", "delay", "max_receive_count")},
}


def _values(column: "pd.Series[Any]") -> list[Any]:
    values = column.tolist()
    return values if set(map(type, values)) <= _PLAIN else [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """A cell as JSON has it: NaN and NaT null, instants ISO 8601, spans seconds, numpy's numbers Python's."""
    match value:
        case None | str() | bool() | int() | bytes() | dict() | list():  # _PLAIN
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case pd.Timedelta() | timedelta():
            return None if value is pd.NaT else value.total_seconds()
        case datetime() | date() | time():
            return None if value is pd.NaT else value.isoformat()
    if value is pd.NA or value is pd.NaT:
        return None
    return value.item() if hasattr(value, "item") else value.tolist() if hasattr(value, "tolist") else value


def _nested(value: Any) -> Any:
    """The same inside of a list or dict, for the encoder: it must change, or there is no JSON for it."""
    plain = _plain(value)
    if plain is value:
        raise TypeError(f"there is no JSON for a {type(value).__name__}")
    return plain
