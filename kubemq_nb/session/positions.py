"""Where reading a store begins and ends, from what a caller may say."""

import re
from datetime import UTC, datetime, timedelta

from kubemq_nb.messages import End, Start, StartPosition

_NAMED = {"new": StartPosition.new, "first": StartPosition.first, "last": StartPosition.last}
_SEQUENCE = re.compile(r"seq:(\d+)")


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
