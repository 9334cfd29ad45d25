"""The three streams of queues. As on the real server, a client that half-closes one does not end it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

from kubemq_nb._wire.serving import common, receiving, sending
from kubemq_nb._wire.serving import streams as stream_wire
from kubemq_nb.broker.engine import transactions
from kubemq_nb.broker.engine.gathering import Gathering
from kubemq_nb.broker.engine.old_stream import Asked, OldStream, Told
from kubemq_nb.broker.engine.plan import Message
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Sent
from kubemq_nb.broker.engine.transactions import Action, Consumer, Get
from kubemq_nb.broker.handlers.calls import Answer, Context
from kubemq_nb.broker.handlers.queues import read_draft, read_drafts
from kubemq_nb.broker.handlers.streams import OrderedAnswers, for_ever, incoming


class QueueStreamHandlers:
    """Sending many, and receiving with settlement, old and new."""

    def __init__(self, queues: Queues, gathering: Gathering) -> None:
        self._queues = queues
        self._gathering = gathering

    async def upstream(self, _: object, context: Context) -> None:
        """QueuesUpstream: requests are stored and answered in the order in which they come."""
        answers = OrderedAnswers(context)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answers.write())
            async for data in incoming(context):
                self._send(data, answers.expect(len(data)))
                await answers.room()
            await for_ever()

    def _send(self, data: bytes, answer: Callable[[bytes | None], None]) -> None:
        try:
            request_id, messages, brief = sending.read_upstream(data)
        except common.Malformed as error:
            answer(sending.upstream_response("", error=str(error)))
            return
        if not messages:
            answer(sending.upstream_response(request_id, error="no messages to send"))
            return

        def reply(results: list[Sent]) -> None:
            answer(sending.upstream_response(request_id, results, brief=brief))

        self._gathering.send(len(data), partial(read_drafts, data, messages), reply)

    async def old_stream(self, _: object, context: Context) -> None:
        """StreamQueueMessage: one message at a time, invisible for a time."""
        told: asyncio.Queue[bytes | None] = asyncio.Queue()
        stream = OldStream(
            self._queues, lambda answer: told.put_nowait(told_bytes(answer)), lambda: told.put_nowait(None)
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._ask(stream, told, context))
                while (answer := await told.get()) is not None:
                    await context.write(answer)
                    del answer
                    told.task_done()
                reader.cancel()
        finally:
            stream.close()

    async def _ask(self, stream: OldStream, told: "asyncio.Queue[bytes | None]", context: Context) -> None:
        async for data in incoming(context):
            await told.join()  # a client that does not read its answers waits
            try:
                request = stream_wire.read_stream_request(data)
            except common.Malformed as error:
                told.put_nowait(stream_wire.stream_response("", 0, error=str(error)))
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
                    consumer.confirm()
                del answer  # as what comes in: a large one is not kept for the next one
            await for_ever()
        finally:
            consumer.close()

    async def _answer(self, consumer: Consumer, data: bytes) -> bytes | None:
        try:
            request = stream_wire.read_downstream(data)
        except common.Malformed as error:
            nothing = stream_wire.DownstreamRequest("", 0, "", "", 0, 0, False, "", (), "")
            return stream_wire.downstream_response(nothing, "", error=str(error))
        answer: Callable[[Consumer, stream_wire.DownstreamRequest], Awaitable[bytes | None]] = self._settle
        if request.type == stream_wire.DOWNSTREAM_GET:
            answer = self._get
        elif request.type == stream_wire.DOWNSTREAM_ACTIVE_OFFSETS:
            answer = self._active
        return await answer(consumer, request)

    async def _get(self, consumer: Consumer, request: stream_wire.DownstreamRequest) -> bytes:
        transaction = str(uuid4())
        get = Get(request.client_id, request.channel, request.limit, request.wait, request.auto_ack)
        error = transactions.get_error(get)
        if error:
            return stream_wire.downstream_response(request, transaction, error=error)
        answer: Answer[bytes] = Answer()

        def reply(messages: list[Message], _: int, reason: str) -> None:
            made = receiving.delivered(request.channel, messages)
            answer.give(stream_wire.downstream_response(request, transaction, messages=made, error=reason))

        consumer.get(transaction, get, reply)
        return await answer.wait()

    async def _active(self, consumer: Consumer, request: stream_wire.DownstreamRequest) -> bytes:
        active = consumer.active(request.transaction)
        if isinstance(active, str):
            return stream_wire.downstream_response(request, request.transaction, error=active)
        return stream_wire.downstream_response(request, request.transaction, offsets=active)

    async def _settle(self, consumer: Consumer, request: stream_wire.DownstreamRequest) -> bytes | None:
        done: Answer[str] = Answer()
        action = Action(request.type, request.transaction, request.sequences, request.target)
        consumer.settle(action, done.give)
        error = await done.wait()
        if not error:
            return None
        type = 0 if error == transactions.UNKNOWN else None
        return stream_wire.downstream_response(request, request.transaction, type=type, error=error)


def told_bytes(told: Told) -> bytes:
    """The wire form of one answer on an old stream."""
    message = None if told.message is None else next(receiving.delivered(told.channel, [told.message]))
    return stream_wire.stream_response(told.id, told.type, message, told.error)
