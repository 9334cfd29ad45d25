"""Events: live, to everybody who listens at that moment."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubemq_nb.messages import Body, Duration, Event, Rows, SendResult, Tags
from kubemq_nb.session.feed import Feed

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session

EventHandler = Callable[[Event], object]
"""Called with each event, in order; may be a coroutine function."""

ErrorHandler = Callable[[Exception], object]
"""Called with what went wrong: an error of the subscription, or one that the handler raised."""


class Events:
    """Events that are not kept: whoever listens gets them, a later subscriber does not."""

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
        """Send one event, or a stream of many with `rows`.

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
        group: str | None = None,
        count: int | None = None,
        timeout: Duration | None = None,
        live: bool = False,
        keep: int = 10_000,
        client_id: str | None = None,
    ) -> "DataFrame | Feed":
        """Collect events from now on, up to a count or a time, or watch them live.

        Args:
            channel: Channel to listen on; `*` stands for one word between dots, `>` for all that follow.
            group: Share the events with the other members of this group.
            count: Stop after so many.
            timeout: Stop after so many seconds; 10 when neither count nor timeout is given.
            live: Watch in the background: a feed, shown as a live table, instead of a frame.
            keep: Rows that the feed holds; older ones are dropped and counted.
            client_id: Name to listen under instead of the session's client id.
        """
        raise NotImplementedError

    def subscribe(
        self,
        channel: str,
        handler: EventHandler,
        *,
        group: str | None = None,
        on_error: ErrorHandler | None = None,
        keep: int = 10_000,
        client_id: str | None = None,
    ) -> Feed:
        """Call a function with each event, in the background.

        Args:
            channel: Channel to listen on; `*` stands for one word between dots, `>` for all that follow.
            handler: Function or coroutine function of one event; what it raises is counted and kept.
            group: Share the events with the other members of this group.
            on_error: Function of an exception, for errors of the handler and of the subscription.
            keep: Rows that the feed holds; older ones are dropped and counted.
            client_id: Name to listen under instead of the session's client id.
        """
        raise NotImplementedError
