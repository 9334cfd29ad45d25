"""Waiting for messages: taking them, looking at them, and removing all of them.

A poll takes messages as they come, so that nobody else gets them, and is done when it has as many as it
asked for or its time is over. A peek takes nothing: it looks when it can be satisfied or when its time is
over. Whoever goes away while waiting leaves everything at its place.
"""

from collections.abc import Callable, Collection, Sequence

from kubemq_nb.broker.engine.clock import RETRY, Alarm, Clock
from kubemq_nb.broker.engine.plan import (
    DeleteMessages,
    LookAtMessages,
    Message,
    Plan,
    ReturnMessages,
    TakeMessages,
    runs,
)
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sequences import Sequences

EVERYTHING = 1 << 62
DELETED_AT_ONCE = 5000

Received = Callable[[list[Message], int, str], None]
"""Gets the messages, how many expired ones were met, and the reason if nothing could be read."""


class Wait:
    """Something that happens when a queue can satisfy it, at the latest after a time."""

    def __init__(self, queue: Queue, clock: Clock, until: int) -> None:
        self.queue = queue
        self.waiting = True
        self._alarm: Alarm = clock.wake_at(until, self.finish)
        queue.waiters.append(self)

    def serve(self) -> None:
        """Look at what is ready."""
        raise NotImplementedError

    def finish(self) -> None:
        """Stop waiting and go on with what there is."""
        if self._leave():
            self.finished()

    def finished(self) -> None:
        """Go on with what there is."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop waiting because whoever waited has gone."""
        self._leave()

    def _leave(self) -> bool:
        if not self.waiting:
            return False
        self.waiting = False
        self._alarm.cancel()
        self.queue.waiters.remove(self)
        return True


class Poll(Wait):
    """Takes up to `count` messages, then calls `collected` with them and the number of expired ones met."""

    def __init__(
        self,
        queues: Queues,
        queue: Queue,
        count: int,
        until: int,
        collected: Callable[[Sequences, int], None],
    ) -> None:
        super().__init__(queue, queues.clock, until)
        self._queues = queues
        self._count = count
        self._taken = Sequences()
        self._expired = 0
        self._collected = collected
        self.serve()

    def serve(self) -> None:
        """Take what is ready."""
        alive, expired = self.queue.take(self._count - len(self._taken))
        self._taken.add_all(alive)
        self._expired += len(expired)
        remove_expired(self._queues, self.queue, expired)
        if len(self._taken) >= self._count:
            self.finish()

    def finished(self) -> None:
        """Hand over what was taken."""
        self._collected(self._taken, self._expired)

    def cancel(self) -> None:
        """Give back what was taken so far."""
        if self._leave():
            self.queue.put_back(self._taken)


class Peek(Wait):
    """Reads up to `count` messages without taking them."""

    def __init__(self, queues: Queues, queue: Queue, count: int, until: int, reply: Received) -> None:
        super().__init__(queue, queues.clock, until)
        self._queues = queues
        self._count = count
        self._expired = 0
        self._reply = reply
        self.serve()

    def confirm(self) -> None:
        """The answer is with the network, which changes nothing."""

    def serve(self) -> None:
        """Be done when there are enough."""
        if len(self.queue.ready) >= self._count and len(self._look()) >= self._count:
            self.finish()

    def finished(self) -> None:
        """Read what is at the head now."""
        expired = self._expired
        read = LookAtMessages(self.queue.id, self._look())
        self._queues.commit(
            Plan(
                operations=[read],
                done=lambda results: self._reply(results[0], max(expired, self._expired), ""),
                failed=lambda reason: self._reply([], 0, reason),
            )
        )

    def _look(self) -> list[int]:
        """The first messages that are alive; expired ones before them are removed, as by the real server."""
        alive, expired = self.queue.look(self._count)
        self._expired += len(expired)
        remove_expired(self._queues, self.queue, expired)
        return alive


