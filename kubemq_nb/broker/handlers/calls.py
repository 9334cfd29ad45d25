"""What all handlers share: waiting for the engine's answer, and refusing as the real server does."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

import grpc

from kubemq_nb._wire import serving
from kubemq_nb.broker.engine.events import Refused

T = TypeVar("T")

Context = Any
"""A grpc.aio ServicerContext; the library's own type is generic in ways that say nothing here."""


class Answer(Generic[T]):
    """Where the engine leaves an answer that a handler waits for."""

    def __init__(self) -> None:
        self._future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def give(self, value: T) -> None:
        """Answer; too late when the client has gone."""
        if not self._future.done():
            self._future.set_result(value)

    async def wait(self, gone: Callable[[], object] | None = None) -> T:
        """Wait for the answer; calls `gone` when the client goes first."""
        try:
            return await self._future
        except asyncio.CancelledError:
            if gone is not None:
                gone()
            raise


async def refuse(context: Context, error: serving.Malformed | Refused) -> NoReturn:
    """End a call the way the real server does: status INTERNAL, the text as its details."""
    await context.abort(grpc.StatusCode.INTERNAL, str(error))
    raise AssertionError("abort raises")
