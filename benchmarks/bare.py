"""A bare `grpc.aio` server: what a broker in Python could reach if it had nothing to do."""

import asyncio
import threading
from typing import Any

import grpc

from benchmarks.raw import received_event
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import SERVICE

NOTHING = pb.SendQueueMessageResult(MessageID="1").SerializeToString()


class Side:
    """The server; what it streams is made before."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._address = ""
        ready = threading.Event()
        threading.Thread(target=asyncio.run, args=(self._serve(ready),), daemon=True).start()
        ready.wait(10)

    def address(self) -> str:
        """Where it listens."""
        return self._address

    def hold(self, *, channel: str, count: int) -> None:
        """Make what it streams."""
        self._events = [received_event(channel, number) for number in range(count)]

    async def _serve(self, ready: threading.Event) -> None:
        async def take(_: bytes, __: Any) -> bytes:
            return NOTHING

        async def stream(_: bytes, context: Any) -> None:
            for event in self._events:
                await context.write(event)
            await asyncio.Event().wait()

        server = grpc.aio.server()
        handlers = {
            "SendQueueMessage": grpc.unary_unary_rpc_method_handler(take),
            "SubscribeToEvents": grpc.unary_stream_rpc_method_handler(stream),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self._address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        ready.set()
        await server.wait_for_termination()
