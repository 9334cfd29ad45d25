"""Durable subscriptions: how far one has read, and the streams that read it.

A durable subscription is known by its client id or its group. Its readers pull: each takes what comes next
when it has written what it took before, so that the members of a group share by their own speed, and
nothing counts as read that was not handed to the network.
"""

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from operator import length_hint

from kubemq_nb.broker.engine.channel import Channel
from kubemq_nb.broker.engine.clock import SECOND, Clock
from kubemq_nb.broker.engine.plan import (
    Commit,
    Operation,
    Plan,
    ReadEvents,
    SavePosition,
    StoredEvent,
)

PAGE = 500  # events read from the store at a time
AHEAD_BYTES = 8 * 1024 * 1024  # what is kept in memory of what was stored just now
SAVE_AFTER = SECOND // 10  # a position is stored this long after it changed


class Log(Channel):
    """The events of one channel."""

    def __init__(self, id: int, name: str) -> None:
        super().__init__(id, "events_store", name)
        self.last = 0  # the last one that is stored
        self.under_way = 0  # how many are being stored
        self.last_timestamp = 0
        self.bytes = 0  # sent since the broker started
        self.last_activity = 0
        self.durables: dict[str, Durable] = {}
        self.positions: dict[str, int] = {}

    def sent(self) -> int:
        """How many events were stored since the channel was made."""
        return self.last - self.removed

    def clear(self, removed: int) -> None:
        """Be empty: the channel is deleted. Whoever reads it waits for its next event."""
        super().clear(removed)
        self.last = max(self.last, removed)
        self.bytes = self.last_activity = 0
        self.positions.clear()
        for durable in self.durables.values():
            durable.begin(self.last + 1)


class Reader:
    """One live stream; `wake` is called when there may be something to take."""

    def __init__(self, durable: "Durable", wake: Callable[[], None]) -> None:
        self.client_id = ""
        self.wake = wake
        self._durable = durable
        self._holding: list[StoredEvent] = []
        self._written = 0  # of them
        self._upcoming: Iterator[bytes] | None = None

    def take(self) -> list[bytes]:
        """What comes next, empty when there is nothing yet; what was taken before counts as read."""
        self._holding = []
        self._written = 0
        self._upcoming = None
        self._holding = self._durable.pull()
        return [event.content for event in self._holding]

    def written(self, count: int = 1) -> None:
        """The first so many of what was taken are with the network now."""
        self._written += count

    def one_by_one(self, taken: list[bytes]) -> Iterator[bytes]:
        """What was taken; each is with the network when the next one is asked for.

        The iterator itself tells how far it is: to count here would take a tenth of a stream's time.
        """
        self._upcoming = iter(taken)
        return self._upcoming

    def unwritten(self) -> list[StoredEvent]:
        """What was taken and not written."""
        if self._upcoming is None:
            return self._holding[self._written :]
        asked_for = len(self._holding) - length_hint(self._upcoming)
        return self._holding[max(0, asked_for - 1) :]

    def leave(self) -> None:
        """Read no longer; what was taken and not written goes to another reader, or to the next one."""
        left = self.unwritten()
        self._holding = []
        self._durable.leave(self, left)


