"""Stored events by their place: an index in memory, and their payloads as far as memory allows."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubemq_nb._wire import codec
from kubemq_nb.session.body_fields import BodyFields, Values

HELD = 2**27
"""Bytes of payloads that are held; parts beyond are read again when they are asked for."""

ReadAgain = Callable[[int, int], list[bytes]]
"""Gives the payloads from one sequence to another, both included."""


@dataclass(slots=True)
class _Part:
    after: int  # places before it
    count: int
    size: int
    payloads: list[bytes] | None  # None: let go


class Recording:
    """Events of a store in order. Places count from 1 without gaps; sequences may have gaps."""

    def __init__(self, read_again: ReadAgain, *, held: int = HELD) -> None:
        self._read_again = read_again
        self._most = held
        self._size = 0
        self._sequences = array("q")
        self._times = array("q")  # Unix nanoseconds, never going back
        self._fields = BodyFields()
        self._parts: list[_Part] = []
        self._used: list[_Part] = []  # parts with payloads, the one used last at the end

    def __len__(self) -> int:
        return len(self._sequences)

    def append(self, payloads: Sequence[bytes]) -> None:
        """Add what was read next."""
        part = _Part(len(self), len(payloads), sum(map(len, payloads)), list(payloads))
        for payload in payloads:
            sequence, time = codec.event_position(payload)
            self._sequences.append(sequence)
            self._times.append(max(time, self._times[-1]) if self._times else time)
        self._fields.add(payloads)
        self._parts.append(part)
        self._hold(part)

    def axes(self) -> dict[str, Values]:
        """Numbers of all events that never go back, by name: sequence, time, and `fields`."""
        return {
            "sequence": Values(is_time=False, numbers=self._sequences),
            "time": Values(is_time=True, numbers=self._times),
            **self.fields(),
        }

    def fields(self) -> dict[str, Values]:
        """Those of the bodies, by names such as body.hour."""
        return {f"body.{name}": values for name, values in self._fields.grown().items()}

    def sequence(self, place: int) -> int:
        """Sequence of the event at a place; 0 before the first."""
        return self._sequences[place - 1] if place else 0

    def time(self, place: int) -> int:
        """When it was stored, in Unix nanoseconds; that of the first event before it."""
        return self._times[max(place, 1) - 1]

    def up_to(self, number: float, axis: str = "sequence") -> int:
        """How many events have this number or a lower one on an axis."""
        return bisect_right(self._numbers(axis), number)

    def counts(self, bins: int, axis: str) -> list[int]:
        """How many events fall into each of so many equal stretches of an axis."""
        numbers = self._numbers(axis)
        if not numbers:
            return [0] * bins
        low, span = numbers[0], numbers[-1] - numbers[0] + (numbers.typecode == "q")
        shares = [
            span * edge / bins if isinstance(span, float) else -(-span * edge // bins)
            for edge in range(1, bins)
        ]
        edges = [*(bisect_left(numbers, low + share) for share in shares), len(numbers)]
        return [edge - before for before, edge in zip([0, *edges], edges, strict=False)]

    def payload(self, place: int) -> bytes:
        """The event at a place."""
        return next(self.payloads(place - 1, place))

    def payloads(self, after: int, to: int) -> Iterator[bytes]:
        """The events behind one place, up to another."""
        place = bisect_right(self._parts, after, key=lambda part: part.after) - 1
        for part in self._parts[max(place, 0) :]:
            if part.after >= to:
                return
            yield from self._of(part)[max(after - part.after, 0) : to - part.after]

    def _numbers(self, axis: str) -> "array[Any]":
        own = {"sequence": self._sequences, "time": self._times}
        return own.get(axis) or self.axes()[axis].numbers

    def _of(self, part: _Part) -> list[bytes]:
        if part.payloads is None:
            first, last = self.sequence(part.after + 1), self.sequence(part.after + part.count)
            payloads = self._read_again(first, last)
            if len(payloads) != part.count:
                raise ValueError(f"events {first:,} to {last:,} are no longer stored as they were")
            part.payloads = payloads
        else:
            self._used.remove(part)
            self._size -= part.size
        self._hold(part)
        return part.payloads

    def _hold(self, part: _Part) -> None:
        self._used.append(part)
        self._size += part.size
        while self._size > self._most and len(self._used) > 1:
            oldest = self._used.pop(0)
            oldest.payloads = None
            self._size -= oldest.size
