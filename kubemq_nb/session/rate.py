"""How much came in each of the last seconds."""

import time
from collections import deque
from collections.abc import Callable

KEPT = 60  # seconds
WINDOW = 3  # full seconds that make the current rate


class Rate:
    """Counts a second. Times come from a monotonic clock in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._counts: deque[int] = deque([0], maxlen=KEPT + 1)  # the last one is the second that runs
        self._second = 0

    def add(self, count: int) -> None:
        """Count what came now."""
        self._advance()
        self._counts[-1] += count

    def history(self) -> tuple[float, ...]:
        """One figure a full second, oldest first, at most 60."""
        self._advance()
        return tuple(float(count) for count in self._counts)[:-1]

    def now(self) -> float:
        """A second, over the last three full seconds and the one that runs."""
        self._advance()
        recent = list(self._counts)[-1 - WINDOW :]
        elapsed = self._clock() - self._began - self._second
        return sum(recent) / max(len(recent) - 1 + elapsed, 1.0)

    def _advance(self) -> None:
        second = int(self._clock() - self._began)
        self._counts.extend([0] * min(second - self._second, KEPT + 1))
        self._second = second
