"""What live and stored events have in common: sending one or a stream, and collecting what comes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kubemq_nb import frames
from kubemq_nb.client import checks
from kubemq_nb.messages import Body, Event, Rows, SendResult, Tags, as_tags
from kubemq_nb.session.exporting import PART, Export
from kubemq_nb.session.link import Link
from kubemq_nb.session.live import Stream
from kubemq_nb.session.outgoing import Columns, bytes_of, in_parts, many, send_in_parts, text

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.frames.selecting import Selection

Kind = Literal["events", "events_store"]
OF_EVENTS = {"body", "id", "metadata", "tags"}  # a row of a queue has more, which no event carries


class Outgoing(NamedTuple):
    """What all events of one call have in common."""

    channel: str
    metadata: str
    tags: Tags | None
    client_id: str


def send(
    link: Link, kind: Kind, outgoing: Outgoing, *, body: Body, id: str | None, rows: Rows | None
) -> "SendResult | DataFrame":
    """Send one event, or the rows as a stream."""
    channel, metadata, tags, client_id = outgoing
    common = Event(
        channel=text("channel", channel),
        metadata=text("metadata", metadata),
        client_id=text("client_id", client_id),
        tags=as_tags(tags),
    )
    if rows is None:
        event = replace(common, body=bytes_of(body), id=text("id", id))
        result: SendResult | DataFrame = _client(link, kind).send(event)
    elif isinstance(rows, str | Path):
        client = _client(link, kind)
        result = send_in_parts(
            link,
            kind,
            channel,
            in_parts(rows, body, id),
            lambda part, report: client.send_rows(common, _of_events(part), progress=report),
        )
    else:
        result = _send_many(link, kind, common, _of_events(many(rows, body, id)))
    link.used(kind, channel)
    return result


def collect(
    link: Link,
    kind: Kind,
    channel: str,
    stream: Stream,
    *,
    count: int | None,
    timeout: float,
    selection: "Selection | None" = None,
    to_file: str | Path | None = None,
) -> "DataFrame":
    """A frame, or a file, of what a stream brings until `count` have come or `timeout` seconds are over."""
    checks.check_count(channel, count)
    arrivals = _until(stream, count, timeout)

    def facts(came: int) -> dict[str, Any]:
        enough = count is not None and came >= count
        facts = {
            "channel": channel,
            "server": link.address,
            "complete": not (stream.dropped or stream.missed),
        }
        return facts | {"ended_by": "count" if enough else "timeout"}

    if to_file is None:
        all_of_it = list(arrivals)
        frame = _frame(kind, all_of_it, **facts(len(all_of_it)))
        return selection.apply(frame) if selection else frame
    came = 0
    with Export(to_file, kind, selection) as export:
        while part := list(islice(arrivals, PART)):
            came += len(part)
            export.add(_frame(kind, part))
    return export.told(**facts(came))


def _frame(kind: Kind, arrivals: list[tuple[bytes, int]], **facts: Any) -> "DataFrame":
    payloads, arrived = [payload for payload, _ in arrivals], [at for _, at in arrivals]
    return frames.events(payloads, kind, arrived=arrived, **facts)


def _until(stream: Stream, count: int | None, timeout: float) -> Iterator[tuple[bytes, int]]:
    end = time.monotonic() + timeout
    came = 0
    while count is None or came < count:
        payload = stream.next(timeout=max(0.0, end - time.monotonic()))
        if payload is None:
            return
        came += 1
        yield payload, time.time_ns()


def _client(link: Link, kind: Kind) -> Any:
    return getattr(link.ready(), kind)


def _of_events(columns: Columns) -> Columns:
    return {name: column for name, column in columns.items() if name in OF_EVENTS}


def _send_many(link: Link, kind: Kind, common: Event, columns: Columns) -> "DataFrame":
    sent = _client(link, kind).send_rows(common, columns, progress=link.report(len(columns["body"])))
    return frames.results(sent.columns, channel=common.channel, kind=kind, server=link.address)
