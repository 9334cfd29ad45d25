"""A responder: answers requests in the background and keeps a log of them."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from kubemq_nb.messages import Duration, Request
from kubemq_nb.session.jobs import JobStatus

if TYPE_CHECKING:
    from pandas import DataFrame

RequestHandler = Callable[[Request], object]
"""Called with each request; may be a coroutine function. See `respond` for what it may return."""


class Responder:
    """Answers requests on a channel until it is stopped; has the same face as a feed, over its log.

    Attributes:
        id: Number of the job.
        kind: "commands" or "queries".
        channel: What it listens on.
        connection: Name of its session.
        code: The line that made it.
        since: When it began.
        version: Grows with every change, so that a view repaints only then.
        last: The request that came last, or None.
    """

    id: int
    kind: str
    channel: str
    connection: str
    code: str
    since: datetime
    version: int
    last: Request | None

    @property
    def df(self) -> "DataFrame":
        """The log, oldest first, one line a request."""
        raise NotImplementedError

    def tail(self, count: int = 20) -> "DataFrame":
        """The newest lines of the log, oldest first."""
        raise NotImplementedError

    def status(self) -> JobStatus:
        """What a view shows, as of now."""
        raise NotImplementedError

    def wait(self, *, count: int | None = None, timeout: Duration = 10.0) -> bool:
        """Wait until `count` requests in all were answered (one more than now when left out), or it ended.

        Returns:
            Whether that many had been answered when the time was over.
        """
        raise NotImplementedError

    def swap(self, handler: RequestHandler) -> None:
        """Let another function answer from the next request on, without leaving the channel."""
        raise NotImplementedError

    def pause(self) -> None:
        """Freeze what is shown; answering goes on."""
        raise NotImplementedError

    def resume(self) -> None:
        """Show again what came meanwhile."""
        raise NotImplementedError

    def clear(self) -> None:
        """Let go of the log."""
        raise NotImplementedError

    def stop(self) -> None:
        """Leave the channel; the log stays readable, and the handler is not called after this."""
        raise NotImplementedError
