"""StreamQueueMessage, the older transaction: one stream, one message, a time during which it stays invisible.

Whoever goes away while holding a message costs it a try and its place, as on the real server. So the store
notes what such a stream holds, and a broker that was killed does the same to it when it starts again.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import RETRY, SECOND, Alarm
from kubemq_nb.broker.engine.delivery import Poll
from kubemq_nb.broker.engine.plan import HoldMessage, Message, MoveMessage, Plan
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Draft, draft_error, is_storable
from kubemq_nb.broker.engine.sequences import Sequences
from kubemq_nb.broker.engine.settling import Settlement

RECEIVE, ACK, REJECT, EXTEND, RESEND, MODIFY = range(1, 7)


class Asked(NamedTuple):
    """One request on the stream; times in seconds."""

    id: str
    client_id: str
    type: int
    channel: str
    visibility: int
    wait: int
    sequence: int
    modified: Draft | None


class Told(NamedTuple):
    """One answer on the stream."""

    id: str
    type: int
    channel: str = ""
    message: Message | None = None
    error: str = ""


class OldStream:
    """One stream, from its first request to its end.

    Args:
        tell: Gets every answer, in order.
        end: Called when the stream is over; nothing is told after that.
    """

    def __init__(self, queues: Queues, tell: Callable[[Told], None], end: Callable[[], None]) -> None:
        self._queues = queues
        self._tell = tell
        self._end = end
        self._poll: Poll | None = None
        self._queue: Queue | None = None
        self._held: Message | None = None
        self._receiving: Asked | None = None
        self._latest = Asked("", "", 0, "", 0, 0, 0, None)
        self._alarm: Alarm | None = None
        self._over = False

    def ask(self, asked: Asked) -> None:
        """Take one request; it is answered now or later."""
        if self._over:
            return
        self._latest = asked
        error = request_error(asked) or self._state_error(asked)
        if error:
            kind = asked.type if RECEIVE <= asked.type <= MODIFY else 0
            self._tell(Told(asked.id, kind, error=error))
        elif asked.type == RECEIVE:
            self._receive(asked)
        elif asked.type == EXTEND:
            self._wind(asked.visibility)
            self._tell(Told(asked.id, EXTEND))
        else:
            self._settle(asked)

    def close(self) -> None:
        """The client has gone: a message that it holds goes behind the others, and the try counts."""
        self._stop()
        if self._poll is not None:
            self._poll.cancel()
        self._give_back(lambda: None)

    def _state_error(self, asked: Asked) -> str:
        if asked.type == RECEIVE:
            return rules.text(128) if self._receiving else ""
        if asked.type == EXTEND:
            return ""
        if self._held is None:
            return rules.text({REJECT: 137, RESEND: 126}.get(asked.type, 124))
        mismatch = asked.type in (ACK, REJECT) and asked.sequence != self._held.sequence
        return rules.text(125) if mismatch else ""

    def _receive(self, asked: Asked) -> None:
        self._receiving = asked
        self._queue = self._queues.get(asked.channel)
        until = self._queues.clock.now() + (asked.wait or 1) * SECOND
        self._poll = Poll(self._queues, self._queue, 1, until, self._collected)

    def _collected(self, taken: Sequences, _: int) -> None:
        asked, queue = self._receiving, self._queue
        assert asked is not None
        assert queue is not None
        sequences = list(taken)
        if not sequences:
            self._finish(Told(asked.id, RECEIVE, error=rules.text(138)))
            return

        def failed(reason: str) -> None:
            queue.put_back(sequences)
            self._finish(Told(asked.id, RECEIVE, error=reason))

        self._queues.commit(
            Plan(
                operations=[HoldMessage(queue.id, sequences[0])],
                done=lambda results: self._holding(asked, queue, sequences, results[0]),
                failed=failed,
            )
        )

    def _holding(self, asked: Asked, queue: Queue, sequences: Sequence[int], found: list[Message]) -> None:
        if not found:  # it was damaged and is set aside: wait for the next one
            queue.drop(sequences, 0)
            if not self._over:
                self._receive(asked)
            return
        message = found[0]
        if self._over:
            return_unseen(self._queues, queue, message)
            return
        self._held = message._replace(content=b"")
        self._wind(asked.visibility)
        self._tell(Told(asked.id, RECEIVE, queue.name, message))

    def _settle(self, asked: Asked) -> None:
        held, queue = self._held, self._queue
        assert held is not None
        assert queue is not None
        self._held = None
        self._stop_alarm()
        settlement = Settlement(self._queues)
        if asked.type == ACK:
            settlement.ack(queue, [held])
        elif asked.type == REJECT:
            settlement.give_back(queue, held)
        elif asked.type == RESEND:
            settlement.resend(queue, held, self._queues.get(asked.channel))
        else:
            assert asked.modified is not None
            settlement.replace(queue, held, asked.modified)

        def failed(reason: str) -> None:
            self._held = held
            if self._over:
                self._give_back(lambda: None)
                return
            self._tell(Told(asked.id, asked.type, error=reason))
            self._wind(self._receiving.visibility if self._receiving else 0)

        settlement.commit(lambda: self._finish(Told(asked.id, asked.type)), failed)

    def _expire(self) -> None:
        told = Told(self._latest.id, self._latest.type, error=rules.text(129))
        if self._held is None:
            if self._poll is not None:
                self._poll.cancel()
            self._finish(told)
        else:
            self._give_back(lambda: self._finish(told))

    def _give_back(self, done: Callable[[], None]) -> None:
        held, self._held = self._held, None
        if held is None or self._queue is None:
            return
        settlement = Settlement(self._queues)
        settlement.give_back(self._queue, held)
        queue = self._queue

        def failed(_: str) -> None:
            queue.put_back([held.sequence])
            done()

        settlement.commit(done, failed)

    def _finish(self, told: Told) -> None:
        if not self._over:
            self._tell(told)
            self._stop()
            self._end()

    def _stop(self) -> None:
        self._over = True
        self._stop_alarm()

    def _wind(self, visibility: int) -> None:
        self._stop_alarm()
        until = self._queues.clock.now() + (visibility or rules.DEFAULT_VISIBILITY) * SECOND
        self._alarm = self._queues.clock.wake_at(until, self._expire)

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def request_error(asked: Asked) -> str:
    """The text of the first rule that a request breaks whatever is held, or nothing."""
    if not asked.client_id:
        return rules.text(101)
    check = CHECKS.get(asked.type)
    return check(asked) if check else rules.text(132)


def receive_error(asked: Asked) -> str:
    """The text of the first rule that receiving breaks, or nothing; in the order of the real server."""
    if rules.queue_error(asked.channel):
        return rules.text(120)
    if not 0 <= asked.visibility <= rules.MAX_VISIBILITY:
        return rules.text(127)
    if not 0 <= asked.wait <= rules.MAX_WAIT:
        return rules.text(136)
    return "" if is_storable(asked.channel) else rules.text(121)


def sequence_error(asked: Asked) -> str:
    """Why a request names no message, or nothing."""
    return "" if asked.sequence else rules.text(125)


def extend_error(asked: Asked) -> str:
    """Why a visibility is not one, or nothing."""
    return "" if 0 <= asked.visibility <= rules.MAX_VISIBILITY else rules.text(127)


def resend_error(asked: Asked) -> str:
    """Why a queue cannot be sent to, or nothing."""
    if rules.queue_error(asked.channel):
        return rules.text(120)
    return "" if is_storable(asked.channel) else rules.text(130)


def modify_error(asked: Asked) -> str:
    """Why the modified message cannot be sent, or nothing."""
    return rules.text(131) if asked.modified is None else draft_error(asked.modified)


CHECKS: dict[int, Callable[[Asked], str]] = {
    RECEIVE: receive_error,
    ACK: sequence_error,
    REJECT: sequence_error,
    EXTEND: extend_error,
    RESEND: resend_error,
    MODIFY: modify_error,
}


def return_unseen(queues: Queues, queue: Queue, message: Message) -> None:
    """Put back what was read for a client who has gone meanwhile: nobody saw it, so nothing counts.

    The store says that it is held, so that is tried until it does not.
    """

    def done(_: object) -> None:
        queue.put_back([message.sequence])

    def attempt() -> None:
        operation = MoveMessage(queue.id, message.sequence, message)  # onto itself: no longer held
        queues.commit(Plan(operations=[operation], done=done, failed=again))

    def again(_: str) -> None:
        queues.clock.wake_at(queues.clock.now() + RETRY, attempt)

    attempt()


def settle_left(queues: Queues, held: Sequence[Message]) -> None:
    """At start-up, do to what old streams held what their disconnecting would have done."""
    by_id = queues.by_id()
    for message in held:
        queue = by_id[message.queue]
        queue.ready.discard(message.sequence)
        queue.away.add(message.sequence)
        settlement = Settlement(queues)
        settlement.give_back(queue, message)
        settlement.commit(lambda: None, lambda _, q=queue, s=message.sequence: q.put_back([s]))  # type: ignore[misc]
