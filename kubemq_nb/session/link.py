"""What the verbs of a session share: the connection, its clients, who we are, jobs, embedded broker."""

import os
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from kubemq_nb.client.connection import Connection
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.errors import BrokerUnavailable, RequestRejected, SessionClosed
from kubemq_nb.messages import Kind
from kubemq_nb.session.embedded import Embedded
from kubemq_nb.session.jobs import Job, Jobs

if TYPE_CHECKING:
    from kubemq_nb.client.events import EventsClient
    from kubemq_nb.client.events_store import EventsStoreClient
    from kubemq_nb.client.requests import RequestsClient
    from kubemq_nb.session.answers import Answers

Progress = Callable[[int, int], None]
"""Told how many of how many messages were sent."""


class Link:
    """One open connection, as the namespaces of a session use it.

    Attributes:
        progress: Told of the progress of long sends, when somebody wants to show it.
        seen: When each channel was last used through this session.
        read_only: Whether what sends, takes or destroys is refused.
        closed_because: Why it cannot be used any more; "" while it can.
        desk: Where requests wait for an answer by hand, as soon as there is one.
        answering: Held while a place gets its responder, or the session its desk, so that there is one.
    """

    def __init__(
        self,
        *,
        name: str,
        connection: Connection,
        client_id: str = "",
        embedded: Embedded | None = None,
        read_only: bool = False,
    ) -> None:
        self.read_only = read_only
        self.name = name
        self.connection = connection
        self.client_id = client_id or fresh_id()
        self.embedded = embedded
        self.queues = QueuesClient(connection)
        self.jobs = Jobs()
        self.seen: dict[tuple[Kind, str], datetime] = {}
        self.progress: Progress | None = None
        self.closed_because = ""
        self.desk: Answers | None = None
        self.answering = threading.RLock()
        self._owner = os.getpid()
        if embedded:
            embedded.attach(connection.reach)

    # Loaded when they are first used: a first read needs one pattern.

    @cached_property
    def events(self) -> "EventsClient":
        """The verbs of live events."""
        from kubemq_nb.client.events import EventsClient  # noqa: PLC0415

        return EventsClient(self.connection)

    @cached_property
    def events_store(self) -> "EventsStoreClient":
        """The verbs of stored events."""
        from kubemq_nb.client.events_store import EventsStoreClient  # noqa: PLC0415

        return EventsStoreClient(self.connection)

    @cached_property
    def requests(self) -> "RequestsClient":
        """The verbs of commands and queries."""
        from kubemq_nb.client.requests import RequestsClient  # noqa: PLC0415

        return RequestsClient(self.connection)

    @property
    def address(self) -> str:
        """Where the broker is, as host:port."""
        return self.connection.address

    def ready(self) -> "Link":
        """Itself, if it can be used; a private broker that died is started again first.

        Raises:
            SessionClosed: The session was closed.
            BrokerUnavailable: Its embedded broker was stopped.
        """
        self.check()
        if self.embedded:
            self.embedded.revive()
            if self.embedded.stopped:
                raise BrokerUnavailable(
                    "The embedded broker was stopped. `%kubemq broker start` starts it again with its store.",
                    address=self.address,
                )
        return self

    def check(self) -> None:
        """Do nothing, if the session is open.

        Raises:
            SessionClosed: It was closed.
        """
        if self.closed_because:
            raise SessionClosed(self.closed_because)

    def check_may_change(self, verb: str) -> None:
        """Do nothing, unless the session only looks.

        Raises:
            RequestRejected: It was connected with `read_only`.
        """
        if self.read_only:
            raise RequestRejected(
                f"{self.name} is read-only and refuses {verb}: nothing was done. "
                "Connect without read_only to send, take or destroy."
            )

    def check_may_look(self, verb: str, argument: str, why: str) -> None:
        """Do nothing, unless the session only looks: a read with this argument does more.

        Raises:
            RequestRejected: It was connected with `read_only`.
        """
        if self.read_only:
            raise RequestRejected(
                f"{self.name} is read-only and refuses {verb} with a {argument}: {why}. Nothing was done. "
                f"Leave out {argument} to look, or connect without read_only."
            )

    def used(self, kind: Kind, channel: str) -> None:
        """Remember that a channel is there."""
        self.seen[kind, channel] = datetime.now(UTC)

    def add(self, job: Job) -> None:
        """List a job, unless the session was closed meanwhile: then it ends."""
        self.jobs.add(job)
        if self.closed_because:
            job.stop()

    def report(self, total: int) -> Callable[[int], None] | None:
        """What the client tells its progress to, of so many messages; None when nobody listens."""
        progress = self.progress
        return (lambda done: progress(done, total)) if progress else None

    def close(self, because: str) -> None:
        """End all jobs, the connection, and the private broker; safe to call again.

        Each of them is ended whatever becomes of those before it, an interrupt included; what that left is
        ended by another call. In a fork nothing of that is its own: it forgets the connection, and the parent
        keeps it.
        """
        self.closed_because = self.closed_because or because
        if os.getpid() != self._owner:
            return
        with ExitStack() as ends:  # the last one first
            if self.embedded:
                ends.callback(self.embedded.leave)
            ends.callback(self.connection.close)
            if self.desk:
                ends.callback(self.desk.close)
            ends.callback(self.jobs.stop, "all")


def fresh_id() -> str:
    """A client id that nobody else has; of the characters that an events store accepts."""
    return f"kubemq-nb-{uuid.uuid4().hex[:12]}"
