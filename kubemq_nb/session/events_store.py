"""Events store: events that are kept, and can be read again from any position."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemq_nb import frames
from kubemq_nb._wire import codec
from kubemq_nb.frames import selecting
from kubemq_nb.frames.selecting import Selection
from kubemq_nb.messages import (
    Body,
    Decode,
    Duration,
    End,
    Fields,
    Rows,
    SendResult,
    Start,
    StartPosition,
    Tags,
    Where,
    as_seconds,
)
from kubemq_nb.session import background, streaming
from kubemq_nb.session.events import NO_FILE, TIMEOUT, refuse_bounds
from kubemq_nb.session.exporting import Export
from kubemq_nb.session.feed import EventHandler, Feed
from kubemq_nb.session.fold import FoldFunction
from kubemq_nb.session.link import Link
from kubemq_nb.session.live import ErrorHandler
from kubemq_nb.session.positions import as_end, as_start
from kubemq_nb.session.read_only import changes, changes_with
from kubemq_nb.session.scrub import ReadingJob, Scrubber

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.client.reading import Replay

_READ_ON = "what {} was sent beyond counts as read"
_OF_POSITION = {  # by what ended a read under a name whose position the broker remembers
    **dict.fromkeys(("count", "timeout", "size"), _READ_ON),
    "idle": "{} goes on where it had read to, whatever the start",
}


class EventsStore:
    """Events that are kept in order: each has a sequence from 1 and the time of its storing."""

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
        """Store one event, or a stream of many with `rows`.

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
        return streaming.send(self._link, "events_store", message, body=body, id=id, rows=rows)

    @changes_with("group", "client_id")
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
        to_file: str | Path | None = None,
        where: Where | None = None,
        fields: Fields | None = None,
        decode: Decode | None = None,
        client_id: str | None = None,
    ) -> "DataFrame | Feed":
        """Read stored events again, up to the last one there is, or watch from a position on.

        A frame holds 256 MiB of events and says where it ends; `to_file` takes any number.

        Each call reads under a fresh client id, so that reading again gives the same rows. With a `group`
        or a `client_id` of your own the broker remembers the position instead, and `start` counts only the
        first time.

        Args:
            channel: Channel to read.
            start: Where to begin: "new", "first", "last", "seq:N", a time, or a duration (that long ago). The
                first event when left out, new events with `live`.
            to: Where to end: "seq:N", a time, or "now"; the last event stored at the call when left out.
            count: Stop after so many. Under a group or a client_id of your own the broker has sent more by
                then, which counts as read: the next read under that name skips it.
            group: Share position and events with the other members of this group.
            timeout: Stop after so many seconds.
            idle: Stop when nothing came for so many seconds; 1 when left out. New events are waited for until
                `timeout`, 10 seconds when left out.
            live: Watch in the background: a feed, shown as a live table, instead of a frame.
            keep: Rows that the feed holds; older ones are dropped and counted.
            to_file: Write the events to this .jsonl, .csv or .parquet file as they come, however many there
                are; the frame then tells how many. `rows` sends the file again, byte for byte.
            where: Of the events read, show those that match, and hold only those in a feed: a condition over
                columns, `body`, `tags` and `size`, such as `body.total > 10 and tags.k == "v"`, or a plain
                text to search for everywhere.
            fields: Parts of decoded bodies and tags to add as columns, separated by commas: `a.b,tags.k`.
            decode: How to read bodies into `decoded`: auto, text, json, hex, base64, cloudevents, msgpack,
                gzip, zstd, protobuf, protobuf:FILE:TYPE, or a function of bytes; `body` stays as it came.
            client_id: Name to read under, with its position remembered by the broker; with `count` too, what
                was sent and not shown counts as read.
        """
        selection = selecting.of(where, fields, decode)
        begin = as_start(start if start is not None else "new" if live else "first")
        place: dict[str, Any] = {"group": group or "", "client_id": client_id or ""}
        if live and to_file is not None:
            raise TypeError(NO_FILE)
        if live:
            refuse_bounds(to=to, count=count, timeout=timeout, idle=idle)
            return self._feed(channel, None, None, begin, keep, place, selection)
        if begin.kind == "new":
            return self._await_new(channel, count, timeout, keep, place, selection, to_file)
        end = None if to is None else as_end(to)
        if isinstance(end, int) and begin.kind == "sequence" and end < begin.value:
            raise ValueError(
                f"nothing lies between: the end, seq:{end}, is before the start, seq:{begin.value}"
            )
        given = {"timeout": timeout, "idle": idle}
        spans: dict[str, Any] = {name: as_seconds(span) for name, span in given.items() if span is not None}
        spans |= {"start": begin, "to": end, "count": count}
        spans["progress"] = self._link.report(0)
        if to_file is not None:
            return self._replay_to_file(channel, to_file, selection, spans | place)
        replay = self._link.ready().events_store.replay(channel, **spans, **place)
        self._link.used("events_store", channel)
        frame = frames.events(replay.payloads, "events_store", **self._facts(channel, replay, **place))
        return selection.apply(frame) if selection else frame

    @changes_with("group", "client_id")
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

        A slow function misses none: the broker waits for it.

        Args:
            channel: Channel to read.
            handler: Function or coroutine function of one event; what it raises is counted and kept.
            start: Where to begin: "new", "first", "last", "seq:N", a time, or a duration (that long ago).
            group: Share position and events with the other members of this group.
            on_error: Function of an exception, for errors of the handler and of the subscription.
            keep: Rows that the feed holds; older ones are dropped and counted.
            client_id: Name to read under, with its position remembered by the broker.
        """
        place = {"group": group or "", "client_id": client_id or ""}
        return self._feed(channel, background.checked(handler), on_error, as_start(start), keep, place)

    def scrub(self, channel: str, *, fold: FoldFunction | None = None, initial: object = None) -> Scrubber:
        """Move over all that is stored, and see the event and the state of a fold at any position.

        It is read in the background, and ends at the last event stored by now.

        Args:
            channel: Channel to read.
            fold: Function of a state and an event that gives the next state; without one only events show.
            initial: State before the first event.
        """
        link = self._link.ready()
        stored = link.events_store.last(channel)
        expected = codec.event_position(stored)[0] if stored else 0

        def read_again(first: int, last: int) -> list[bytes]:
            start = StartPosition.at_sequence(first)
            return link.ready().events_store.replay(channel, start=start, to=last).payloads

        scrubber = Scrubber(
            channel,
            fold=None
            if fold is None
            else background.checked(fold, "a fold is a function of a state and an event", takes=2),
            initial=initial,
            read_again=read_again,
            connection=link.name,
            code=f"kq.events_store.scrub({channel!r})",
        )
        scrubber.begin(
            lambda take: (
                link.events_store.replay(channel, start=StartPosition.first(), to=expected, sink=take)
                if expected
                else None
            ),
            expected=expected,
        )
        link.used("events_store", channel)
        link.add(ReadingJob(scrubber))
        return scrubber

    def _await_new(
        self,
        channel: str,
        count: int | None,
        timeout: Duration | None,
        keep: int,
        place: dict[str, Any],
        selection: Selection | None,
        to_file: str | Path | None,
    ) -> "DataFrame":
        """Collect what is stored from now on: there is no last event to end at."""
        with self._link.ready().events_store.subscribe(
            channel, start=StartPosition.new(), keep=max(keep, count or 0), **place
        ) as stream:
            self._link.used("events_store", channel)
            seconds = TIMEOUT if timeout is None else as_seconds(timeout)
            return streaming.collect(
                self._link,
                "events_store",
                channel,
                stream,
                count=count,
                timeout=seconds,
                selection=selection,
                to_file=to_file,
            )

    def _replay_to_file(
        self, channel: str, file: str | Path, selection: Selection | None, reading: dict[str, Any]
    ) -> "DataFrame":
        client = self._link.ready().events_store
        with Export(file, "events_store", selection) as export:

            def write(payloads: list[bytes]) -> None:
                export.add(frames.events(payloads, "events_store"))

            replay = client.replay(channel, sink=write, **reading)
        self._link.used("events_store", channel)
        return export.told(**self._facts(channel, replay, reading["group"], reading["client_id"]))

    def _facts(self, channel: str, replay: "Replay", group: str, client_id: str) -> dict[str, Any]:
        """What the frame tells of its replay, also of the position that the broker remembers."""
        name = group or client_id
        note = _OF_POSITION.get(replay.end) if name and replay.last else None
        return {
            "notes": [note.format(name)] if note else [],
            "channel": channel,
            "server": self._link.address,
            "complete": replay.complete,
            "ended_by": replay.end,
            "last_sequence": replay.last,
        }

    def _feed(
        self,
        channel: str,
        handler: EventHandler | None,
        on_error: ErrorHandler | None,
        start: StartPosition,
        keep: int,
        place: dict[str, Any],
        selection: Selection | None = None,
    ) -> Feed:
        link = self._link.ready()
        feed = Feed(
            kind="events_store",
            channel=channel,
            handler=handler,
            connection=link.name,
            code=f"kq.events_store.receive({channel!r}, live=True)",
            keep=keep,
            on_error=on_error,
            selection=selection,
            start=start,
        )
        feed.begin(
            lambda on_state: link.ready().events_store.subscribe(
                channel,
                start=feed.position,
                keep=keep,
                patient=handler is not None,
                on_state=on_state,
                **place,
            ),
            listed=link.add,
        )
        link.used("events_store", channel)
        return feed
