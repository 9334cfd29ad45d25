"""Calls of one kind, one after another on a stream that stays open."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from kubemq_nb.client.calls import LineStream

Q = TypeVar("Q")
A = TypeVar("A")


class Line(Generic[Q, A]):
    """Makes calls by a stream that stays open, in half the time of a call by itself; one thread at a time.

    A call that ends without its answer ends the stream, so that no later one is given that answer.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._idle: LineStream[Q, A] | None = None

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._turn.locked()

    def call(self, request: Q, *, timeout: float, open: Callable[[], LineStream[Q, A] | None]) -> A | None:
        """Make a call; see `LineStream.ask` for what it raises.

        Returns:
            The answer; None, and nothing was sent, when another thread has the line or it cannot be opened.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            stream, self._idle = self._idle, None
            if stream is None or not stream.is_open:
                stream = open()
            if stream is None:
                return None
            try:
                answer = stream.ask(request, timeout=timeout)
            except BaseException:
                stream.cancel()
                raise
            self._idle = stream
            return answer
        finally:
            self._turn.release()

    def hang_up(self) -> None:
        """End the stream and its threads, unless a call is under way."""
        if self._turn.acquire(blocking=False):
            stream, self._idle = self._idle, None
            self._turn.release()
            if stream:
                stream.close()
