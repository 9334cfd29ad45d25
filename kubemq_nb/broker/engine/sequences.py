"""Sets of sequences kept as ranges: a queue of a million messages in order is one range."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

from kubemq_nb.broker.engine.plan import runs


class Sequences:
    """An ordered set of numbers; cheap when they lie in few runs."""

    __slots__ = ("_count", "_starts", "_stops")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        self._count = 0
        for start, stop in ranges:
            self.add(start, stop)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for start, stop in self.ranges():
            yield from range(start, stop)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number < self._stops[place]

    def ranges(self) -> list[tuple[int, int]]:
        """The runs in order, each from its first to before its second number."""
        return list(zip(self._starts, self._stops, strict=True))

    def add(self, start: int, stop: int | None = None) -> None:
        """Add a number, or all from `start` to before `stop`; none of them may be in the set already."""
        stop = start + 1 if stop is None else stop
        self._count += stop - start
        place = bisect_right(self._starts, start)
        joins_before = place > 0 and self._stops[place - 1] == start
        joins_after = place < len(self._starts) and self._starts[place] == stop
        if joins_before and joins_after:
            self._stops[place - 1] = self._stops.pop(place)
            del self._starts[place]
        elif joins_before:
            self._stops[place - 1] = stop
        elif joins_after:
            self._starts[place] = start
        else:
            self._starts.insert(place, start)
            self._stops.insert(place, stop)

    def add_all(self, numbers: Iterable[int]) -> None:
        """Add ascending numbers, a run of them at a time."""
        for start, stop in runs(numbers):
            self.add(start, stop)

    def discard_all(self, numbers: Iterable[int]) -> None:
        """Remove ascending numbers as far as they are there, a run of them at a time."""
        for start, stop in runs(numbers):
            place = bisect_right(self._starts, start) - 1
            if place >= 0 and stop <= self._stops[place]:
                self._cut(place, start, stop)
            else:
                for number in range(start, stop):
                    self.discard(number)

    def _cut(self, place: int, start: int, stop: int) -> None:
        """Take numbers out of the one run that holds them all."""
        first, after = self._starts[place], self._stops[place]
        left = [(first, start)] if first < start else []
        left += [(stop, after)] if stop < after else []
        self._starts[place : place + 1] = [run[0] for run in left]
        self._stops[place : place + 1] = [run[1] for run in left]
        self._count -= stop - start

    def discard(self, number: int) -> bool:
        """Remove a number; says whether it was there."""
        place = bisect_right(self._starts, number) - 1
        if place < 0 or number >= self._stops[place]:
            return False
        self._count -= 1
        start, stop = self._starts[place], self._stops[place]
        if number == start and number + 1 < stop:  # as when a queue is emptied in order
            self._starts[place] = number + 1
            return True
        self._starts[place : place + 1] = [s for s in (start, number + 1) if s not in (number, stop)]
        self._stops[place : place + 1] = [s for s in (number, stop) if s not in (start, number + 1)]
        return True

    def first(self, count: int) -> list[int]:
        """The lowest numbers, at most `count` of them."""
        return list(islice(self, count))

    def take(self, count: int) -> list[int]:
        """Remove and return the lowest numbers, at most `count` of them."""
        taken: list[int] = []
        while self._starts and len(taken) < count:
            start = self._starts[0]
            stop = min(self._stops[0], start + count - len(taken))
            taken.extend(range(start, stop))
            if stop == self._stops[0]:
                del self._starts[0], self._stops[0]
            else:
                self._starts[0] = stop
        self._count -= len(taken)
        return taken

    def clear(self) -> None:
        """Remove all."""
        self.__init__()  # type: ignore[misc]
