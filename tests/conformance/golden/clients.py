"""The client side of a conversation: connections, unary calls and streams, with no opinion on the answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import grpc
from google.protobuf.message import Message

from kubemq_nb._wire.methods import METHODS as SHAPES
from kubemq_nb._wire.methods import path
from tests.conformance.golden.schema import METHODS, Plain, answer_type, plain, request, request_type
from tests.conformance.golden.templates import Mismatch

CONNECT_SECONDS = 20.0
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


class Status(NamedTuple):
    """How a call ended, in the words of gRPC."""

    code: str
    message: str


class Outcome(NamedTuple):
    """What came of a unary call: an answer, or a status that is not OK."""

    answer: Plain | None
    status: Status
    seconds: float


async def connect(address: str) -> grpc.aio.Channel:
    """A connection that is up."""
    channel = grpc.aio.insecure_channel(address, options=OPTIONS)
    try:
        await asyncio.wait_for(channel.channel_ready(), CONNECT_SECONDS)
    except TimeoutError:
        await channel.close()
        raise Mismatch(f"nobody answers at {address}") from None
    return channel


async def unary(channel: grpc.aio.Channel, method: str, values: Plain, deadline: float) -> Outcome:
    """Call a method, which the service may not have."""
    began = asyncio.get_running_loop().time()
    call = _unary_call(channel, method, values, deadline)
    code = await call.code()
    answer = _known(await call) if code is grpc.StatusCode.OK else None
    seconds = asyncio.get_running_loop().time() - began
    return Outcome(answer, Status(code.name, await call.details() or ""), seconds)


def _known(answer: Message | bytes) -> Plain:
    return plain(answer) if isinstance(answer, Message) else {}


def _unary_call(
    channel: grpc.aio.Channel, method: str, values: Plain, deadline: float
) -> "grpc.aio.UnaryUnaryCall[bytes, Message]":
    if method not in METHODS:
        return channel.unary_unary(path(method))(b"", timeout=deadline)
    call = channel.unary_unary(
        path(method), request_type(method).SerializeToString, answer_type(method).FromString
    )
    return call(request(method, values), timeout=deadline)


class Stream:
    """An open stream; a task collects what arrives.

    Attributes:
        status: How it ended; None while it is open.
    """

    def __init__(
        self,
        name: str,
        channel: grpc.aio.Channel,
        method: str,
        values: Plain,
        *,
        on_message: Callable[[Plain], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self.channel = channel
        self.method = method
        self.status: Status | None = None
        self._arrived: asyncio.Queue[Plain] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._outgoing: asyncio.Queue[Message | None] = asyncio.Queue()
        self._on_message = on_message
        self._call = self._open(values)
        self._reader = asyncio.create_task(self._read())

    def _open(self, values: Plain) -> grpc.aio.Call:
        write, read = request_type(self.method).SerializeToString, answer_type(self.method).FromString
        if SHAPES[self.method].client_streaming:
            return self.channel.stream_stream(path(self.method), write, read)(self._requests())
        return self.channel.unary_stream(path(self.method), write, read)(request(self.method, values))

    async def _requests(self) -> AsyncIterator[Message]:
        while (message := await self._outgoing.get()) is not None:
            yield message

    async def _read(self) -> None:
        with contextlib.suppress(grpc.RpcError, asyncio.CancelledError):
            async for message in self._call:
                await self._keep(plain(message))
        code = await self._call.code()
        self.status = Status(code.name, await self._call.details() or "")
        self.half_close()  # grpc goes on waiting for requests otherwise
        self._changed.set()

    async def _keep(self, message: Plain) -> None:
        if self._on_message is not None:
            await self._on_message(message)
        self._arrived.put_nowait(message)
        self._changed.set()

    def __str__(self) -> str:
        if self.status is None:
            return f"stream {self.name} is still open"
        return f"stream {self.name} ended with {self.status.code} {self.status.message!r}"

    def send(self, values: Plain) -> None:
        self._outgoing.put_nowait(request(self.method, values))

    def half_close(self) -> None:
        self._outgoing.put_nowait(None)

    def unread(self) -> list[Plain]:
        """What has arrived and was not taken."""
        return [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]

    @property
    def has_more(self) -> bool:
        """Whether something has arrived that was not taken."""
        return not self._arrived.empty()

    def take(self) -> Plain:
        """The next message that has arrived."""
        return self._arrived.get_nowait()

    async def arrival(self, until: float) -> bool:
        """Whether something arrives before `until`, on the loop's clock, and before the end."""
        await self._wait(until, lambda: self.has_more or self.status is not None)
        return self.has_more

    async def end(self, until: float) -> Status | None:
        """How it ended; None when it has not before `until`, on the loop's clock."""
        await self._wait(until, lambda: self.status is not None)
        return self.status

    async def _wait(self, until: float, condition: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()

    async def close(self) -> None:
        """Cancel it and wait until that has taken effect here."""
        self._call.cancel()
        await self._reader
