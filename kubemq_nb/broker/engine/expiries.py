"""When the messages of one queue expire, and how many of those that are ready have expired by now."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from kubemq_nb.broker.engine.sequences import Sequences

SLACK = 1000  # entries that mean nothing any more, in a heap of few


class Expiries:
    """Times by sequence. What is asked of them takes time for what has expired since it was asked last.

    Args:
        ready: The sequences that anyone may take; whoever takes some says so by `taken`.
    """

    def __init__(self, ready: Sequences, times: dict[int, int]) -> None:
        self._ready = ready
        self._times = times
        self._soonest = [(at, sequence) for sequence, at in times.items()]
        heapify(self._soonest)
        self._overdue: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._times)

    def add(self, sequence: int, at: int) -> None:
        """A message that is ready expires at a time."""
        self._times[sequence] = at
        heappush(self._soonest, (at, sequence))

    def returned(self, sequence: int) -> None:
        """A message is ready again."""
        if sequence in self._times:
            heappush(self._soonest, (self._times[sequence], sequence))

    def taken(self, sequences: Iterable[int]) -> None:
        """Messages are ready no longer."""
        if self._overdue:
            self._overdue.difference_update(sequences)

    def forget(self, sequences: Iterable[int]) -> None:
        """Messages that are not ready are deleted."""
        if not self._times:
            return
        for sequence in sequences:
            self._times.pop(sequence, None)
        if len(self._soonest) > 2 * len(self._times) + SLACK:
            self._soonest = [(at, sequence) for sequence, at in self._times.items()]
            heapify(self._soonest)

    def is_over(self, sequence: int, now: int) -> bool:
        """Whether a message may no longer be delivered."""
        return 0 < self._times.get(sequence, 0) <= now

    def overdue(self, now: int) -> int:
        """How many of the messages that are ready may no longer be delivered."""
        while self._soonest and self._soonest[0][0] <= now:
            _, sequence = heappop(self._soonest)
            if self.is_over(sequence, now) and sequence in self._ready:
                self._overdue.add(sequence)
        return len(self._overdue)
