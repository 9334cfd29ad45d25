"""What all handlers share: waiting for the engine's answer."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Context = Any
"""A grpc.aio ServicerContext; the library's own type is generic in ways that say nothing here."""


class Answer(Generic[T]):
    """Where the engine leaves an answer that a handler waits for.

    It does not keep it: whatever refers to this one for longer, a large answer must not stay with it.
    """

    def __init__(self) -> None:
        self._future: asyncio.Future[T] | None = asyncio.get_running_loop().create_future()

    def give(self, value: T) -> None:
        """Answer; too late when the client has gone."""
        if self._future is not None and not self._future.done():
            self._future.set_result(value)

    async def wait(self, gone: Callable[[], object] | None = None) -> T:
        """Wait for the answer, once; calls `gone` when the client goes first."""
        assert self._future is not None
        try:
            return await self._future
        except asyncio.CancelledError:
            if gone is not None:
                gone()
            raise
        finally:
            self._future = None
