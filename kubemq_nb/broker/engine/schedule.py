"""Delayed messages: kept apart from their queue, and stored into it as new when they are due."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from kubemq_nb.broker.engine.clock import RETRY, SECOND, Alarm, Clock
from kubemq_nb.broker.engine.plan import (
    Commit,
    Delayed,
    DelayMessages,
    FindDelayed,
    Message,
    Plan,
    ReleaseDelayed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kubemq_nb.broker.engine.queue import Queue

LOOK = SECOND  # the longest that the clock is not looked at

Numbered = tuple["Queue", Delayed]


class Schedule:
    """All delayed messages, by the time when they are due.

    Args:
        release: Gives the message as it enters its queue now.
        reload: Makes a queue hold what the store holds.
    """

    def __init__(
        self,
        clock: Clock,
        commit: Commit,
        release: Callable[[Queue, Message], Message],
        reload: Callable[[Iterable[Queue]], None],
    ) -> None:
        self._clock = clock
        self._commit = commit
        self._release = release
        self._reload = reload
        self._due: list[tuple[int, int]] = []
        self._waiting: dict[int, Numbered] = {}
        self._counts: Counter[int] = Counter()
        self._last_number = 0
        self._alarm: Alarm | None = None

    def restore(self, numbered: Iterable[Numbered]) -> None:
        """Take over what the store holds; what is overdue is released at once."""
        self.add(list(numbered))
        self._last_number = max(self._waiting, default=0)

    def count(self, queue: Queue) -> int:
        """How many messages wait for a queue."""
        return self._counts[queue.id]

    def number(self, later: Sequence[tuple[Queue, int, Message]]) -> list[Numbered]:
        """Give each message a number of its own: message ids need not differ."""
        numbered: list[Numbered] = []
        for queue, due, message in later:
            self._last_number += 1
            numbered.append((queue, Delayed(self._last_number, due, message)))
        return numbered

    def operation(self, numbered: Sequence[Numbered]) -> DelayMessages:
        """What makes the store keep them."""
        return DelayMessages([item for _, item in numbered])

    def add(self, numbered: Sequence[Numbered]) -> None:
        """Wait for messages that are stored now."""
        for queue, item in numbered:
            self._waiting[item.number] = (queue, item._replace(message=item.message._replace(content=b"")))
            self._counts[queue.id] += 1
            heappush(self._due, (item.due, item.number))
        if numbered:
            self._wind()

    def look_for(self, numbered: Sequence[Numbered]) -> None:
        """Wait for those of these messages that a plan stored although it failed."""

        def done(results: list[list[int]]) -> None:
            found = set(results[0])
            self.add([each for each in numbered if each[1].number in found])

        def failed(_: str) -> None:
            self._clock.wake_at(self._clock.now() + RETRY, lambda: self.look_for(numbered))

        if numbered:
            operation = FindDelayed([item.number for _, item in numbered])
            self._commit(Plan(operations=[operation], done=done, failed=failed))

    def forget(self, queue: Queue) -> None:
        """Wait no longer for messages of a queue that is deleted."""
        for number in [n for n, (target, _) in self._waiting.items() if target is queue]:
            del self._waiting[number]
        del self._counts[queue.id]

    def _wind(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        # The time may jump, as after a laptop slept: so it is looked at again before long.
        soon = self._clock.now() + LOOK
        self._alarm = self._clock.wake_at(min(self._due[0][0], soon), self._ring) if self._due else None

    def _ring(self) -> None:
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            _, number = heappop(self._due)
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                self._counts[waiting[0].id] -= 1
                self._let_go(*waiting)
        self._wind()

    def _let_go(self, queue: Queue, item: Delayed) -> None:
        message = self._release(queue, item.message)

        def done(sizes: list[int | None]) -> None:
            if sizes[0] is None:  # damaged, or released by a commit that was thought to have failed
                self._reload([queue])
            else:
                queue.arrive([message], sizes[0])
                queue.serve()

        def failed(_: str) -> None:
            self.add([(queue, item._replace(due=self._clock.now() + RETRY))])

        self._commit(Plan(operations=[ReleaseDelayed(item.number, message)], done=done, failed=failed))
