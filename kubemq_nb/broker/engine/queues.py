"""All queues: finding them, sending to them, and bringing them back from the store."""

from collections.abc import Callable, Iterable, Iterator

from kubemq_nb.broker.engine.clock import RETRY, SECOND, Clock
from kubemq_nb.broker.engine.plan import Commit, Content, LoadQueue, Message, Plan, QueueContent
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.schedule import Schedule
from kubemq_nb.broker.engine.sending import Draft, Fields, Sending, Sent, accept, draft_error, made
from kubemq_nb.rules import MAX_RECEIVE_COUNT


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
        self._schedule = Schedule(clock, commit, self.release, self.reload)

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

    def send(self, drafts: Iterable[Fields], reply: Callable[[list[Sent]], None]) -> None:
        """Store messages and answer with one result for each, in order; bad ones do not stop the others."""
        sending = self.sending(drafts)

        def done(_: object) -> None:
            sending.stored()
            reply(sending.results)

        def failed(reason: str) -> None:
            self.reload(sending.queues)
            sending.failed()
            reply([r if r.error else Sent(r.id, error=reason) for r in sending.results])

        if sending.operations:
            self.commit(Plan(operations=sending.operations, done=done, failed=failed))
        else:
            reply(sending.results)

    def sending(self, drafts: Iterable[Fields]) -> Sending:
        """Number messages and say what the store has to do for them."""
        now = self.clock.now()
        results: list[Sent] = []
        messages: list[Message] = []
        later: list[tuple[Queue, int, Message]] = []
        touched: dict[str, Queue] = {}
        for fields in drafts:
            id, client, channel, empty, content, md5, expiration, delay, most, dead_letter, error = fields
            queue = touched.get(channel)
            unusual = expiration or delay or most or dead_letter or error
            if queue is not None and client and not empty and not unusual:
                # As nearly all: what draft_error and accept would find, for half of the time.
                results.append(made(Sent, (id, now, 0, 0, "")))
                sequence = queue.last_sequence = queue.last_sequence + 1
                stored = queue.id, sequence, content, md5, now, 0, 0, 0, MAX_RECEIVE_COUNT, "", ""
                messages.append(made(Message, stored))
                continue
            draft = made(Draft, fields)
            if reason := draft_error(draft):
                results.append(Sent(id, error=reason))
                continue
            queue = queue or touched.setdefault(channel, self.get(channel))
            result, message = accept(draft, queue, now)
            results.append(result)
            if delay:
                later.append((queue, result.delayed_to, message))
            else:
                messages.append(message)
        return Sending(self._schedule, list(touched.values()), results, messages, later)

    def reload(self, queues: Iterable[Queue]) -> None:
        """After a failed plan, hold what the store holds; it may hold more than it could say."""
        for queue in queues:
            self._reload(queue)

    def _reload(self, queue: Queue) -> None:
        def done(results: list[QueueContent]) -> None:
            queue.reset(results[0])
            queue.serve()

        def failed(_: str) -> None:
            self.clock.wake_at(self.clock.now() + RETRY, lambda: self._reload(queue))

        self.commit(Plan(operations=[LoadQueue(queue.id)], done=done, failed=failed))

    def release(self, queue: Queue, message: Message) -> Message:
        """A delayed message as it enters its queue now."""
        now = self.clock.now()
        return message._replace(
            queue=queue.id,
            sequence=queue.next_sequence(),
            timestamp=now,
            expires_at=now + message.expiration * SECOND if message.expiration else 0,
        )
