"""The unary calls of queues."""

from collections.abc import Sequence
from functools import partial

import grpc

from kubemq_nb import rules
from kubemq_nb._wire.serving import common, receiving, sending
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.delivery import AckAll, Peek, Receive
from kubemq_nb.broker.engine.gathering import Gathering
from kubemq_nb.broker.engine.plan import Message
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Draft, Fields, Sent, is_storable
from kubemq_nb.broker.handlers.calls import Answer, Context


def read_draft(data: bytes) -> Draft:
    """A message as its sender gives it; one that does not decode becomes one that is refused."""
    try:
        return tuple.__new__(Draft, sending.read_message(data))  # a third of what its constructor takes
    except common.Malformed as error:
        return Draft(common.new_id(), "", "", True, b"", b"", error=str(error))


def read_drafts(request: bytes, messages: Sequence[bytes]) -> Sequence[Fields]:
    """All messages of a request: together, or one by one where one does not decode."""
    try:
        return list(sending.read_messages(request, messages))
    except common.Malformed:
        return [read_draft(message) for message in messages]


class QueueHandlers:
    """Sending, receiving, peeking, emptying and asking about queues."""

    def __init__(self, queues: Queues, gathering: Gathering) -> None:
        self._queues = queues
        self._gathering = gathering

    async def send(self, data: bytes, _: Context) -> bytes:
        """SendQueueMessage."""
        answer: Answer[bytes] = Answer()
        self._gathering.send(
            len(data),
            lambda: [read_draft(data)],
            lambda results: answer.give(sending.send_result(results[0])),
        )
        return await answer.wait()

    async def send_batch(self, data: bytes, context: Context) -> bytes:
        """SendQueueMessagesBatch."""
        batch_id, messages = sending.read_batch(data)
        if not messages:
            await context.abort(grpc.StatusCode.UNKNOWN, "empty messages batch")
        answer: Answer[list[Sent]] = Answer()
        self._gathering.send(len(data), partial(read_drafts, data, messages), answer.give)
        return sending.batch_response(batch_id, await answer.wait(), have_errors=False)

    async def receive(self, data: bytes, context: Context) -> None:
        """ReceiveQueueMessages, the auto-acknowledged receive and the peek; writes its one answer itself.

        Only who writes learns that the client had gone before the answer left; then it is all put back.
        """
        request = receiving.read_receive(data)
        error = receive_error(request)
        if error:
            await context.write(receiving.receive_response(request, error=error))
            return
        queue = self._queues.get(request.channel)
        answer: Answer[bytes] = Answer()
        kind = Peek if request.peek else Receive
        until = self._queues.clock.now() + (request.wait or 1) * SECOND
        under_way = kind(self._queues, queue, request.limit, until, partial(reply, answer, request, queue))
        try:
            await context.write(await answer.wait())
        except BaseException:
            under_way.cancel()
            raise
        under_way.confirm()

    async def ack_all(self, data: bytes, _: Context) -> bytes:
        """AckAllQueueMessages."""
        request = receiving.read_ack_all(data)
        error = ack_all_error(request)
        if error:
            return receiving.ack_all_response(request.id, 0, error)
        answer: Answer[tuple[int, str]] = Answer()
        until = self._queues.clock.now() + (request.wait or 1) * SECOND
        queue = self._queues.get(request.channel)
        under_way = AckAll(self._queues, queue, until, lambda count, reason: answer.give((count, reason)))
        return receiving.ack_all_response(request.id, *await answer.wait(under_way.cancel))

    async def info(self, data: bytes, _: Context) -> bytes:
        """QueuesInfo."""
        request_id, name = receiving.read_info(data)
        queues = [queue for queue in self._queues if queue.stored and name in ("", queue.name)]
        return receiving.info_response(request_id, [self._figures(queue) for queue in queues])

    def _figures(self, queue: Queue) -> receiving.QueueFigures:
        there = [*queue.ready.ranges()[:1], *queue.away.ranges()[:1]]
        return receiving.QueueFigures(
            name=queue.name,
            messages=len(queue.ready) + len(queue.away),
            bytes=queue.bytes,
            first_sequence=min((start for start, _ in there), default=0),
            last_sequence=queue.last_sequence,
            sent=queue.sent(),
            delivered=queue.delivered,
            waiting=queue.waiting(),
            subscribers=len(queue.waiters),
            delayed=self._queues.delayed(queue),
            held=len(queue.away),
        )


def reply(
    answer: Answer[bytes],
    request: receiving.ReceiveRequest,
    queue: Queue,
    messages: Sequence[Message],
    expired: int,
    error: str,
) -> None:
    """Answer a unary receive or peek."""
    made = receiving.delivered(queue.name, messages)
    answer.give(receiving.receive_response(request, made, count=len(messages), expired=expired, error=error))


def receive_error(request: receiving.ReceiveRequest) -> str:
    """The text of the first rule that a receive breaks, or nothing; in the order of the real server."""
    if not request.client_id:
        return rules.text(101)
    if rules.queue_error(request.channel):
        return rules.text(120)
    if not 1 <= request.limit <= rules.MAX_MESSAGES:
        return rules.text(122)
    if not 0 <= request.wait <= rules.MAX_WAIT:
        return rules.text(136)
    return "" if is_storable(request.channel) else rules.text(121)


def ack_all_error(request: receiving.AckAllRequest) -> str:
    """The text of the first rule that emptying a queue breaks, or nothing; in the real server's order."""
    if not request.client_id:
        return rules.text(101)
    if rules.queue_error(request.channel):
        return rules.text(120)
    if not 0 <= request.wait <= rules.MAX_WAIT:
        return rules.text(136)
    return "" if is_storable(request.channel) else rules.text(121)
