"""Events store: events that are kept, and can be read again from any position."""

from typing import TYPE_CHECKING

from kubemq_nb.messages import Body, Duration, End, Rows, SendResult, Start, Tags
from kubemq_nb.session.events import ErrorHandler, EventHandler
from kubemq_nb.session.feed import Feed

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session


class EventsStore:
    """Events that are kept in order: each has a sequence from 1 and the time of its storing."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        id: str | None = None,
        rows: Rows | None = None,
        client_id: str | None = None,
    ) -> "SendResult | DataFrame":
        """Store one event, or a stream of many with `rows`.

        Args:
            channel: Channel to send to; without wildcards.
            body: What to send: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body.
            tags: Text to text.
            id: Id of the event; one is made when it is left out.
            rows: Many events, sent over one stream: a DataFrame, bodies or dicts. Other options apply to each
                row that does not set its own.
            client_id: Sender to be named instead of the session's client id.

        Returns:
            The result; with `rows` a frame with one line an event, in order, refused ones with their `error`.
        """
        raise NotImplementedError

    def receive(
        self,
        channel: str,
        *,
        start: Start | None = None,
        to: End | None = None,
        count: int | None = None,
        group: str | None = None,
        timeout: Duration | None = None,
        idle: Duration | None = None,
        live: bool = False,
        keep: int = 10_000,
        client_id: str | None = None,
    ) -> "DataFrame | Feed":
        """Read stored events again, up to the last one there is, or watch from a position on.

        Each call reads under a fresh client id, so that reading again gives the same rows. With a `group`
        or a `client_id` of your own the broker remembers the position instead, and `start` counts only the
        first time.

        Args:
            channel: Channel to read.
            start: Where to begin: "new", "first", "last", "seq:N", a time, or a duration (that long ago). The
                first event when left out, new events with `live`.
            to: Where to end: "seq:N", a time, or "now"; the last event stored at the call when left out.
            count: Stop after so many.
            group: Share position and events with the other members of this group.
            timeout: Stop after so many seconds.
            idle: Stop when nothing came for so many seconds.
            live: Watch in the background: a feed, shown as a live table, instead of a frame.
            keep: Rows that the feed holds; older ones are dropped and counted.
            client_id: Name to read under, with its position remembered by the broker.
        """
        raise NotImplementedError

    def subscribe(
        self,
        channel: str,
        handler: EventHandler,
        *,
        start: Start = "new",
        group: str | None = None,
        on_error: ErrorHandler | None = None,
        keep: int = 10_000,
        client_id: str | None = None,
    ) -> Feed:
        """Call a function with each event from a position on, in the background.

        Args:
            channel: Channel to read.
            handler: Function or coroutine function of one event; what it raises is counted and kept.
            start: Where to begin: "new", "first", "last", "seq:N", a time, or a duration (that long ago).
            group: Share position and events with the other members of this group.
            on_error: Function of an exception, for errors of the handler and of the subscription.
            keep: Rows that the feed holds; older ones are dropped and counted.
            client_id: Name to read under, with its position remembered by the broker.
        """
        raise NotImplementedError
