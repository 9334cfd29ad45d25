"""Messages to protobuf and back: total, pure; units and spellings of the wire end here."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import damaged
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.columns import SENDER_TAG, body_digest
from kubemq_nb.messages import (
    Event,
    QueueMessage,
    Request,
    Response,
    SendResult,
    ServerInfo,
    StartPosition,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_SECONDS = 10**11  # the year 5138, and as nanoseconds two minutes after the epoch

_START_TYPES = {
    "new": pb.Subscribe.StartNewOnly,
    "first": pb.Subscribe.StartFromFirst,
    "last": pb.Subscribe.StartFromLast,
    "sequence": pb.Subscribe.StartAtSequence,
    "time": pb.Subscribe.StartAtTime,
    "ago": pb.Subscribe.StartAtTimeDelta,
}
_SUBSCRIBE_TYPES = {"command": pb.Subscribe.Commands, "query": pb.Subscribe.Queries}
_MISSED_BYTES = 6  # at the end of a payload: two that name the field, four with its value
EventsPage = containers.EventsPage
_MISSED = containers.EventsMissed(Missed=1).SerializeToString()[:2]
_BRIEF = containers.QueuesUpstreamRequest(Brief=True).SerializeToString()
_REQUEST_TYPES = {"command": pb.Request.Command, "query": pb.Request.Query}


def instant(nanoseconds: int) -> datetime | None:
    """Unix nanoseconds as an aware UTC datetime (microseconds, rounded down); 0 is None."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000) if nanoseconds else None


def answered_at(timestamp: int) -> datetime | None:
    """When an answer was given, which its responder says; 0 is None.

    The official SDKs differ here: Go and Python 2.x, which fails on nanoseconds, say seconds, Python 4.x
    nanoseconds.
    """
    return instant(timestamp * 10**9 if 0 < timestamp < LATEST_SECONDS else timestamp)


def nanoseconds(time: datetime) -> int:
    """An aware datetime as Unix nanoseconds."""
    return (time - EPOCH) // timedelta(microseconds=1) * 1000


def encode_queue_message(message: QueueMessage, *, id: str = "") -> pb.QueueMessage:
    """Write a message of a queue as its sender does; `id` is for one that has none.

    What the server sets is left out.
    """
    wire = pb.QueueMessage(
        MessageID=message.id or id,
        ClientID=message.client_id,
        Channel=message.channel,
        Metadata=message.metadata,
        Body=message.body,
        Tags=message.tags,
    )
    if message.expiration or message.delay or message.max_receive_count or message.dead_letter:
        wire.Policy.ExpirationSeconds = message.expiration
        wire.Policy.DelaySeconds = message.delay
        wire.Policy.MaxReceiveCount = message.max_receive_count
        wire.Policy.MaxReceiveQueue = message.dead_letter
    return wire


def encode_outgoing(
    message: QueueMessage | Event, *, id: str = "", store: bool = True
) -> pb.QueueMessage | pb.Event:
    """Write a message of a queue, or an event, which is stored or not."""
    if isinstance(message, Event):
        return encode_event(message, store=store, id=id)
    return encode_queue_message(message, id=id)


def encode_rows(
    common: QueueMessage | Event,
    ids: Iterable[str],
    metadata: Iterable[str],
    bodies: Iterable[bytes],
    tags: Iterable[Mapping[str, str]],
    *,
    store: bool = True,
) -> Iterator[bytes | None]:
    """Write many messages that differ in these fields only; None in place of one that is no text."""
    # Fields of a message may come in pieces; and setting them anew takes a third of making a message.
    empty = replace(common, id="", metadata="", body=b"", tags={})
    start = encode_outgoing(empty, store=store).SerializeToString()
    wire, name = (pb.Event(), "EventID") if isinstance(common, Event) else (pb.QueueMessage(), "MessageID")
    of_wire = wire.Tags
    for id, text, body, of_row in zip(ids, metadata, bodies, tags, strict=True):
        try:
            setattr(wire, name, id)
            wire.Metadata, wire.Body = text, body
            of_wire.clear()
            of_wire.update(of_row)
            yield start + wire.SerializeToString()
        except ValueError:
            yield None


