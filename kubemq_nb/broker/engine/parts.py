"""Reads that are answered in parts: a look, or a receive that is acknowledged when all of it has arrived.

Their reader works on one part while the next one is read. They wait for the first message only. What a
receive takes is set aside until it is acknowledged; if its reader goes before, it is all at its place again.
"""

from bisect import bisect_left
from collections.abc import Callable

from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.delivery import Wait, remove_expired
from kubemq_nb.broker.engine.plan import DeleteMessages, LookAtMessages, Message, Plan, ReadMessages, runs
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues

PART = 300  # messages of a part: with fewer, what a part costs by itself counts, with more, the reader waits
PART_BYTES = 2**20

Part = Callable[[list[Message], str], None]
"""Gets the next messages, or the reason why they could not be read."""


class Reading:
    """Messages of a queue, read some at a time.

    Attributes:
        expired: How many expired ones were met before them.
        is_large: There is more than was asked for, so nothing is read or taken.
        left: How many were not read yet.
    """

    def __init__(self, queues: Queues, queue: Queue, *, takes: bool) -> None:
        self._queues = queues
        self._queue = queue
        self._takes = takes
        self._sequences: list[int] = []
        self._at = 0  # place of the next one
        self.expired = 0
        self.is_large = False

    @property
    def left(self) -> int:
        """How many were not read yet."""
        return len(self._sequences) - self._at

    def begin(self, count: int) -> int:
        """Take the next messages of the queue, or look at them; gives how many were found alive."""
        look = self._queue.take if self._takes else self._queue.look
        self._sequences, expired = look(count)
        self.expired += len(expired)
        remove_expired(self._queues, self._queue, expired)
        return self.left

    def read(self, reply: Part) -> None:
        """Read the next part."""
        part = self._sequences[self._at : self._at + PART]
        read = ReadMessages if self._takes else LookAtMessages
        self._queues.commit(
            Plan(
                operations=[read(self._queue.id, part, PART_BYTES)],
                done=lambda results: self._read(part, results[0], reply),
                failed=lambda reason: self._failed(reason, reply),
            )
        )

    def stop_before(self, sequence: int) -> None:
        """Leave this message, which was read, and all behind it."""
        at = self._at = bisect_left(self._sequences, sequence)
        left, self._sequences = self._sequences[at:], self._sequences[:at]
        self._put_back(left)

    def acknowledge(self, done: Callable[[str], None]) -> None:
        """All has arrived: delete it; `done` gets the empty text, or why that failed and all was put back."""
        taken, self._sequences = self._sequences, []

        def deleted(results: list[int]) -> None:
            self._queue.delivered += self._queue.drop(taken, results[0])
            done("")

        def failed(reason: str) -> None:
            self._put_back(taken)
            self._queues.reload([self._queue])
            done(reason)

        operation = DeleteMessages(self._queue.id, list(runs(taken)))
        self._queues.commit(Plan(operations=[operation], done=deleted, failed=failed))

    def close(self) -> None:
        """The reader goes: what is not acknowledged is at its place again."""
        taken, self._sequences = self._sequences, []
        self._at = 0
        self._put_back(taken)

    def _read(self, part: list[int], messages: list[Message], reply: Part) -> None:
        if not self._sequences:  # the reader has gone meanwhile
            return
        # What is missing before the last one found is damaged and set aside, or gone from a look.
        read = bisect_left(part, messages[-1].sequence) + 1 if messages else len(part)
        self._at += read
        if self._takes and len(messages) < read:
            damaged = {*part[:read]} - {message.sequence for message in messages}
            self._queue.drop(damaged, 0)
        reply(messages, "")

    def _failed(self, reason: str, reply: Part) -> None:
        self.close()
        reply([], reason)

    def _put_back(self, sequences: list[int]) -> None:
        if self._takes:
            self._queue.put_back(sequences)


class Waiting(Wait):
    """Waits for the first message of a reading; `found` gets the reading then, or when the time is over.

    Args:
        count: How many messages are read at most.
        most: If those have about more bytes than this, nothing is read.
        wait: Milliseconds.
        takes: Whether messages are taken, or only looked at.
    """

    def __init__(
        self,
        queues: Queues,
        queue: Queue,
        *,
        count: int,
        most: int,
        wait: int,
        takes: bool,
        found: Callable[[Reading], None],
    ) -> None:
        super().__init__(queue, queues.clock, queues.clock.now() + wait * SECOND // 1000)
        self._reading = Reading(queues, queue, takes=takes)
        self._count = count
        self._most = most
        self._found = found
        if wait or queue.waiting():
            self.serve()

    def serve(self) -> None:
        """Look at what is ready."""
        # Behind the last one that is alive nothing is looked at. Bytes are those of held messages too.
        count = min(self._count, self.queue.waiting())
        there = len(self.queue.ready) + len(self.queue.away)
        self._reading.is_large = self.queue.bytes * count > self._most * there
        if self._reading.is_large or self._reading.begin(max(1, count)):
            self.finish()

    def cancel(self) -> None:
        """Stop waiting; what was taken just now is at its place again."""
        super().cancel()
        self._reading.close()

    def finished(self) -> None:
        """Hand over what there is."""
        self._found(self._reading)
