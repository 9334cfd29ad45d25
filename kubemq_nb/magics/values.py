"""From text to values: durations, instants, positions, tags, counts, rows; a refusal says what is wanted."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
STANDARD_INPUT = "-"
POSITIONS = ("new", "first", "last")


class Unreadable(ValueError):
    """A text that is no value of its kind; says what is wanted."""


_duration = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|[dhms]))+")
_part = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_day = re.compile(r"\d{4}-\d\d-\d\d(?P<apart>.?).*")
_number = re.compile(r"-?\d+(?:\.\d+)?")


def whole(text: str) -> int:
    """Read a whole number."""
    if not re.fullmatch(r"-?\d+", text):
        raise Unreadable(f"wants a whole number, not {text}")
    return int(text)


def duration(text: str) -> float:
    """Read a duration such as `500ms`, `5s` or `1h30m`, in seconds."""
    if text == "0":
        return 0.0
    if _number.fullmatch(text):
        raise Unreadable(f"wants a unit: {text}s, {text}ms, {text}m or {text}h")
    if not _duration.fullmatch(text):
        raise Unreadable(f"wants a duration such as 500ms, 5s, 2m or 1h30m, not {text}")
    parts = _part.findall(text)
    units = [UNITS[unit] for _, unit in parts]
    if units != sorted(set(units), reverse=True):
        raise Unreadable(f"wants each unit once, the longest first, as in 1h30m, not {text}")
    return round(sum(float(figure) * UNITS[unit] for figure, unit in parts), 6)


def instant(text: str) -> datetime:
    """Read an ISO 8601 time with its zone."""
    day = _day.fullmatch(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"wants a time such as 2013-01-31T23:59Z, not {text}") from None
    if day and day["apart"] not in ("", "T", " "):  # Python takes any character between day and time
        raise Unreadable(f"wants a time such as 2013-01-31T23:59Z, not {text}")
    if time.tzinfo is None:
        whole = text if day is None or day["apart"] else f"{text}T00:00"
        raise Unreadable(f"wants a time with its zone: {whole}Z or {whole}+01:00")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise Unreadable(f"wants a time of the years 1 to 9999 in UTC, not {text}") from None


def start(text: str) -> str | datetime | timedelta:
    """Read a start position: new, first, last, seq:N, a time, now, or a duration (that long ago)."""
    if text in POSITIONS or _is_sequence(text):
        return text
    if text == "now":
        return datetime.now(UTC)
    if _number.fullmatch(text):
        raise Unreadable(f"wants seq:{text} for a sequence, or {text}s for a time ago")
    if _duration.fullmatch(text):
        try:
            return timedelta(seconds=duration(text))
        except OverflowError:
            raise Unreadable(f"wants a time ago that a calendar has, not {text}") from None
    return _instant_or(text, "new, first, last, seq:5, a time such as 2013-01-31T23:59Z, or 5s for 5 s ago")


def end(text: str) -> str | datetime:
    """Read an end position: seq:N, a time, or `now`."""
    if text == "now" or _is_sequence(text):
        return text
    if _number.fullmatch(text):
        raise Unreadable(f"wants seq:{text} for a sequence")
    return _instant_or(text, "seq:5, a time such as 2013-01-31T23:59Z, or now")


def tag(text: str) -> tuple[str, str]:
    """Read one tag, `key=value`."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise Unreadable(f"wants key=value, not {text}")
    return key, value


def rows(text: str) -> list[object] | Path:
    """Read rows: a JSON list, or the name of a file."""
    if text.startswith("["):
        return cast("list[object]", json.loads(text))
    file = Path(text).expanduser()
    if text == STANDARD_INPUT:
        return file  # of a command from a shell; elsewhere it is no kind of file
    if not file.is_file():
        raise Unreadable(f"wants {{{{a frame or list}}}}, a JSON list or a file; there is no file {text}")
    return file


def _is_sequence(text: str) -> bool:
    return re.fullmatch(r"seq:-?\d+", text) is not None


def _instant_or(text: str, choices: str) -> datetime:
    if not re.match(r"\d{4}-", text):
        raise Unreadable(f"wants {choices}; not {text}")
    return instant(text)