def decode_queue_message(payload: bytes) -> QueueMessage:
    """Read one message of a queue. A damaged one is read with escapes in its text (see columns)."""
    wire, _ = damaged.parse(pb.QueueMessage, payload)
    attributes, policy = wire.Attributes, wire.Policy
    return QueueMessage(
        channel=wire.Channel,
        body=wire.Body,
        id=wire.MessageID,
        metadata=wire.Metadata,
        tags=_tags(wire.Tags),
        client_id=wire.ClientID,
        expiration=policy.ExpirationSeconds,
        delay=policy.DelaySeconds,
        max_receive_count=policy.MaxReceiveCount,
        dead_letter=policy.MaxReceiveQueue,
        timestamp=instant(attributes.Timestamp),
        sequence=attributes.Sequence or None,
        md5_of_body=attributes.MD5OfBody or body_digest(wire.Body),
        receive_count=attributes.ReceiveCount,
        rerouted=attributes.ReRouted,
        rerouted_from=attributes.ReRoutedFromQueue or None,
        expiration_at=instant(attributes.ExpirationAt),
        delayed_to=instant(attributes.DelayedTo),
    )


def queue_sequence(payload: bytes) -> int:
    """The sequence of one message of a queue, 0 when even that cannot be read."""
    wire, _ = damaged.parse(pb.QueueMessage, payload)
    return wire.Attributes.Sequence


def encode_batch(messages: Iterable[bytes], *, id: str) -> bytes:
    """Join serialized messages into one batch request."""
    return containers.QueueMessagesBatchRequest(BatchID=id, Messages=messages).SerializeToString()


def decode_send_result(wire: pb.SendQueueMessageResult, *, channel: str) -> SendResult:
    """Read what the broker says of one queue message sent."""
    return SendResult(
        id=wire.MessageID,
        channel=channel,
        sent=not wire.IsError,
        error=wire.Error or ("refused without a reason" if wire.IsError else ""),
        sent_at=instant(wire.SentAt),
        expiration_at=instant(wire.ExpirationAt),
        delayed_to=instant(wire.DelayedTo),
    )


def brief(request: bytes) -> bytes:
    """A request of an upstream whose answer may be one time for all of its messages."""
    return request + _BRIEF


def alike(ids: list[str], sent_at: int) -> dict[str, list[Any]]:
    """What `decode_results` gives of messages that were all sent at that time."""
    count = len(ids)
    return {
        "id": ids,
        "sent": [True] * count,
        "error": [""] * count,
        "sent_at": [sent_at] * count,
        "expiration_at": [0] * count,
        "delayed_to": [0] * count,
    }


def decode_results(wire: pb.QueueMessagesBatchResponse | pb.QueuesUpstreamResponse) -> dict[str, list[Any]]:
    """Read what the broker says of a batch, a list a fact, named as in SendResult; times in nanoseconds."""
    results = list(wire.Results)
    refused = [result.IsError for result in results]
    return {
        "id": [result.MessageID for result in results],
        "sent": [not is_error for is_error in refused],
        "error": [
            result.Error or ("refused without a reason" if is_error else "")
            for result, is_error in zip(results, refused, strict=True)
        ],
        "sent_at": [result.SentAt for result in results],
        "expiration_at": [result.ExpirationAt for result in results],
        "delayed_to": [result.DelayedTo for result in results],
    }


def encode_event(event: Event, *, store: bool, id: str = "") -> pb.Event:
    """Write an event as its sender does; `id` is for one that has none."""
    return pb.Event(
        EventID=event.id or id,
        ClientID=event.client_id,
        Channel=event.channel,
        Metadata=event.metadata,
        Body=event.body,
        Store=store,
        Tags=event.tags,
    )


def decode_event(payload: bytes) -> Event:
    """Read one event, live or stored."""
    wire, _ = damaged.parse(pb.EventReceive, payload)
    return Event(
        channel=wire.Channel,
        body=wire.Body,
        id=wire.EventID,
        metadata=wire.Metadata,
        tags=_tags(wire.Tags),
        client_id=wire.Tags.get(SENDER_TAG, ""),
        timestamp=instant(wire.Timestamp),
        sequence=wire.Sequence or None,
    )


def event_position(payload: bytes) -> tuple[int, int]:
    """Sequence and timestamp (nanoseconds) of one stored event, zeros when they cannot be read."""
    wire, _ = damaged.parse(pb.EventReceive, payload)
    return wire.Sequence, wire.Timestamp


def events_missed(payload: bytes) -> int:
    """How many events our own broker dropped about this one, because they were read too slowly."""
    if payload[-_MISSED_BYTES : 2 - _MISSED_BYTES] != _MISSED:  # of nearly all; a body may look alike
        return 0
    try:
        return containers.EventsMissed.FromString(payload).Missed
    except DecodeError:
        return 0


def decode_event_result(wire: pb.Result, *, channel: str) -> SendResult:
    """Read what the broker says of one event sent."""
    refused = "" if wire.Sent else "refused without a reason"
    return SendResult(id=wire.EventID, channel=channel, sent=wire.Sent, error=wire.Error or refused)