class Positions:
    """Saves how far durable subscriptions have come, `SAVE_AFTER` after one of them has gone on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed: dict[Durable, None] = {}  # as a set that keeps its order
        self._is_set = False  # the alarm

    def save_soon(self, durable: "Durable") -> None:
        """Save this one with the next ones."""
        if not self._is_set:
            self._is_set = True
            self._clock.wake_beside(self._clock.now() + SAVE_AFTER, self._save)
        self._changed[durable] = None

    def forget(self, durable: "Durable") -> None:
        """Do not save this one any more: nobody reads."""
        self._changed.pop(durable, None)

    def _save(self) -> None:
        self._is_set = False
        changed, self._changed = self._changed, {}
        for durable in changed:
            durable.save()


class Durable:
    """A durable subscription on one channel.

    Args:
        next: The sequence of the first event to read; None while the store is being asked for it.
    """

    def __init__(self, log: Log, name: str, clock: Clock, commit: Commit, positions: Positions) -> None:
        self._log = log
        self._name = name
        self._clock = clock
        self._commit = commit
        self._positions = positions
        self._next: int | None = None
        self._readers: list[Reader] = []
        self._page: deque[StoredEvent] = deque()
        self._page_bytes = 0
        self._given_back: list[StoredEvent] = []
        self._reading = False

    def join(self, wake: Callable[[], None]) -> Reader:
        """Let one more stream read."""
        reader = Reader(self, wake)
        self._readers.append(reader)
        return reader

    def begin(self, sequence: int) -> None:
        """Read from this sequence on, if there is still somebody who reads."""
        if not self._readers:
            return
        self._next = max(1, sequence)
        self._page.clear()
        self._page_bytes = 0
        self._given_back.clear()
        self.save()
        self._wake()

    def leave(self, reader: Reader, left: list[StoredEvent]) -> None:
        """One stream less; what it left is read first by the others."""
        self._readers.remove(reader)
        if not self._readers:
            self._log.durables.pop(self._name, None)
            self._positions.forget(self)
        for event in left:
            heappush(self._given_back, event)
        self.save()
        self._wake()

    def arrived(self, events: list[StoredEvent]) -> None:
        """Events were stored: keep them at hand if they are what comes next."""
        if self._next == events[0].sequence and not self._reading and self._page_bytes < AHEAD_BYTES:
            self._append(events)
        self._wake()

    def pull(self) -> list[StoredEvent]:
        """What comes next: a page for a lone reader, one event for each of several."""
        self._positions.save_soon(self)
        if self._given_back:
            return [heappop(self._given_back)]
        if not self._page:
            self._read()
            return []
        if len(self._readers) > 1:
            event = self._page.popleft()
            self._page_bytes -= len(event.content)
            self._readers.append(self._readers.pop(0))
            return [event]
        taken = list(self._page)
        self._page.clear()
        self._page_bytes = 0
        return taken

    def position(self) -> int:
        """The last event up to which everything was handed over."""
        upcoming = self._page[0].sequence if self._page else self._next or 1
        waiting = [event.sequence for event in self._given_back[:1]]
        taken = [left[0].sequence for reader in self._readers if (left := reader.unwritten())]
        return min([upcoming, *waiting, *taken]) - 1

    def save(self) -> None:
        """Store the position, if it changed; of a channel that is just being deleted it is not kept."""
        position = self.position()
        if self._next is None or self._log.removals or self._log.positions.get(self._name) == position:
            return
        self._log.positions[self._name] = position
        operations: list[Operation] = self._log.channel_operations()
        operations.append(SavePosition(self._log.id, self._name, position))
        self._commit(Plan(operations=operations, done=self._log.mark_stored))

    def _read(self) -> None:
        if self._next is None or self._reading or self._next > self._log.last:
            return
        self._reading = True
        operation = ReadEvents(self._log.id, self._next, PAGE)
        self._commit(Plan(operations=[operation], done=self._read_done, failed=self._read_failed))

    def _read_done(self, results: list[list[StoredEvent]]) -> None:
        self._reading = False
        events = [event for event in results[0] if event.sequence >= (self._next or 0)]
        if events:
            self._append(events)
        else:
            self._next = self._log.last + 1  # what is missing was damaged and set aside
        self._wake()

    def _read_failed(self, _: str) -> None:
        self._reading = False
        self._clock.wake_at(self._clock.now() + SECOND, self._wake)

    def _append(self, events: list[StoredEvent]) -> None:
        self._page.extend(events)
        self._page_bytes += sum(len(event.content) for event in events)
        self._next = events[-1].sequence + 1

    def _wake(self) -> None:
        for reader in list(self._readers):
            reader.wake()
