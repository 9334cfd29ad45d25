"""The three streams of queues. As on the real server, a client that half-closes one does not end it."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from kubemq_nb._wire import serving
from kubemq_nb.broker.engine import transactions
from kubemq_nb.broker.engine.old_stream import Asked, OldStream, Told
from kubemq_nb.broker.engine.plan import Message
from kubemq_nb.broker.engine.queues import Queues, Sent
from kubemq_nb.broker.engine.transactions import Action, Consumer, Get
from kubemq_nb.broker.handlers.calls import Answer, Context
from kubemq_nb.broker.handlers.queues import read_draft
from kubemq_nb.broker.handlers.streams import OrderedAnswers, for_ever, incoming


class QueueStreamHandlers:
    """Sending many, and receiving with settlement, old and new."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    async def upstream(self, _: object, context: Context) -> None:
        """QueuesUpstream: requests are stored and answered in the order in which they come."""
        answers = OrderedAnswers(context)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answers.write())
            async for data in incoming(context):
                self._send(data, answers.expect())
            await for_ever()

    def _send(self, data: bytes, answer: Callable[[bytes | None], None]) -> None:
        try:
            request_id, messages = serving.read_upstream(data)
        except serving.Malformed as error:
            answer(serving.upstream_response("", error=str(error)))
            return
        if not messages:
            answer(serving.upstream_response(request_id, error="no messages to send"))
            return

        def reply(results: list[Sent]) -> None:
            answer(serving.upstream_response(request_id, results))

        self._queues.send([read_draft(message) for message in messages], reply)

    async def old_stream(self, _: object, context: Context) -> None:
        """StreamQueueMessage: one message at a time, invisible for a time."""
        told: asyncio.Queue[bytes | None] = asyncio.Queue()
        stream = OldStream(
            self._queues, lambda answer: told.put_nowait(told_bytes(answer)), lambda: told.put_nowait(None)
        )
        reader = asyncio.create_task(self._ask(stream, told, context))
        try:
            while (answer := await told.get()) is not None:
                await context.write(answer)
        finally:
            reader.cancel()
            stream.close()

    async def _ask(self, stream: OldStream, told: "asyncio.Queue[bytes | None]", context: Context) -> None:
        async for data in incoming(context):
            try:
                request = serving.read_stream_request(data)
            except serving.Malformed as error:
                told.put_nowait(serving.stream_response("", 0, error=str(error)))
                continue
            draft = None if request.modified is None else read_draft(request.modified)
            stream.ask(Asked(*request[:-1], draft))

    async def downstream(self, _: object, context: Context) -> None:
        """QueuesDownstream: one request after another; settling says something only when it fails."""
        consumer = Consumer(self._queues)
        try:
            async for data in incoming(context):
                answer = await self._answer(consumer, data)
                if answer is not None:
                    await context.write(answer)
            await for_ever()
        finally:
            consumer.close()

    async def _answer(self, consumer: Consumer, data: bytes) -> bytes | None:
        try:
            request = serving.read_downstream(data)
        except serving.Malformed as error:
            nothing = serving.DownstreamRequest("", 0, "", "", 0, 0, False, "", (), "")
            return serving.downstream_response(nothing, "", error=str(error))
        answer: Callable[[Consumer, serving.DownstreamRequest], Awaitable[bytes | None]] = self._settle
        if request.type == serving.DOWNSTREAM_GET:
            answer = self._get
        elif request.type == serving.DOWNSTREAM_ACTIVE_OFFSETS:
            answer = self._active
        return await answer(consumer, request)

    async def _get(self, consumer: Consumer, request: serving.DownstreamRequest) -> bytes:
        transaction = str(uuid4())
        get = Get(request.client_id, request.channel, request.limit, request.wait, request.auto_ack)
        error = transactions.get_error(get)
        if error:
            return serving.downstream_response(request, transaction, error=error)
        answer: Answer[bytes] = Answer()

        def reply(messages: list[Message], _: int, reason: str) -> None:
            made = serving.delivered(request.channel, messages)
            answer.give(serving.downstream_response(request, transaction, messages=made, error=reason))

        consumer.get(transaction, get, reply)
        return await answer.wait()

    async def _active(self, consumer: Consumer, request: serving.DownstreamRequest) -> bytes:
        active = consumer.active(request.transaction)
        if isinstance(active, str):
            return serving.downstream_response(request, request.transaction, error=active)
        return serving.downstream_response(request, request.transaction, offsets=active)

    async def _settle(self, consumer: Consumer, request: serving.DownstreamRequest) -> bytes | None:
        done: Answer[str] = Answer()
        action = Action(request.type, request.transaction, request.sequences, request.target)
        consumer.settle(action, done.give)
        error = await done.wait()
        if not error:
            return None
        type = 0 if error == transactions.UNKNOWN else None
        return serving.downstream_response(request, request.transaction, type=type, error=error)


def told_bytes(told: Told) -> bytes:
    """The wire form of one answer on an old stream."""
    message = None if told.message is None else serving.delivered(told.channel, [told.message])[0]
    return serving.stream_response(told.id, told.type, message, told.error)
