"""What becomes of messages that somebody holds: several changes, one plan, one commit."""

from collections.abc import Callable, Sequence
from typing import Any

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.plan import DeleteMessages, Message, MoveMessage, Operation, Plan, runs
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Draft

Effect = Callable[[Any], None]


class Settlement:
    """Collects what is to happen to held messages; `commit` makes it happen, all or nothing."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._operations: list[Operation] = []
        self._effects: list[Effect] = []
        self._failures: list[Callable[[], None]] = []
        self._touched: dict[str, Queue] = {}

    def ack(self, queue: Queue, messages: Sequence[Message]) -> None:
        """Delete messages."""
        sequences = sorted(message.sequence for message in messages)

        def effect(freed: int) -> None:
            queue.delivered += queue.drop(sequences, freed)

        self._do(queue, DeleteMessages(queue.id, list(runs(sequences))), effect)

    def give_back(self, queue: Queue, message: Message) -> None:
        """Put a message behind the others, counting the try; after the last one allowed it is dead-lettered.

        Without a dead-letter queue it is dropped then, as by the real server.
        """
        tries = message.receive_count + 1
        if not message.max_receive_count or tries < message.max_receive_count:
            self._move(queue, message, queue, receive_count=tries)
        elif message.dead_letter:
            self._move(
                queue,
                message,
                self._queues.get(message.dead_letter),
                receive_count=0,
                expiration=0,
                max_receive_count=0,
                dead_letter="",
                rerouted_from=queue.name,
            )
        else:
            self.ack(queue, [message])

    def resend(self, queue: Queue, message: Message, target: Queue) -> None:
        """Send a message to another queue, or behind the others of its own, as if it were new."""
        lifetime = message.expiration * SECOND
        expires_at = self._queues.clock.now() + lifetime if lifetime else 0
        self._move(
            queue,
            message,
            target,
            receive_count=0,
            max_receive_count=message.max_receive_count or rules.MAX_RECEIVE_COUNT,
            rerouted_from="",
            expires_at=expires_at,
        )

    def replace(self, queue: Queue, message: Message, draft: Draft) -> None:
        """Send another message, which breaks no rule, in the place of this one."""
        sending = self._queues.sending([draft])
        for operation in sending.operations:
            self._do(queue, operation, lambda _: None)
        self.ack(queue, [message])
        self._touched.update((target.name, target) for target in sending.queues)
        self._effects.append(lambda _: sending.stored())
        self._failures.append(sending.failed)

    def commit(self, done: Callable[[], None], failed: Callable[[str], None]) -> None:
        """Hand the plan over; `done` is called once it is committed, before anybody else sees what it did."""

        def take_effect(results: list[Any]) -> None:
            for effect, result in zip(self._effects, [*results, None], strict=False):
                effect(result)
            done()
            for queue in self._touched.values():
                queue.serve()

        def undo(reason: str) -> None:
            self._queues.reload(self._touched.values())
            for failure in self._failures:
                failure()
            failed(reason)

        self._queues.commit(Plan(operations=self._operations, done=take_effect, failed=undo))

    def _move(self, source: Queue, message: Message, target: Queue, **changes: Any) -> None:
        # A message that goes behind the others of its own queue is there only if the queue is.
        for operation in target.channel_operations() if target is not source else []:
            self._do(target, operation, lambda _: None)
        now = self._queues.clock.now()
        changes |= {"queue": target.id, "sequence": target.next_sequence(), "timestamp": now}
        moved = message._replace(**changes)

        def effect(size: int | None) -> None:
            source.drop([message.sequence], size or 0)
            if size is not None:
                target.arrive([moved], size)

        self._touched[target.name] = target
        self._do(source, MoveMessage(source.id, message.sequence, moved), effect)

    def _do(self, queue: Queue, operation: Operation, effect: Effect) -> None:
        self._touched[queue.name] = queue
        self._operations.append(operation)
        self._effects.append(effect)
