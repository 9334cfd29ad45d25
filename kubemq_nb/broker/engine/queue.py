"""One queue: which messages it holds, which of them are ready, and who waits for them.

A queue keeps the sequences of its messages, not the messages. `ready` are those that anyone may take;
`away` are those that somebody has taken, or that a plan under way is about. A message changes places only
when its plan is committed (`kubemq_nb.broker.engine.plan`).
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from kubemq_nb.broker.engine.channel import Channel
from kubemq_nb.broker.engine.clock import Clock
from kubemq_nb.broker.engine.expiries import Expiries
from kubemq_nb.broker.engine.plan import Message, QueueContent
from kubemq_nb.broker.engine.sequences import Sequences


class Waiter(Protocol):
    """Whoever waits for messages of a queue."""

    def serve(self) -> None:
        """Take or look at what is ready."""


class Queue(Channel):
    """One queue.

    Attributes:
        delivered: How many messages were taken out for good.
    """

    def __init__(self, id: int, name: str, clock: Clock) -> None:
        super().__init__(id, "queues", name)
        self.ready = Sequences()
        self.away = Sequences()
        self._expiries = Expiries(self.ready, {})
        self.waiters: list[Waiter] = []
        self.delivered = 0
        self.expired = 0
        self.bytes = 0
        self.last_activity = 0
        self._clock = clock

    def next_sequence(self) -> int:
        """A number that no message of this queue had before."""
        self.last_sequence += 1
        return self.last_sequence

    def arrive(self, messages: Sequence[Message], size: int) -> None:
        """Take in messages of `size` bytes, stored now in this order, without telling those who wait."""
        self.ready.add_all([message[1] for message in messages])  # by place, which is twice as fast
        for message in messages:
            if message[5]:
                self._expiries.add(message.sequence, message.expires_at)
        self.bytes += size
        self.stored = True
        self.last_activity = self._clock.now()

    def serve(self) -> None:
        """Let those who wait take what is ready, the longest waiting first."""
        for waiter in list(self.waiters):
            waiter.serve()

    def take(self, count: int) -> tuple[list[int], list[int]]:
        """Set aside the next messages: at most `count` that are alive, and the expired ones before them."""
        alive, expired = self._take_alive(count) if self._expiries else (self.ready.take(count), [])
        self._expiries.taken(alive)  # one may seem to have expired before the clock was put back
        self.away.add_all(alive)
        self.away.add_all(expired)
        return alive, expired

    def look(self, count: int) -> tuple[list[int], list[int]]:
        """The next messages at their place, at most `count` that are alive; expired ones are set aside."""
        if not self._expiries:
            return self.ready.first(count), []
        alive, expired = self._take_alive(count)
        self.ready.add_all(alive)
        self.away.add_all(expired)
        return alive, expired

    def _take_alive(self, count: int) -> tuple[list[int], list[int]]:
        now = self._clock.now()
        alive: list[int] = []
        expired: list[int] = []
        while self.ready and len(alive) < count:
            for sequence in self.ready.take(count - len(alive)):
                (expired if self._expiries.is_over(sequence, now) else alive).append(sequence)
        self._expiries.taken(expired)
        return alive, expired

    def waiting(self) -> int:
        """How many messages a consumer could have at once."""
        return len(self.ready) - self._expiries.overdue(self._clock.now())

    def put_back(self, sequences: Iterable[int]) -> None:
        """Make messages ready again at their old places, and serve those who wait."""
        for sequence in sequences:
            if self.away.discard(sequence):
                self.ready.add(sequence)
                self._expiries.returned(sequence)
        self.serve()

    def drop(self, sequences: Iterable[int], freed: int) -> int:
        """Forget messages that are deleted now; gives how many of them were set aside."""
        gone = sorted(sequences)
        before = len(self.away)
        self.away.discard_all(gone)
        self._expiries.forget(gone)
        self.bytes = max(0, self.bytes - freed)
        return before - len(self.away)

    def sent(self) -> int:
        """How many numbers were given out since the channel was made."""
        return self.last_sequence - self.removed

    def clear(self, removed: int) -> None:
        """Be empty: the channel is deleted. What somebody holds finds nothing left to settle."""
        super().clear(removed)
        self.ready.clear()
        self.away.clear()
        self._expiries = Expiries(self.ready, {})
        self.delivered = self.expired = self.bytes = self.last_activity = 0

    def reset(self, content: QueueContent) -> None:
        """Hold what the store says, but for what is away."""
        self.ready = Sequences(content.ranges)
        for sequence in self.away:
            self.ready.discard(sequence)
        self._expiries = Expiries(self.ready, dict(content.expiries))
        self.bytes = content.bytes
        self.stored = self.stored or bool(content.ranges)
