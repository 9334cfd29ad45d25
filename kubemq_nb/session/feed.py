"""A feed: a live subscription, its newest rows and its counters. A model; views follow it."""

from datetime import datetime
from typing import TYPE_CHECKING

from kubemq_nb.messages import Duration
from kubemq_nb.session.jobs import JobStatus

if TYPE_CHECKING:
    from pandas import DataFrame


class Feed:
    """A subscription that runs in the background and holds its newest rows.

    Attributes:
        id: Number of the job.
        kind: "events" or "events_store".
        channel: What it listens on.
        connection: Name of its session.
        code: The line that made it.
        since: When it began.
        version: Grows with every change, so that a view repaints only then.
    """

    id: int
    kind: str
    channel: str
    connection: str
    code: str
    since: datetime
    version: int

    @property
    def df(self) -> "DataFrame":
        """All rows held, oldest first."""
        raise NotImplementedError

    def tail(self, count: int = 20) -> "DataFrame":
        """The newest rows held, oldest first."""
        raise NotImplementedError

    def status(self) -> JobStatus:
        """What a view shows, as of now."""
        raise NotImplementedError

    def wait(self, *, count: int | None = None, timeout: Duration = 10.0) -> bool:
        """Wait until `count` rows in all were received (one more than now when left out), or the job ended.

        Returns:
            Whether that many had come when the time was over.
        """
        raise NotImplementedError

    def pause(self) -> None:
        """Freeze what is shown; receiving goes on."""
        raise NotImplementedError

    def resume(self) -> None:
        """Show again what came meanwhile."""
        raise NotImplementedError

    def clear(self) -> None:
        """Let go of the rows held; the channel is not touched."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the subscription; rows stay readable, and no handler is called after this."""
        raise NotImplementedError
