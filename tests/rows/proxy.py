"""A gRPC proxy that can lie, in a thread of its own: what passes is honest until `lie` is set."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import grpc
from google.protobuf.message_factory import GetMessageClass

from kubemq_nb._wire import kubemq_pb2
from kubemq_nb._wire.methods import METHODS, path

if TYPE_CHECKING:
    from tests.rows.lies import Lie

SERVICE = kubemq_pb2.DESCRIPTOR.services_by_name["kubemq"]
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
HOLD = 0.2  # seconds for which a swap waits for the message to swap with


class Proxy:
    """Forwards every method as a stream of bytes, because on the wire a unary call is one.

    Attributes:
        lie: Told from the next message on; None is honest.
        address: Where to connect.
    """

    def __init__(self, upstream: str, token: str) -> None:
        self.lie: Lie | None = None
        self.address = ""
        self._upstream = upstream
        self._metadata = [("authorization", token)] if token else []
        self._ready = threading.Event()
        self._ending = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lying-proxy", daemon=True)

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Listen until the end of the block."""
        self._thread.start()
        assert self._ready.wait(10)
        yield self
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = grpc.aio.server(options=OPTIONS)
        async with grpc.aio.insecure_channel(self._upstream, options=OPTIONS) as self._channel:
            handlers = {name: grpc.stream_stream_rpc_method_handler(self._handler(name)) for name in METHODS}
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(SERVICE.full_name, handlers)]
            )
            self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
            await server.start()
            self._ready.set()
            await self._ending.wait()
            await server.stop(0)

    def _handler(self, name: str) -> object:
        async def forward(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
            timeout = context.time_remaining()
            method = self._channel.stream_stream(path(name))
            call = method(metadata=self._metadata, timeout=timeout)
            pump = asyncio.create_task(self._send(name, requests, call))
            try:
                await context.send_initial_metadata(tuple(await call.initial_metadata()))
                async for message in self._told(name, "response", call):
                    await context.write(message)
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            finally:
                pump.cancel()
                call.cancel()

        return forward

    async def _send(self, name: str, requests: AsyncIterator[bytes], call: grpc.aio.StreamStreamCall) -> None:
        first = True
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the reading side sees why it ended
            async for message in self._told(name, "request", requests):
                if first or METHODS[name].client_streaming:
                    await call.write(message)
                else:
                    await self._channel.unary_unary(path(name))(message, metadata=self._metadata)
                first = False
            await call.done_writing()

    async def _told(self, name: str, side: str, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The messages of one direction of one call, as the present lie has them."""
        lie = self.lie
        if lie is None or (lie.rpc, lie.side) != (name, side):
            async for message in messages:
                yield message
        elif lie.is_flow:
            async for message in FLOWS[lie.edit](messages):
                yield message
        else:
            kind = SERVICE.methods_by_name[name]
            parse = GetMessageClass(kind.input_type if side == "request" else kind.output_type).FromString
            async for message in messages:
                parsed = parse(message)
                lie.tell(parsed)
                yield parsed.SerializeToString()


async def lose(messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Every third message is lost."""
    count = 0
    async for message in messages:
        count += 1
        if count % 3:
            yield message


async def double(messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The first of every three comes twice."""
    count = 0
    async for message in messages:
        yield message
        if count % 3 == 0:
            yield message
        count += 1


async def swap(messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Every message waits for the next and comes after it; one that waits alone comes late."""
    source = aiter(messages)
    coming = asyncio.ensure_future(anext(source, None))
    try:
        while (held := await coming) is not None:
            coming = asyncio.ensure_future(anext(source, None))
            done, _ = await asyncio.wait([coming], timeout=HOLD)
            if done and (other := coming.result()) is not None:
                yield other
                coming = asyncio.ensure_future(anext(source, None))
            yield held
    finally:
        coming.cancel()


FLOWS = {"lose": lose, "double": double, "swap": swap}