class Receive:
    """A receive that deletes what it answers with; until `confirm` is called, `cancel` puts it all back."""

    def __init__(self, queues: Queues, queue: Queue, count: int, until: int, reply: Received) -> None:
        self._queues = queues
        self._queue = queue
        self._reply = reply
        self._cancelled = False
        self._given: list[Message] = []
        self._poll = Poll(queues, queue, count, until, self._collected)

    def confirm(self) -> None:
        """The answer is with the network: what it held is gone for good."""
        self._given = []

    def cancel(self) -> None:
        """The receiver has gone: everything stays in the queue, or goes back to its place."""
        self._cancelled = True
        self._poll.cancel()
        if self._given:
            restore(self._queues, self._queue, self._given)
            self.confirm()

    def _collected(self, taken: Sequences, expired: int) -> None:
        if not taken:
            self._reply([], expired, "")
            return
        sequences = list(taken)
        self._queues.commit(
            Plan(
                operations=[TakeMessages(self._queue.id, sequences)],
                done=lambda results: self._deleted(sequences, results[0], expired),
                failed=lambda reason: self._kept(sequences, reason),
            )
        )

    def _deleted(self, sequences: Sequence[int], messages: list[Message], expired: int) -> None:
        found = {message.sequence for message in messages}
        self._queue.drop(found, sum(len(message.content) for message in messages))
        self._queue.delivered += len(messages)
        if self._cancelled:
            restore(self._queues, self._queue, messages)
        else:
            self._given = messages
            self._reply(messages, expired, "")
        damaged, left = unread(sequences, found)
        self._queue.drop(damaged, 0)
        self._queue.put_back(left)

    def _kept(self, sequences: Sequence[int], reason: str) -> None:
        self._queue.put_back(sequences)
        self._queues.reload([self._queue])
        self._reply([], 0, reason)


class AckAll:
    """Takes all that is in a queue or comes during its time, then deletes it, some at a time.

    Args:
        reply: Gets how many messages are gone, expired ones included, and the reason if those are not all.
    """

    def __init__(self, queues: Queues, queue: Queue, until: int, reply: Callable[[int, str], None]) -> None:
        self._queues = queues
        self._queue = queue
        self._reply = reply
        self._gone = 0
        self._poll = Poll(queues, queue, EVERYTHING, until, self._collected)

    def cancel(self) -> None:
        """Whoever asked has gone: everything stays, unless the time was over."""
        self._poll.cancel()

    def _collected(self, taken: Sequences, expired: int) -> None:
        self._gone = expired
        self._delete(taken)

    def _delete(self, left: Sequences) -> None:
        # In parts, so that others get at the store in between.
        part = left.take(DELETED_AT_ONCE)
        if not part:
            self._reply(self._gone, "")
            return

        def done(results: list[int]) -> None:
            self._queue.delivered += self._queue.drop(part, results[0])
            self._gone += len(part)
            self._delete(left)

        def failed(reason: str) -> None:
            self._queue.put_back([*part, *left])
            self._queues.reload([self._queue])
            gone = f"{self._gone:,} messages were removed, the others were not: " if self._gone else ""
            self._reply(self._gone, f"{gone}{reason}")

        operation = DeleteMessages(self._queue.id, list(runs(part)))
        self._queues.commit(Plan(operations=[operation], done=done, failed=failed))


def unread(sequences: Sequence[int], found: Collection[int]) -> tuple[list[int], list[int]]:
    """Of messages that were to be read, those that are damaged, and those that did not fit into one answer.

    A store finds at least one sound message if there is any. So what is missing before the last one found, or
    all when none was found, is damaged and set aside; what comes after it goes back to its place.
    """
    last = max(found, default=sequences[-1])
    damaged = [s for s in sequences if s <= last and s not in found]
    return damaged, [s for s in sequences if s > last]


def remove_expired(queues: Queues, queue: Queue, sequences: Sequence[int]) -> None:
    """Delete messages that were found expired; they are never dead-lettered."""
    if not sequences:
        return
    queue.expired += len(sequences)
    queues.commit(
        Plan(
            operations=[DeleteMessages(queue.id, list(runs(sorted(sequences))))],
            done=lambda results: queue.drop(sequences, results[0]),
            failed=lambda _: queue.put_back(sequences),
        )
    )


def restore(queues: Queues, queue: Queue, messages: Sequence[Message]) -> None:
    """Put messages back that were deleted for a receiver who has gone meanwhile, each at its old place.

    They are nowhere but here until that is done, so it is tried until it is.
    """

    def done(_: object) -> None:
        # A commit that seemed to fail may have put them back before, and the queue been loaded since.
        new = [m for m in messages if m.sequence not in queue.ready and m.sequence not in queue.away]
        queue.arrive(new, sum(len(message.content) for message in new))
        queue.delivered -= len(new)
        queue.serve()

    def attempt(_: object = None) -> None:
        if (
            queue.removals
        ):  # they go with their channel, if it goes: nothing is known before that plan is over
            queues.commit(Plan(done=attempt, failed=again))
            return
        there = [message for message in messages if message.sequence > queue.removed]
        if there:
            queues.commit(Plan(operations=[ReturnMessages(there)], done=done, failed=again))

    def again(_: str) -> None:
        queues.clock.wake_at(queues.clock.now() + RETRY, attempt)

    attempt()
