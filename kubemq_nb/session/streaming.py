"""What live and stored events have in common: sending one or a stream, and collecting what comes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kubemq_nb import frames
from kubemq_nb.messages import Body, Event, Rows, SendResult, Tags, as_tags
from kubemq_nb.session.link import Link
from kubemq_nb.session.live import Stream
from kubemq_nb.session.outgoing import bytes_of, in_parts, many, send_in_parts, text

if TYPE_CHECKING:
    from pandas import DataFrame

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
    common: dict[str, Any] = {
        "channel": text("channel", channel),
        "metadata": text("metadata", metadata),
        "client_id": text("client_id", client_id),
        "tags": as_tags(tags),
    }
    if rows is None:
        event = Event(body=bytes_of(body), id=text("id", id), **common)
        result: SendResult | DataFrame = _client(link, kind).send(event)
    elif isinstance(rows, str | Path):
        client = _client(link, kind)
        result = send_in_parts(
            link,
            kind,
            channel,
            in_parts(rows, body, id, {}),
            lambda part, report: client.send_stream(
                [_event(fields, common) for fields in part], progress=report
            ),
        )
    else:
        result = _send_many(link, kind, [_event(fields, common) for fields in many(rows, body, id, {})])
    link.used(kind, channel)
    return result


def collect(
    link: Link, kind: Kind, channel: str, stream: Stream, *, count: int | None, timeout: float
) -> "DataFrame":
    """A frame of what a stream brings until `count` have come or `timeout` seconds are over."""
    arrivals = list(_until(stream, count, timeout))
    enough = count is not None and len(arrivals) >= count
    return frames.events(
        [payload for payload, _ in arrivals],
        kind,
        arrived=[at for _, at in arrivals],
        channel=channel,
        server=link.address,
        complete=not stream.dropped,
        ended_by="count" if enough else "timeout",
    )


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


def _event(fields: dict[str, Any], common: dict[str, Any]) -> Event:
    return Event(**common | {name: value for name, value in fields.items() if name in OF_EVENTS})


def _send_many(link: Link, kind: Kind, events: list[Event]) -> "DataFrame":
    sent = _client(link, kind).send_stream(events, progress=link.report(len(events)))
    return frames.results(sent, channel=events[0].channel if events else "", kind=kind, server=link.address)
