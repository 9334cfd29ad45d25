"""Rows to send: a DataFrame, a list or a file, as one dict of message fields a row."""

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from kubemq_nb.frames import files
from kubemq_nb.frames.kinds import COLUMNS
from kubemq_nb.messages import as_tags, encode_body

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


_TEXTS = {"id", "metadata", "dead_letter"}


def records(rows: object) -> list[dict[str, Any]]:
    """The rows as fields of messages: body (bytes) and, where the row has them, the others of FIELDS.

    A frame (or a file, or a dict) with a `body` is read as ours, one without as one JSON body a row.

    Raises:
        TypeError: Not rows, or a value that is no message field.
        ValueError: Columns that are neither ours nor the server's, or a file of another kind.
    """
    if isinstance(rows, str | Path):
        return [record for part in of_file(rows) for record in part]
    if not isinstance(rows, pd.DataFrame) and hasattr(rows, "to_pandas"):
        rows = rows.to_pandas()
    if isinstance(rows, pd.DataFrame):
        return list(_of_frame(rows))
    if isinstance(rows, Mapping | bytes) or not isinstance(rows, Iterable):
        raise TypeError(f"rows are a DataFrame, a list or a file, not one {type(rows).__name__}")
    return [_of_item(number, item) for number, item in enumerate(rows)]


def of_file(path: str | Path) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file in parts, so that a file may be larger than memory; see `records`."""
    first = 0
    for part in files.read(path):
        if isinstance(part, pd.DataFrame):
            yield list(_of_frame(part, first))
        else:
            yield list(map(_of_item, count(first), part))
        first += len(part)


def _of_frame(frame: pd.DataFrame, first: int = 0) -> Iterator[dict[str, Any]]:
    if added := frame.attrs.get("fields"):
        frame = frame.drop(columns=list(added), errors="ignore")
    names = [str(name) for name in frame.columns]
    columns = [_values(frame.iloc[:, place]) for place in range(len(names))]
    if not {"body", files.BASE64} & set(names):
        return (
            {"body": encode_body(dict(zip(names, row, strict=True)))} for row in zip(*columns, strict=True)
        )
    _refuse_unknown(names)
    ours = [(name, column) for name, column in zip(names, columns, strict=True) if name in FIELDS]
    kept = [name for name, _ in ours]
    found = zip(*(column for _, column in ours), strict=True)
    return (_fields(number, dict(zip(kept, row, strict=True))) for number, row in enumerate(found, first))


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
        raise type(error)(f"row {number}: {error}") from error


def _refuse_unknown(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in FIELDS and name not in OF_THE_SERVER]
    if unknown:
        known = ", ".join(sorted(FIELDS - {files.BASE64}))
        raise ValueError(
            f"no message has the columns {', '.join(unknown)}: beside a body there may be {known}; "
            "leave the body out to send each row as JSON"
        )


def _fields(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """The fields that a row sets: what is missing, zero or empty is left to the call's own options."""
    fields = {name: value for name, value in row.items() if value}
    try:
        encoded = fields.pop(files.BASE64, None)
        body = base64.b64decode(encoded, validate=True) if encoded else row.get("body")
        fields["body"] = encode_body(body)
        if isinstance(tags := fields.get("tags"), str):
            fields["tags"] = json.loads(tags)  # as a CSV file has them
        return _checked(fields)
    except (TypeError, ValueError) as error:
        raise type(error)(f"row {number}: {error}") from error


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for name, value in fields.items():
        if name in _TEXTS and not isinstance(value, str):
            raise TypeError(f"{name} is text, not {value!r}")
    return fields | {"tags": as_tags(fields["tags"])} if "tags" in fields else fields


def _values(column: "pd.Series[Any]") -> list[Any]:
    return [_plain(value) for value in column.tolist()]


def _plain(value: Any) -> Any:
    """A cell as JSON has it: NaN and NaT null, instants ISO 8601, spans seconds, numpy's numbers Python's."""
    match value:
        case None | str() | bool() | int() | bytes() | dict() | list():
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
