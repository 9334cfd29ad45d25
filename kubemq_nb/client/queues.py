"""Queues: send, peek, receive, ack_all, info."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemq_nb._wire import codec, large, queue_requests, status
from kubemq_nb._wire.queue_requests import Settling
from kubemq_nb.client import batches, checks
from kubemq_nb.client.calls import Cancellation
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.counts import NONE, QueueInfo, Waiting, queue_counts, waiting
from kubemq_nb.client.downstream import Downstream
from kubemq_nb.client.ids import new_id
from kubemq_nb.client.outgoing import Messages, Rows
from kubemq_nb.client.parts import PEEK_BYTES, UNCONFIRMED, InParts, Received, Sink
from kubemq_nb.client.results import Results
from kubemq_nb.errors import KubeMQError, NotSupported, RequestRejected
from kubemq_nb.messages import QueueMessage, SendResult
from kubemq_nb.rules import MAX_MESSAGE_BYTES, MAX_MESSAGES

__all__ = ["QueueInfo", "QueuesClient", "Received"]

UNNAMED = "What cannot be read stays in its queue."


class QueuesClient:
    """The verbs of queues over one channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: QueueMessage) -> SendResult:
        """Send one message; an id is made when it has none. Refusal raises RequestRejected."""
        checks.check_queue_message(message)
        name = message.channel
        size = len(message.body)
        attempt = self._connection.attempt(f"the send to {name}", channel=name, effect=True, size=size)
        wire = codec.encode_queue_message(message, id=new_id())
        answer = self._connection.call(self._connection.stub.send_queue_message, wire, attempt)
        if answer.IsError:
            raise status.refusal(answer.Error, attempt)
        return codec.decode_send_result(answer, channel=message.channel)

    def send_batch(
        self, messages: Sequence[QueueMessage], *, progress: Callable[[int], None] | None = None
    ) -> list[SendResult]:
        """Send many in order; one result a message, refusals are results with `error`.

        `progress` is called, from another thread, with the number answered so far. When the connection breaks
        in between, OutcomeUnknown carries the results so far (`.results`).
        """
        return batches.send(self._connection, Messages(messages), progress=progress).single()

    def send_rows(
        self,
        common: QueueMessage,
        columns: Mapping[str, Sequence[Any]],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> Results:
        """The same of messages in columns, each completed by `common`; see client.outgoing.Rows."""
        return batches.send(self._connection, Rows(common, columns), progress=progress)

    def peek(
        self, channel: str, *, count: int, wait: float, client_id: str, sink: Sink | None = None
    ) -> Received:
        """Look at up to `count` from the head; waits (whole seconds, rounded up) only while it is empty.

        A sink gets the payloads in parts, as they come, in another thread.
        """
        self._check(channel, count, wait, client_id)
        if count > MAX_MESSAGES:
            raise RequestRejected(
                f"A peek shows at most {MAX_MESSAGES:,} messages, not {count:,} (error 122).",
                channel=channel,
                number=122,
            )

        def work(cancellation: Cancellation) -> Received:
            return self._in_parts(
                channel, client_id, sink, cancellation, lambda parts: parts.peek(count, wait)
            ) or _handed_over(self._peek(channel, count, wait, client_id, cancellation), sink)

        return self._connection.run(work, kind="peek", channel=channel)

    def receive(
        self,
        channel: str,
        *,
        count: int,
        wait: float,
        client_id: str,
        sink: Sink | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Received:
        """Take up to `count`; answers with what is there, and waits up to `wait` seconds only for the first.

        Messages are acknowledged when all of them are in hand: an interrupt before gives them all back, one
        after is too late, and the call ends as if there had been none. A wait under 1 s is 1 s, but 0 is no
        wait. A sink gets the payloads as that of `peek`. When it has all of them, `meanwhile` may be called
        in the same thread, while they are being acknowledged.
        """
        self._check(channel, count, wait, client_id)

        def work(cancellation: Cancellation) -> Received:
            return self._in_parts(
                channel,
                client_id,
                sink,
                cancellation,
                lambda parts: parts.receive(count, wait, meanwhile=meanwhile),
            ) or _fitting(
                count, lambda fewer: self._receive(channel, fewer, wait, client_id, cancellation, sink)
            )

        return self._connection.run(work, kind="receive", channel=channel)

    def ack_all(self, channel: str, *, client_id: str) -> int:
        """Remove all that wait; the number removed, expired ones included."""
        self._check(channel, 1, 0, client_id)
        attempt = self._attempt(f"the removal of all messages from {channel}", channel, wait=1.0, effect=True)
        request = queue_requests.ack_all(channel, client_id=client_id)

        def work(cancellation: Cancellation) -> bytes:
            method = self._connection.stub.ack_all_queue_messages
            return self._connection.wait_for(method, request, attempt, cancellation)

        answer = queue_requests.read_ack_all(self._connection.run(work, kind="ack_all", channel=channel))
        if answer.IsError:
            raise status.refusal(answer.Error, attempt)
        return answer.AffectedMessages

    def info(self, channel: str = "") -> list[QueueInfo] | None:
        """Counts of one queue or, for "", of all; None when this server does not tell."""
        return queue_counts(self._connection, channel)

    def _check(self, channel: str, count: int, wait: float, client_id: str) -> None:
        checks.check_queue(channel)
        checks.check_client_id(client_id, channel=channel)
        checks.check_bounds(channel, count=count, wait=wait)

    def _attempt(self, what: str, channel: str, *, wait: float = 0.0, effect: bool = False) -> status.Attempt:
        return self._connection.attempt(what, channel=channel, wait=wait, effect=effect)

    def _in_parts(
        self,
        channel: str,
        client_id: str,
        sink: Sink | None,
        cancellation: Cancellation,
        read: Callable[[InParts], Received | None],
    ) -> Received | None:
        """Read from a broker of ours; None from others, which are asked once, and of what is large."""
        if not self._connection.has_parts:
            return None
        payloads: list[bytes] = []
        parts = InParts(
            self._connection,
            channel,
            client_id=client_id,
            sink=sink or payloads.extend,
            cancellation=cancellation,
        )
        try:
            received = read(parts)
        except NotSupported:
            self._connection.has_parts = False
            return None
        return received and received._replace(payloads=payloads)

    def _peek(
        self, channel: str, count: int, wait: float, client_id: str, cancellation: Cancellation
    ) -> Received:
        """Ask for no more than is there, because a look for more lasts its whole wait."""

        def look(fewer: int, wait: float, average: int = 0) -> Received:
            what = f"the peek at {channel}"
            size = min(fewer * average, MAX_MESSAGE_BYTES)
            attempt = self._connection.attempt(what, channel=channel, wait=max(wait, 1.0), size=size)
            return self._look(attempt, fewer, wait, client_id, cancellation)

        there = waiting(self._connection, channel)
        if there is None:
            return _fitting(count, lambda fewer: look(fewer, wait))
        if not there.messages:
            first = look(1, wait) if wait else Received(payloads=[], expired=0)
            there = waiting(self._connection, channel) or NONE
            if not first.payloads or count == 1 or there.messages <= 1:
                return _beside(first, there)
        # A broker hands over what fits into one answer, which is far more than is shown.
        asked = wanted = min(count, there.messages)
        if there.average:
            asked = min(wanted, 1 + 2 * PEEK_BYTES // there.average)
        while True:
            received = _fitting(asked, lambda fewer: look(fewer, 1.0, there.average))
            if received.cut or asked == wanted:
                return _beside(received, there)
            asked = min(wanted, 4 * asked)

    def _look(
        self, attempt: status.Attempt, count: int, wait: float, client_id: str, cancellation: Cancellation
    ) -> Received:
        assert attempt.channel
        request = queue_requests.peek(attempt.channel, count=count, wait=wait, client_id=client_id)
        look = self._connection.stub.receive_queue_messages
        # Nothing keeps the bytes of the answer: with large messages each copy counts.
        answer = queue_requests.read_look(self._connection.wait_for(look, request, attempt, cancellation))
        if answer.IsError:
            raise status.refusal(answer.Error, attempt)
        payloads = list(answer.Messages)
        shown = _within(payloads, PEEK_BYTES)
        return Received(payloads=shown, expired=answer.MessagesExpired, cut=len(shown) < len(payloads))

    def _receive(
        self,
        channel: str,
        count: int,
        wait: float,
        client_id: str,
        cancellation: Cancellation,
        sink: Sink | None,
    ) -> Received:
        downstream = Downstream(self._connection, channel, client_id=client_id)
        cancellation.attach(downstream)
        try:
            downstream.collect(count=count, wait=wait)
            if not downstream.payloads:
                return Received(payloads=[])
            received = _handed_over(Received(payloads=downstream.payloads), sink)
            cancellation.commit()
            return received._replace(note=_acknowledged(downstream, channel))
        finally:
            downstream.close()


def _handed_over(received: Received, sink: Sink | None) -> Received:
    """What was read at once, as if it had come in one part."""
    if sink is None:
        return received
    large.give_back(sum(map(len, received.payloads)))  # of the answer that they were taken from
    sink(received.payloads)
    return received._replace(payloads=[])


def _acknowledged(downstream: Downstream, channel: str) -> str:
    """Acknowledge what is in hand; a failure is a note, because raising would lose the messages."""
    count = len(downstream.held)
    try:
        downstream.settle(Settling.ACK, list(downstream.held), what=f"the receipt from {channel}")
    except KubeMQError:
        return UNCONFIRMED
    return UNNAMED if len(downstream.payloads) > count else ""


def _beside(received: Received, there: Waiting) -> Received:
    return received._replace(delayed=there.delayed, held=there.held)


def _within(payloads: list[bytes], limit: int) -> list[bytes]:
    """The first payloads, of `limit` bytes together, but always one."""
    total = 0
    for index, payload in enumerate(payloads):
        total += len(payload)
        if total > limit and index:
            return payloads[:index]
    return payloads


def _fitting(count: int, read: Callable[[int], Received]) -> Received:
    """Read as many as one gRPC message carries: half as many after each refusal."""
    asked = count
    while True:
        try:
            received = read(count)
        except status.TooLarge:
            if count == 1:
                raise
            count //= 2
            continue
        return received if count == asked else received._replace(cut=True)
