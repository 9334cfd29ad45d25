"""Fields of bodies that never go back along a store: by their values events can be found, as by a time."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubemq_nb._wire import codec
from kubemq_nb.frames.decoding import decode_all

MOST = 8
"""Fields of the first body that are followed."""

LARGEST = 2**16
"""Bytes of a body that is looked into; a larger one has no fields here."""


@dataclass(frozen=True, slots=True)
class Values:
    """A number of each event: its sequence, the time of its storing, or a field of its body."""

    is_time: bool  # Unix nanoseconds; other numbers are as they stand there
    numbers: "array[Any]"


class BodyFields:
    """Numbers and times at the top of JSON bodies, as long as each event has them and none goes back."""

    def __init__(self) -> None:
        self._followed: dict[str, Values] | None = None  # None: no event yet

    def add(self, payloads: Sequence[bytes]) -> None:
        """Follow them through the events that were read next."""
        if self._followed == {}:
            return
        bodies = [codec.decode_event(payload).body for payload in payloads]
        for body in decode_all([body if len(body) <= LARGEST else b"" for body in bodies]):
            self._add(body if isinstance(body, dict) else {})

    def grown(self) -> dict[str, Values]:
        """Those that did not stand still, by name."""
        followed = self._followed or {}
        return {name: each for name, each in followed.items() if each.numbers[-1] > each.numbers[0]}

    def _add(self, body: dict[str, object]) -> None:
        read = {
            name: _number(body.get(name)) for name in (body if self._followed is None else self._followed)
        }
        if self._followed is None:
            found = {
                name: Values(is_time=told[0], numbers=array("q" if told[0] else "d"))
                for name, told in read.items()
                if told
            }
            self._followed = dict(list(found.items())[:MOST])
        for name, values in list(self._followed.items()):
            told = read[name]
            if told is None or told[0] != values.is_time or (values.numbers and told[1] < values.numbers[-1]):
                del self._followed[name]
            else:
                values.numbers.append(told[1])


def _number(value: object) -> tuple[bool, float] | None:
    """Whether a value is a time, and which number stands for it; None when it is neither time nor number."""
    if isinstance(value, str):
        instant = _instant(value)
        return None if instant is None else (True, instant)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return (False, number) if math.isfinite(number) else None


def _instant(text: str) -> int | None:
    """A time as ISO 8601 writes it, of UTC when it names no zone, in Unix nanoseconds: of 1678 to 2261."""
    if text[4:5] != "-":  # what has no dashes may be any number
        return None
    try:
        time = datetime.fromisoformat(text)
        instant = codec.nanoseconds(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    return instant if abs(instant) < 2**63 else None
