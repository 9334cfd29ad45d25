"""Reads of queues in parts: calls of our own."""

import asyncio
from bisect import bisect_right
from itertools import accumulate
from uuid import uuid4

from kubemq_nb._wire.serving import common
from kubemq_nb._wire.serving import parts as part_wire
from kubemq_nb._wire.serving.parts import Last, PartsRequest, Run
from kubemq_nb.broker.engine import transactions
from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.engine.parts import Reading, Waiting
from kubemq_nb.broker.engine.plan import Message
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.transactions import Get
from kubemq_nb.broker.handlers.calls import Answer, Context


class PartHandlers:
    """Peeks and receives whose messages go out some at a time."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._open: dict[str, tuple[Reading, asyncio.Event]] = {}  # receives that wait to be acknowledged

    async def read(self, data: bytes, context: Context) -> None:
        """ReadQueueInParts."""
        request = part_wire.read_parts_request(data)
        if not request.wait and self._queues.find(request.channel) is None:
            await context.write(part_wire.queue_part((), Last()))  # whatever its name, it holds nothing
            return
        get = Get(request.client_id, request.channel, request.limit, request.wait, auto_ack=False)
        if error := transactions.get_error(get):
            await context.write(part_wire.queue_part((), Last(error=error)))
            return
        reading = await self._found(request)
        try:
            await self._answer(reading, request, context)
        finally:
            reading.close()

    async def acknowledge(self, data: bytes, _: Context) -> bytes:
        """AcknowledgeParts."""
        reading, over = self._open.pop(part_wire.read_arrived(data), (None, None))
        if reading is None or over is None:
            raise Refused(transactions.NOT_FOUND)
        deleted: Answer[str] = Answer()
        reading.acknowledge(deleted.give)
        error = await deleted.wait()
        over.set()
        if error:
            raise Refused(error)
        return common.nothing()

    async def _found(self, request: PartsRequest) -> Reading:
        found: Answer[Reading] = Answer()
        waiting = Waiting(
            self._queues,
            self._queues.get(request.channel),
            count=request.limit,
            most=request.most,
            wait=request.wait,
            takes=not request.is_peek,
            found=found.give,
        )
        return await found.wait(waiting.cancel)

    async def _answer(self, reading: Reading, request: PartsRequest, context: Context) -> None:
        count, room = 0, request.fitting
        made: list[Run] = []
        last = Last(is_large=reading.is_large)
        while reading.left:
            if made:
                await context.write(part_wire.queue_part(made))
            messages, error = await next_part(reading)
            made = part_wire.runs_of(request.channel, messages)
            last = last._replace(error=error)
            sizes = [size for run in made for size in run.sizes()]
            fit = max(fitting(sizes, room), 0 if count else 1)
            if fit < len(messages):
                reading.stop_before(messages[fit].sequence)
                messages = messages[:fit]
                made = part_wire.runs_of(request.channel, messages)
                last = last._replace(is_cut=True)
            count += len(messages)
            room -= sum(sizes)
        last = last._replace(expired=reading.expired)
        if request.is_peek:
            await context.write(part_wire.queue_part(made, self._beside(request.channel, last)))
        elif not count or last.error:
            await context.write(part_wire.queue_part(made, last))
        else:
            await self._settled(reading, made, last, context)

    def _beside(self, channel: str, last: Last) -> Last:
        queue = self._queues.get(channel)
        if not queue.stored:
            return last
        return last._replace(delayed=self._queues.delayed(queue), held=len(queue.away))

    async def _settled(self, reading: Reading, made: list[Run], last: Last, context: Context) -> None:
        """Write the last part of a receive and wait until it is acknowledged."""
        transaction, over = str(uuid4()), asyncio.Event()
        self._open[transaction] = (reading, over)
        try:
            await context.write(part_wire.queue_part(made, last._replace(transaction=transaction)))
            await over.wait()
        finally:
            self._open.pop(transaction, None)


async def next_part(reading: Reading) -> tuple[list[Message], str]:
    """The next messages, or why they could not be read."""
    answer: Answer[tuple[list[Message], str]] = Answer()
    reading.read(lambda messages, error: answer.give((messages, error)))
    return await answer.wait()


def fitting(sizes: list[int], room: int) -> int:
    """How many messages of these sizes have no more than so many bytes together."""
    return bisect_right(list(accumulate(sizes)), room)
