"""Reading and writing streams."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from kubemq_nb._wire import large
from kubemq_nb.broker.handlers.calls import Context

UNANSWERED_BYTES = 64 * 1024 * 1024  # of one stream
PLACE_BYTES = 512  # about what one place takes that waits for its answer, beside what it answers


async def incoming(context: Context) -> AsyncIterator[bytes]:
    """What a client sends, until it says that there will be no more."""
    while (data := await context.read()) is not grpc.aio.EOF:
        large.give_back(len(data))
        yield data
        del data  # a large one must not stay in memory until the next one comes


async def for_ever() -> None:
    """Wait until the client goes."""
    await asyncio.Event().wait()


def by_line(
    answer: Callable[[bytes, Context], Awaitable[bytes]],
) -> Callable[[object, Context], Awaitable[None]]:
    """A stream of calls, one after another; one that is refused ends it as it would have ended alone."""

    async def line(_: object, context: Context) -> None:
        async for data in incoming(context):
            content = await answer(data, context)
            del data
            await context.write(content)
            del content  # as what comes in: a large one is not kept for the next one

    return line


async def deliver(
    take: Callable[[], bytes | None], wake: asyncio.Event, context: Context, pause: float = 0.0
) -> None:
    """Write what a live subscription gets, for ever, with a pause (seconds) behind each message.

    The headers go out at once: they tell the subscriber that nothing sent from now on passes it by.
    """
    await context.send_initial_metadata(())
    while True:
        await wake.wait()
        wake.clear()
        while (content := take()) is not None:
            await context.write(content)
            if pause:
                await asyncio.sleep(pause)


class OrderedAnswers:
    """Answers that come in any order and are written in the order of what they answer.

    What is answered more slowly than it comes would fill the memory: then no more is read, and the sender
    waits for the network.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open: deque[tuple[list[bytes | None], int]] = deque()  # places, and bytes of what they answer
        self._bytes = 0  # of all that is open
        self._fewer = asyncio.Event()
        self._changed = asyncio.Event()
        self._closing = False

    async def room(self) -> None:
        """Wait until so much has been answered that more may be read."""
        while self._bytes > UNANSWERED_BYTES:
            self._fewer.clear()
            await self._fewer.wait()

    def expect(self, size: int) -> Callable[[bytes | None], None]:
        """Keep the next place, of what has `size` bytes; gives what to call with its answer, or with None."""
        place: list[bytes | None] = []
        size += PLACE_BYTES
        self._open.append((place, size))
        self._bytes += size

        def give(answer: bytes | None) -> None:
            place.append(answer)
            self._changed.set()

        return give

    def close(self) -> None:
        """Nothing more will be expected."""
        self._closing = True
        self._changed.set()

    async def write(self) -> None:
        """Write answers until closed and all are written."""
        while self._open or not self._closing:
            await self._changed.wait()
            self._changed.clear()
            while self._open and self._open[0][0]:
                (answer, *_), size = self._open.popleft()
                self._bytes -= size
                self._fewer.set()
                if answer is not None:
                    await self._context.write(answer)