def encode_events_subscription(channel: str, *, client_id: str, group: str) -> pb.Subscribe:
    """Write a subscription to live events."""
    return pb.Subscribe(
        SubscribeTypeData=pb.Subscribe.Events, ClientID=client_id, Channel=channel, Group=group
    )


def encode_store_subscription(
    channel: str, *, client_id: str, group: str, start: StartPosition
) -> pb.Subscribe:
    """Write a subscription to stored events."""
    return pb.Subscribe(
        SubscribeTypeData=pb.Subscribe.EventsStore,
        ClientID=client_id,
        Channel=channel,
        Group=group,
        EventsStoreTypeData=_START_TYPES[start.kind],
        EventsStoreTypeValue=start.value,
    )


def encode_page_request(
    channel: str, *, start: StartPosition, last: int, most: int
) -> containers.EventsPageRequest:
    """Write a request for a page of stored events up to the sequence `last`, 0 for the last one.

    Of a page of more than `most` bytes the answer tells the size; 0 for any.
    """
    return containers.EventsPageRequest(
        Channel=channel, StartType=_START_TYPES[start.kind], StartValue=start.value, Last=last, Most=most
    )


def decode_page(payload: bytes) -> EventsPage:
    """Read a page of stored events; they stay bytes."""
    return containers.EventsPage.FromString(payload)


def encode_request_subscription(kind: str, channel: str, *, client_id: str, group: str) -> pb.Subscribe:
    """Write a responder's subscription to the commands ("command") or queries ("query") of a channel."""
    return pb.Subscribe(
        SubscribeTypeData=_SUBSCRIBE_TYPES[kind], ClientID=client_id, Channel=channel, Group=group
    )


def encode_request(request: Request, *, id: str = "") -> pb.Request:
    """Write a command or query; `id` is for one that has none, the timeout goes as milliseconds."""
    return pb.Request(
        RequestID=request.id or id,
        RequestTypeData=_REQUEST_TYPES[request.kind],
        ClientID=request.client_id,
        Channel=request.channel,
        Metadata=request.metadata,
        Body=request.body,
        Timeout=milliseconds(request.timeout),
        CacheKey=request.cache_key,
        CacheTTL=request.cache_ttl,
        Tags=request.tags,
    )


def decode_request(payload: bytes) -> Request:
    """Read one command or query as its responder sees it."""
    wire, _ = damaged.parse(pb.Request, payload)
    return Request(
        kind="command" if wire.RequestTypeData == _REQUEST_TYPES["command"] else "query",
        channel=wire.Channel,
        body=wire.Body,
        id=wire.RequestID,
        metadata=wire.Metadata,
        tags=_tags(wire.Tags),
        client_id=wire.ClientID,
        timeout=wire.Timeout / 1000,
        reply_channel=wire.ReplyChannel,
        cache_key=wire.CacheKey,
        cache_ttl=wire.CacheTTL,
    )


def encode_response(response: Response, *, to: Request) -> pb.Response:
    """Write an answer to a request."""
    return pb.Response(
        ClientID=response.client_id,
        RequestID=to.id,
        ReplyChannel=to.reply_channel,
        Metadata=response.metadata,
        Body=response.body,
        CacheHit=response.cache_hit,
        Timestamp=int(response.timestamp.timestamp()) if response.timestamp else 0,
        Executed=response.executed,
        Error=response.error,
        Tags=response.tags,
    )


def decode_response(payload: bytes, *, channel: str, elapsed: float) -> Response:
    """Read the answer to a request on `channel` that took `elapsed` seconds."""
    wire, _ = damaged.parse(pb.Response, payload)
    return Response(
        executed=wire.Executed,
        error=wire.Error,
        body=wire.Body,
        id=wire.RequestID,
        channel=channel,
        metadata=wire.Metadata,
        tags=_tags(wire.Tags),
        client_id=wire.ClientID,
        timestamp=answered_at(wire.Timestamp),
        cache_hit=wire.CacheHit,
        elapsed=elapsed,
    )


def decode_ping(wire: pb.PingResult, *, address: str) -> ServerInfo:
    """Read what a broker says of itself."""
    return ServerInfo(
        address=address,
        host=wire.Host,
        version=wire.Version,
        start_time=EPOCH + timedelta(seconds=wire.ServerStartTime),
        uptime=timedelta(seconds=wire.ServerUpTimeSeconds),
    )


def milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds, rounded up so that nothing ends before it was asked to."""
    # 8.015 s are 8015.000000000001 ms in binary; that is no reason for 8016.
    return math.ceil(round(seconds * 1000, 6))


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: tags[key] for key in tags}
