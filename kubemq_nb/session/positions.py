"""Where reading a store begins and ends, from what a caller may say."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

from kubemq_nb.messages import End, Start, StartPosition

_NAMED = {"new": StartPosition.new, "first": StartPosition.first, "last": StartPosition.last}
_SEQUENCE = re.compile(r"seq:(\d+)")
_AGO = re.compile(r"-?(\d+(?:\.\d+)?) ?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Choice = Literal["new", "first", "last", "sequence", "time", "ago"]
"""The six ways to begin, as a picker names them."""


def as_start(start: Start) -> StartPosition:
    """The position that a `start` argument means.

    Raises:
        ValueError: It means none; the error names those that there are.
    """
    match start:
        case StartPosition():
            return start
        case str() if start in _NAMED:
            return _NAMED[start]()
        case str() if found := _SEQUENCE.fullmatch(start):
            return StartPosition.at_sequence(int(found[1]))
        case datetime():
            return StartPosition.at_time(start)
        case bool():
            pass
        case int() | float() | timedelta():
            return StartPosition.ago(start)
    raise ValueError(
        f"start is new, first, last, seq:N, a time with a zone, or a duration (that long ago), not {start!r}"
    )


def chosen(choice: Choice, text: str) -> Start:
    """The `start` that somebody picked: one of six ways, with a text where that needs one.

    Raises:
        ValueError: The text is no sequence, time or span; says what is wanted.
    """
    text = text.strip()
    match choice:
        case "sequence":
            digits = text.replace(",", "")
            if not digits.isdecimal():
                raise ValueError(f"a sequence is a whole number such as 1200, not {text or 'nothing'}")
            return f"seq:{digits}"
        case "time":
            try:
                time = datetime.fromisoformat(text.removesuffix("UTC").strip())
            except ValueError:
                raise ValueError(
                    f"a time is written as 2013-01-31 23:59 (UTC), not {text or 'left out'}"
                ) from None
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        case "ago":
            if not (found := _AGO.fullmatch(text)):
                raise ValueError(f"a span is written as 30s, 10m, 2h or 1d, not {text or 'left out'}")
            return float(found[1]) * _SECONDS[found[2]]
    return choice


def picked(start: StartPosition) -> tuple[Choice, str]:
    """The way and the text that a picker shows for a position."""
    match start.kind:
        case "sequence":
            return "sequence", str(start.value)
        case "time":
            return "time", f"{datetime.fromtimestamp(start.value // 10**9, UTC):%Y-%m-%d %H:%M:%S}"
        case "ago":
            return "ago", f"{start.value}s"
    return start.kind, ""


def as_end(to: End) -> int | datetime:
    """The last sequence, or the last instant, that a `to` argument means.

    Raises:
        ValueError: It means neither.
    """
    match to:
        case "now":
            return datetime.now(UTC)
        case str() if (found := _SEQUENCE.fullmatch(to)) and int(found[1]):
            return int(found[1])
        case datetime() if to.tzinfo:
            return to
    raise ValueError(f"to is seq:N with N from 1, a time with a zone, or now, not {to!r}")
