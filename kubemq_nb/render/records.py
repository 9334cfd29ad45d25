"""Results as JSON, for other programs: nothing is cut, instants are ISO 8601, bytes are text or base64."""

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from kubemq_nb.visible import clean_json


def as_json(result: object, *, lines: bool) -> str:
    """A result as one JSON value, or as one line a row."""
    value = _plain(result)
    if lines and isinstance(value, list):
        return "\n".join(_dumps(row) for row in value)
    return _dumps(value)


def _dumps(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return clean_json(written)


def _plain(value: Any) -> object:
    """A value as JSON has it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return dict(_entry(str(key), each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value)
    return _object(value)


def _entry(key: str, value: Any) -> tuple[str, object]:
    """Bytes that are no text have a name of their own, by which `--rows` reads them back."""
    if isinstance(value, bytes) and not _is_text(value):
        return f"{key}_base64", _base64(value)
    return key, _plain(value)


def _cell(name: str, value: Any) -> tuple[str, object]:
    """A body that is nested too deeply to be written is there as text, and not decoded."""
    try:
        return _entry(name, value)
    except RecursionError:
        return name, None


def _object(value: Any) -> object:
    if hasattr(value, "columns"):
        return [dict(map(_cell, map(str, value.columns), row)) for row in _rows(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if hasattr(value, "item"):
        return _plain(value.item())
    return None if str(value) in ("<NA>", "NaT") else str(value)


def _rows(frame: Any) -> Any:
    """The rows of a frame; missing values None."""
    columns = [
        [
            None if gone else value
            for value, gone in zip(frame[name].tolist(), frame[name].isna(), strict=True)
        ]
        for name in frame.columns
    ]
    return zip(*columns, strict=True)


def _is_text(body: bytes) -> bool:
    try:
        return bool(body.decode()) or not body
    except UnicodeDecodeError:
        return False


def _text(body: bytes) -> object:
    return body.decode() if _is_text(body) else {"base64": _base64(body)}


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode()


WRITERS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (float, lambda value: value if math.isfinite(value) else None),
    (bytes, _text),
    (timedelta, timedelta.total_seconds),
    (datetime, lambda value: value.isoformat() if value == value else None),  # noqa: PLR0124  NaT is not itself
)
