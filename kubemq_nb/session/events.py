"""Events: live, to everybody who listens at that moment."""

from pathlib import Path
from typing import TYPE_CHECKING

from kubemq_nb.frames import selecting
from kubemq_nb.frames.selecting import Selection
from kubemq_nb.messages import Body, Decode, Duration, Fields, Rows, SendResult, Tags, Where, as_seconds
from kubemq_nb.session import background, streaming
from kubemq_nb.session.feed import EventHandler, Feed
from kubemq_nb.session.link import Link
from kubemq_nb.session.live import ErrorHandler
from kubemq_nb.session.read_only import changes, changes_with

if TYPE_CHECKING:
    from pandas import DataFrame

NO_FILE = "a feed goes to no file: leave out live, or to_file"
TIMEOUT = 10.0  # seconds that a read of live events takes when nothing else ends it


class Events:
    """Events that are not kept: whoever listens gets them, a later subscriber does not."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @changes
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
            rows: Many events, sent in order: a DataFrame, bodies or dicts. A row is one JSON body with
                all its columns, or its column `body`; others are options then, before those of the call.
            client_id: Sender to be named instead of the session's client id.

        Returns:
            The result; with `rows` a frame with one line an event, in order, refused ones with their `error`.
        """
        message = streaming.Outgoing(channel, metadata, tags, client_id or self._link.client_id)
        return streaming.send(self._link, "events", message, body=body, id=id, rows=rows)

    @changes_with("group")
    def receive(
        self,
        channel: str,
        *,
        group: str | None = None,
        count: int | None = None,
        timeout: Duration | None = None,
        live: bool = False,
        keep: int = 10_000,
        to_file: str | Path | None = None,
        where: Where | None = None,
        fields: Fields | None = None,
        decode: Decode | None = None,
        client_id: str | None = None,
    ) -> "DataFrame | Feed":
        """Collect events from now on, up to a count or a time, or watch them live.

        Args:
            channel: Channel to listen on; `*` stands for one word between dots, `>` for all that follow.
            group: Share the events with the other members of this group.
            count: Stop after so many.
            timeout: Stop after so many seconds; 10 when left out.
            live: Watch in the background: a feed, shown as a live table, instead of a frame.
            keep: Rows that the feed holds; older ones are dropped and counted.
            to_file: Write the events to this .jsonl, .csv or .parquet file as they come, however many there
                are; the frame then tells how many. `rows` sends the file again, byte for byte.
            where: Of the events received, show those that match, and hold only those in a feed: a condition
                over columns, `body`, `tags` and `size`, such as `body.total > 10 and tags.k == "v"`, or
                a plain text to search for everywhere.
            fields: Parts of decoded bodies and tags to add as columns, separated by commas: `a.b,tags.k`.
            decode: How to read bodies into `decoded`: auto, text, json, hex, base64, cloudevents, msgpack,
                gzip, zstd, protobuf, protobuf:FILE:TYPE, or a function of bytes; `body` stays as it came.
            client_id: Name to listen under instead of the session's client id.
        """
        selection = selecting.of(where, fields, decode)
        if live and to_file is not None:
            raise TypeError(NO_FILE)
        if live:
            refuse_bounds(count=count, timeout=timeout)
            return self._feed(channel, None, None, group, keep, client_id, selection)
        with self._link.ready().events.subscribe(
            channel,
            client_id=client_id or self._link.client_id,
            group=group or "",
            keep=max(keep, count or 0),
        ) as stream:
            self._link.used("events", channel)
            seconds = TIMEOUT if timeout is None else as_seconds(timeout)
            return streaming.collect(
                self._link,
                "events",
                channel,
                stream,
                count=count,
                timeout=seconds,
                selection=selection,
                to_file=to_file,
            )

    @changes_with("group")
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
        return self._feed(channel, background.checked(handler), on_error, group, keep, client_id)

    def _feed(
        self,
        channel: str,
        handler: EventHandler | None,
        on_error: ErrorHandler | None,
        group: str | None,
        keep: int,
        client_id: str | None,
        selection: Selection | None = None,
    ) -> Feed:
        link = self._link.ready()
        feed = Feed(
            kind="events",
            channel=channel,
            handler=handler,
            connection=link.name,
            code=f"kq.events.receive({channel!r}, live=True)",
            keep=keep,
            on_error=on_error,
            selection=selection,
        )
        who = client_id or link.client_id
        feed.begin(
            lambda on_state: link.ready().events.subscribe(
                channel, client_id=who, group=group or "", keep=keep, on_state=on_state
            ),
            listed=link.add,
        )
        link.used("events", channel)
        return feed


def refuse_bounds(**given: object) -> None:
    """Do nothing, where none of these was given: a feed would pass it over.

    Raises:
        TypeError: One was.
    """
    if names := [name for name, value in given.items() if value is not None]:
        raise TypeError(f"a feed goes on until it is stopped: leave out live, or {', '.join(names)}")
