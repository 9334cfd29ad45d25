"""Queues: what each of them holds, and how messages get in.

A queue keeps the sequences of its messages, not the messages. `ready` are those that anyone may take;
`away` are those that somebody has taken, or that a plan under way is about. A message changes places only
when its plan is committed (`kubemq_nb.broker.engine.plan`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND, Clock
from kubemq_nb.broker.engine.plan import (
    AddChannel,
    Commit,
    Content,
    InsertMessages,
    LoadQueue,
    Message,
    Operation,
    Plan,
    QueueContent,
)
from kubemq_nb.broker.engine.schedule import Schedule
from kubemq_nb.broker.engine.sequences import Sequences

log = logging.getLogger(__name__)

INVALID_NAME = "stan: invalid publish request"  # the real server's storage refuses these names so


class Draft(NamedTuple):
    """A message as its sender gives it."""

    id: str
    client_id: str
    channel: str
    empty: bool  # neither metadata nor body
    content: bytes  # what Message.content will be
    md5: bytes
    expiration: int = 0  # seconds, like the next one
    delay: int = 0
    max_receive_count: int = 0
    dead_letter: str = ""
    error: str = ""  # why it could not even be read


class Sent(NamedTuple):
    """What a sender is told of one message."""

    id: str
    sent_at: int = 0
    expires_at: int = 0
    delayed_to: int = 0
    error: str = ""


class Waiter(Protocol):
    """Whoever waits for messages of a queue."""

    def serve(self) -> None:
        """Take or look at what is ready."""


class Queue:
    """One queue; a queue that nobody has sent to yet is one too.

    Attributes:
        stored: Whether the store knows its channel.
        delivered: How many messages were taken out for good.
    """

    def __init__(self, id: int, name: str, clock: Clock) -> None:
        self.id = id
        self.name = name
        self.stored = False
        self.last_sequence = 0
        self.ready = Sequences()
        self.away = Sequences()
        self.expiries: dict[int, int] = {}
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

    def arrive(self, messages: Iterable[Message], size: int) -> None:
        """Take in messages of `size` bytes that are stored now, without telling those who wait."""
        for message in messages:
            self.ready.add(message.sequence)
            if message.expires_at:
                self.expiries[message.sequence] = message.expires_at
        self.bytes += size
        self.stored = True
        self.last_activity = self._clock.now()

    def serve(self) -> None:
        """Let those who wait take what is ready, the longest waiting first."""
        for waiter in list(self.waiters):
            waiter.serve()

    def take(self, count: int) -> tuple[list[int], list[int]]:
        """Set aside the next messages: at most `count` that are alive, and the expired ones before them."""
        alive, expired = self._take_alive(count) if self.expiries else (self.ready.take(count), [])
        for sequence in alive + expired:
            self.away.add(sequence)
        return alive, expired

    def _take_alive(self, count: int) -> tuple[list[int], list[int]]:
        now = self._clock.now()
        alive: list[int] = []
        expired: list[int] = []
        while self.ready and len(alive) < count:
            for sequence in self.ready.take(count - len(alive)):
                (expired if self.is_expired(sequence, now) else alive).append(sequence)
        return alive, expired

    def is_expired(self, sequence: int, now: int) -> bool:
        """Whether a message may no longer be delivered."""
        return 0 < self.expiries.get(sequence, 0) <= now

    def waiting(self) -> int:
        """How many messages a consumer could have at once."""
        now = self._clock.now()
        return len(self.ready) - sum(at <= now and s in self.ready for s, at in self.expiries.items())

    def put_back(self, sequences: Iterable[int]) -> None:
        """Make messages ready again at their old places, and serve those who wait."""
        for sequence in sequences:
            if self.away.discard(sequence):
                self.ready.add(sequence)
        self.serve()

    def drop(self, sequences: Iterable[int], freed: int) -> None:
        """Forget messages that are deleted now."""
        for sequence in sequences:
            self.away.discard(sequence)
            self.expiries.pop(sequence, None)
        self.bytes = max(0, self.bytes - freed)

    def clear(self) -> None:
        """Be empty and new: the channel is deleted. What somebody holds finds nothing left to settle."""
        self.ready.clear()
        self.expiries.clear()
        self.last_sequence = self.delivered = self.expired = self.bytes = self.last_activity = 0

    def reset(self, content: QueueContent) -> None:
        """Hold what the store says, but for what is away."""
        self.ready = Sequences(content.ranges)
        for sequence in self.away:
            self.ready.discard(sequence)
        self.expiries = dict(content.expiries)
        self.bytes = content.bytes


class Queues:
    """All queues by name.

    Args:
        commit: Where plans go.
        new_channel: Gives the id for a channel that does not exist yet.
    """

    def __init__(self, clock: Clock, commit: Commit, new_channel: Callable[[], int]) -> None:
        self.clock = clock
        self.commit = commit
        self._new_channel = new_channel
        self._queues: dict[str, Queue] = {}
        self._schedule = Schedule(clock, commit, self.release)

    def restore(self, content: Content) -> None:
        """Take over what the store holds."""
        for channel in content.channels:
            if channel.kind == "queues":
                queue = self._queues[channel.name] = Queue(channel.id, channel.name, self.clock)
                queue.stored = True
                queue.last_sequence = channel.last_sequence
                queue.reset(content.queues.get(channel.id, QueueContent((), {}, 0)))
                queue.delivered = queue.last_sequence - len(queue.ready)
        by_id = self.by_id()
        self._schedule.restore((by_id[item.message.queue], item) for item in content.delayed)

    def __iter__(self) -> Iterator[Queue]:
        return iter(list(self._queues.values()))

    def get(self, name: str) -> Queue:
        """The queue of this name, a new one if need be."""
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(self._new_channel(), name, self.clock)
        return queue

    def find(self, name: str) -> Queue | None:
        """The queue of this name, if there is one."""
        return self._queues.get(name)

    def by_id(self) -> dict[int, Queue]:
        """All queues by the id of their channel."""
        return {queue.id: queue for queue in self._queues.values()}

    def forget_delayed(self, queue: Queue) -> None:
        """Drop the delayed messages of a queue that is deleted."""
        self._schedule.forget(queue)

    def delayed(self, queue: Queue) -> int:
        """How many messages of a queue are not due yet."""
        return self._schedule.count(queue)

    def send(self, drafts: Sequence[Draft], reply: Callable[[list[Sent]], None]) -> None:
        """Store messages and answer with one result for each, in order; bad ones do not stop the others."""
        sending = self.sending(drafts)

        def done(_: object) -> None:
            sending.stored()
            reply(sending.results)

        def failed(reason: str) -> None:
            self.reload(sending.queues)
            reply([r if r.error else Sent(r.id, error=reason) for r in sending.results])

        if sending.operations:
            self.commit(Plan(operations=sending.operations, done=done, failed=failed))
        else:
            reply(sending.results)

    def sending(self, drafts: Sequence[Draft]) -> "Sending":
        """Number messages and say what the store has to do for them."""
        now = self.clock.now()
        results: list[Sent] = []
        messages: list[Message] = []
        later: list[tuple[Queue, int, Message]] = []
        touched: dict[str, Queue] = {}
        for draft in drafts:
            error = draft_error(draft)
            if error:
                results.append(Sent(draft.id, error=error))
                continue
            queue = touched.get(draft.channel) or touched.setdefault(draft.channel, self.get(draft.channel))
            result, message = accept(draft, queue, now)
            results.append(result)
            if draft.delay:
                later.append((queue, result.delayed_to, message))
            else:
                messages.append(message._replace(sequence=queue.next_sequence()))
        return Sending(self, self._schedule, list(touched.values()), results, messages, later)

    def channel_operations(self, queues: Iterable[Queue]) -> list[Operation]:
        """What makes the store know the queues that it does not know yet."""
        return [AddChannel(queue.id, "queues", queue.name) for queue in queues if not queue.stored]

    def reload(self, queues: Iterable[Queue]) -> None:
        """After a failed plan, hold what the store holds."""
        for queue in queues:
            reset = queue.reset

            def done(results: list[QueueContent], reset: Callable[[QueueContent], None] = reset) -> None:
                reset(results[0])

            self.commit(Plan(operations=[LoadQueue(queue.id)], done=done, failed=log.error))

    def release(self, queue: Queue, message: Message) -> Message:
        """A delayed message as it enters its queue now."""
        now = self.clock.now()
        return message._replace(
            queue=queue.id,
            sequence=queue.next_sequence(),
            timestamp=now,
            expires_at=now + message.expiration * SECOND if message.expiration else 0,
        )


class Sending:
    """Messages on their way into the store.

    Attributes:
        queues: Those concerned.
        results: One for each draft, in order.
        operations: What the store has to do.
    """

    def __init__(
        self,
        queues: Queues,
        schedule: Schedule,
        touched: list[Queue],
        results: list[Sent],
        messages: list[Message],
        later: list[tuple[Queue, int, Message]],
    ) -> None:
        self.queues = touched
        self.results = results
        self._schedule = schedule
        self._messages = messages
        self._delayed = schedule.number(later)
        self.operations = queues.channel_operations(touched)
        if messages:
            self.operations.append(InsertMessages(messages))
        if self._delayed:
            self.operations.append(schedule.operation(self._delayed))

    def stored(self) -> None:
        """They are in the store: let those who wait have them."""
        self._schedule.add(self._delayed)
        by_queue: dict[int, list[Message]] = {}
        for message in self._messages:
            by_queue.setdefault(message.queue, []).append(message)
        for queue in self.queues:
            arrived = by_queue.get(queue.id, [])
            queue.arrive(arrived, sum(len(message.content) for message in arrived))
            queue.serve()


def draft_error(draft: Draft) -> str:
    """The text of the first rule that a message breaks, or nothing; in the order of the real server."""
    number = _address_error(draft) or _policy_error(draft)
    if draft.error or number:
        return draft.error or rules.text(number)
    # Where nobody can receive from, a dead letter would be lost.
    return "" if is_storable(draft.channel) and is_storable(draft.dead_letter) else INVALID_NAME


def _address_error(draft: Draft) -> int:
    if not draft.client_id:
        return 101
    if rules.queue_error(draft.channel):
        return 120
    return 110 if draft.empty else 0


def _policy_error(draft: Draft) -> int:
    if not 0 <= draft.expiration <= rules.MAX_EXPIRATION:
        return 133
    if not 0 <= draft.max_receive_count <= rules.MAX_RECEIVE_COUNT:
        return 134
    if not 0 <= draft.delay <= rules.MAX_DELAY:
        return 135
    return 120 if draft.dead_letter and rules.queue_error(draft.dead_letter) else 0


def is_storable(channel: str) -> bool:
    """Whether the real server's storage can keep a channel of this name (docs/protocol.md, section 1)."""
    return "/" not in channel and not channel.startswith(".") and ".." not in channel


def accept(draft: Draft, queue: Queue, now: int) -> tuple[Sent, Message]:
    """The result for the sender of a good message, and the message, which has no sequence yet."""
    delayed_to = now + draft.delay * SECOND if draft.delay else 0
    expires_at = now + (draft.expiration + draft.delay) * SECOND if draft.expiration else 0
    message = Message(
        queue=queue.id,
        sequence=0,
        content=draft.content,
        md5=draft.md5,
        timestamp=now,
        expires_at=expires_at,
        expiration=draft.expiration,
        receive_count=0,
        max_receive_count=draft.max_receive_count or rules.MAX_RECEIVE_COUNT,
        dead_letter=draft.dead_letter,
        rerouted_from="",
    )
    return Sent(draft.id, now, expires_at, delayed_to), message
