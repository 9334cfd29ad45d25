"""The broker's side of the wire: requests read into plain values, answers made of them.

Bytes in, bytes out. Whatever does not decode (broken framing, text that is no UTF-8) is `Malformed`. Tuples
have the order of the broker's own records, which this layer does not know.
"""

import random
import secrets
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import md5
from typing import Literal, NamedTuple, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtoMessage

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb

M = TypeVar("M", bound=ProtoMessage)
Kind = Literal["commands", "queries"]

Draft = tuple[str, str, str, bool, bytes, bytes, int, int, int, str]
"""id, client id, channel, whether it is empty, content, MD5, expiration, delay, max count, dead letter."""

Result = tuple[str, int, int, int, str]
"""id, sent at, expires at, delayed to, error."""

Stored = tuple[int, int, bytes, bytes, int, int, int, int, int, str, str]
"""queue, sequence, content, MD5, timestamp, expires at, expiration, count, max count, dead letter, from."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Malformed(Exception):
    """Bytes that are no message of the kind expected."""


def new_id() -> str:
    """An id as the real server makes them: 22 characters, base 62. Nobody need fail to guess it."""
    return "".join(random.choices(_ALPHABET, k=22))  # noqa: S311


def new_inbox() -> str:
    """A name that nobody can guess, for the place where an answer is expected; in the real server's form."""
    return "_INBOX.{}.{}".format(*("".join(secrets.choice(_ALPHABET) for _ in range(n)) for n in (22, 8)))


def _read(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"these bytes are no valid {kind.DESCRIPTOR.name}") from error


# Control


def read_nothing(data: bytes) -> None:
    """Check an empty request."""
    _read(pb.Empty, data)


def ping_result(host: str, version: str, start: int, uptime: int) -> bytes:
    """The answer to a ping; times in seconds."""
    result = pb.PingResult(Host=host, Version=version, ServerStartTime=start, ServerUpTimeSeconds=uptime)
    return result.SerializeToString()


# Events


class SubscribeRequest(NamedTuple):
    """What a subscriber asks for."""

    type: int  # 1 events, 2 events store, 3 commands, 4 queries
    client_id: str
    channel: str
    group: str
    start: int
    start_value: int


def read_event(data: bytes) -> tuple[str, str, str, bool, bool, bytes]:
    """Id, client id, channel, whether it is empty, whether it is to be stored, what subscribers get."""
    event = _read(pb.Event, data)
    received = pb.EventReceive(
        EventID=event.EventID or new_id(),
        Channel=event.Channel,
        Metadata=event.Metadata,
        Body=event.Body,
        Tags=event.Tags,
    )
    empty = not event.Metadata and not event.Body
    content = received.SerializeToString()
    return received.EventID, event.ClientID, event.Channel, empty, event.Store, content


def given_event_id(data: bytes) -> str:
    """The id that an event came with, which may be empty: refusals on a stream name it as it is."""
    return _read(pb.Event, data).EventID


def stamp_event(timestamp: int, sequence: int) -> bytes:
    """What makes a live event's wire form a stored one's, when appended."""
    return pb.EventReceive(Timestamp=timestamp, Sequence=sequence).SerializeToString()


def event_result(id: str, error: str = "") -> bytes:
    """What the sender of an event gets."""
    return pb.Result(EventID=id, Sent=not error, Error=error).SerializeToString()


def read_subscribe(data: bytes) -> SubscribeRequest:
    """What a subscriber asks for."""
    request = _read(pb.Subscribe, data)
    return SubscribeRequest(
        request.SubscribeTypeData,
        request.ClientID,
        request.Channel,
        request.Group,
        request.EventsStoreTypeData,
        request.EventsStoreTypeValue,
    )


# Requests


class SentRequest(NamedTuple):
    """A command or query as it was sent."""

    kind: Kind | None
    client_id: str
    channel: str
    empty: bool
    timeout: int
    cache_key: str
    cache_ttl: int
    content: Callable[[str], bytes]


def read_request(data: bytes) -> tuple[SentRequest, str, str, Mapping[str, str]]:
    """The request, and its id, metadata and tags for the broker's own use."""
    request = _read(pb.Request, data)
    request.RequestID = request.RequestID or new_id()
    kinds: dict[int, Kind] = {pb.Request.Command: "commands", pb.Request.Query: "queries"}

    def content(reply_channel: str) -> bytes:
        request.ReplyChannel = reply_channel
        return request.SerializeToString()

    sent = SentRequest(
        kinds.get(request.RequestTypeData),
        request.ClientID,
        request.Channel,
        not request.Metadata and not request.Body,
        request.Timeout,
        request.CacheKey,
        request.CacheTTL,
        content,
    )
    return sent, request.RequestID, request.Metadata, request.Tags


def read_response(data: bytes) -> tuple[str, str, str, bool, bytes]:
    """Client id, request id, reply channel, whether it was executed, the wire form but for that channel."""
    response = _read(pb.Response, data)
    reply_channel = response.ReplyChannel
    response.ClearField("ReplyChannel")
    content = response.SerializeToString()
    return response.ClientID, response.RequestID, reply_channel, response.Executed, content


def command_response(content: bytes) -> bytes:
    """A response as the sender of a command gets it: executed or not, no more."""
    response = pb.Response.FromString(content)
    for name in ("Body", "Metadata", "CacheHit"):
        response.ClearField(name)
    return response.SerializeToString()


def cached_response(content: bytes, request_id: str) -> bytes:
    """A response kept from before, as the answer to another request."""
    return content + pb.Response(CacheHit=True, RequestID=request_id).SerializeToString()


def own_response(
    request_id: str, *, client_id: str, timestamp: int, body: bytes = b"", error: str = ""
) -> bytes:
    """A response of the broker itself."""
    return pb.Response(
        ClientID=client_id,
        RequestID=request_id,
        Body=body,
        Timestamp=timestamp,
        Executed=not error,
        Error=error,
    ).SerializeToString()


def nothing() -> bytes:
    """The answer without fields."""
    return b""


# Queues


def read_message(data: bytes) -> Draft:
    """A message as its sender gives it; attributes are the broker's and are left out."""
    message = _read(pb.QueueMessage, data)
    policy = message.Policy
    channel, body = message.Channel, message.Body
    limits = (policy.ExpirationSeconds, policy.DelaySeconds, policy.MaxReceiveCount, policy.MaxReceiveQueue)
    for name in ("Channel", "Attributes", "Policy"):
        message.ClearField(name)
    if not message.MessageID:
        message.MessageID = new_id()
    empty = not body and not message.Metadata
    digest = md5(body, usedforsecurity=False).digest()
    content = message.SerializeToString()
    return (message.MessageID, message.ClientID, channel, empty, content, digest, *limits)


def send_result(result: Result) -> bytes:
    """What the sender of one message gets."""
    return _send_result(result).SerializeToString()


def _send_result(result: Result) -> pb.SendQueueMessageResult:
    id, sent_at, expires_at, delayed_to, error = result
    return pb.SendQueueMessageResult(
        MessageID=id,
        SentAt=sent_at,
        ExpirationAt=expires_at,
        DelayedTo=delayed_to,
        IsError=bool(error),
        Error=error,
    )


def read_batch(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of a batch."""
    batch = _read(containers.QueueMessagesBatchRequest, data)
    return batch.BatchID, batch.Messages


def batch_response(id: str, results: Iterable[Result], *, have_errors: bool) -> bytes:
    """The answer to a batch."""
    return pb.QueueMessagesBatchResponse(
        BatchID=id, Results=map(_send_result, results), HaveErrors=have_errors
    ).SerializeToString()


class ReceiveRequest(NamedTuple):
    """What a unary receiver asks for; waits in seconds."""

    id: str
    client_id: str
    channel: str
    limit: int
    wait: int
    peek: bool


def read_receive(data: bytes) -> ReceiveRequest:
    """What a unary receiver asks for."""
    request = _read(pb.ReceiveQueueMessagesRequest, data)
    return ReceiveRequest(
        request.RequestID or new_id(),
        request.ClientID,
        request.Channel,
        request.MaxNumberOfMessages,
        request.WaitTimeSeconds,
        request.IsPeak,
    )


def receive_response(
    request: ReceiveRequest, messages: Sequence[bytes] = (), *, expired: int = 0, error: str = ""
) -> bytes:
    """The answer to a unary receive or peek."""
    return containers.ReceiveQueueMessagesResponse(
        RequestID=request.id,
        Messages=messages,
        MessagesReceived=len(messages),
        MessagesExpired=expired,
        IsPeak=request.peek,
        IsError=bool(error),
        Error=error,
    ).SerializeToString()


def delivered(channel: str, messages: Iterable[Stored]) -> list[bytes]:
    """The wire form of messages of one queue as a consumer gets them."""
    name = pb.QueueMessage(Channel=channel).SerializeToString()
    return [message[2] + name + _additions(message) for message in messages]


def _additions(message: Stored) -> bytes:
    """What the broker adds to a message: attributes and policy."""
    _, sequence, _, digest, timestamp, expires_at, expiration, count, max_count, dead_letter, source = message
    attributes = pb.QueueMessageAttributes(
        Timestamp=timestamp,
        Sequence=sequence,
        MD5OfBody=digest.hex(),
        ReceiveCount=count + 1,
        ReRouted=bool(source),
        ReRoutedFromQueue=source,
        ExpirationAt=expires_at,
    )
    added = pb.QueueMessage(Attributes=attributes).SerializeToString()
    return added + _policy(expiration, max_count, dead_letter)


@lru_cache(maxsize=4096)
def _policy(expiration: int, max_count: int, dead_letter: str) -> bytes:
    policy = pb.QueueMessagePolicy(
        ExpirationSeconds=expiration, MaxReceiveCount=max_count, MaxReceiveQueue=dead_letter
    )
    return pb.QueueMessage(Policy=policy).SerializeToString() if policy.ByteSize() else b""


class AckAllRequest(NamedTuple):
    """What somebody who empties a queue asks for; the wait in seconds."""

    id: str
    client_id: str
    channel: str
    wait: int


def read_ack_all(data: bytes) -> AckAllRequest:
    """What somebody who empties a queue asks for."""
    request = _read(pb.AckAllQueueMessagesRequest, data)
    return AckAllRequest(
        request.RequestID or new_id(), request.ClientID, request.Channel, request.WaitTimeSeconds
    )


def ack_all_response(id: str, affected: int, error: str = "") -> bytes:
    """The answer to emptying a queue."""
    return pb.AckAllQueueMessagesResponse(
        RequestID=id, AffectedMessages=affected, IsError=bool(error), Error=error
    ).SerializeToString()


class QueueFigures(NamedTuple):
    """What is told of one queue."""

    name: str
    messages: int
    bytes: int
    first_sequence: int
    last_sequence: int
    sent: int
    delivered: int
    waiting: int
    subscribers: int


def read_info(data: bytes) -> tuple[str, str]:
    """Request id, and the queue asked about or nothing."""
    request = _read(pb.QueuesInfoRequest, data)
    return request.RequestID, request.QueueName


def info_response(id: str, queues: Sequence[QueueFigures]) -> bytes:
    """What is told of queues."""
    made = [
        pb.QueueInfo(
            Name=queue.name,
            Messages=queue.messages,
            Bytes=queue.bytes,
            FirstSequence=queue.first_sequence,
            LastSequence=queue.last_sequence,
            Sent=queue.sent,
            Delivered=queue.delivered,
            Waiting=queue.waiting,
            Subscribers=queue.subscribers,
        )
        for queue in queues
    ]
    info = pb.QueuesInfo(
        TotalQueue=len(made),
        Sent=sum(queue.sent for queue in queues),
        Delivered=sum(queue.delivered for queue in queues),
        Waiting=sum(queue.waiting for queue in queues),
        Queues=made,
    )
    return pb.QueuesInfoResponse(RefRequestID=id, Info=info).SerializeToString()


# Streams of queues


class StreamRequest(NamedTuple):
    """One request on an old transaction stream; times in seconds."""

    id: str
    client_id: str
    type: int
    channel: str
    visibility: int
    wait: int
    sequence: int
    modified: bytes | None  # a message


def read_stream_request(data: bytes) -> StreamRequest:
    """One request on an old transaction stream."""
    request = _read(pb.StreamQueueMessagesRequest, data)
    modified = request.ModifiedMessage.SerializeToString() if request.HasField("ModifiedMessage") else None
    return StreamRequest(
        request.RequestID or new_id(),
        request.ClientID,
        request.StreamRequestTypeData,
        request.Channel,
        request.VisibilitySeconds,
        request.WaitTimeSeconds,
        request.RefSequence,
        modified,
    )


def stream_response(id: str, type: int, message: bytes | None = None, error: str = "") -> bytes:
    """One answer on an old transaction stream."""
    return containers.StreamQueueMessagesResponse(
        RequestID=id, StreamRequestTypeData=type, Message=message, IsError=bool(error), Error=error
    ).SerializeToString()


def read_upstream(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of one upstream request."""
    request = _read(containers.QueuesUpstreamRequest, data)
    return request.RequestID, request.Messages


def upstream_response(id: str, results: Iterable[Result] = (), *, error: str = "") -> bytes:
    """The answer to one upstream request."""
    return pb.QueuesUpstreamResponse(
        RefRequestID=id, Results=map(_send_result, results), IsError=bool(error), Error=error
    ).SerializeToString()


class DownstreamRequest(NamedTuple):
    """One request on a downstream."""

    id: str
    type: int
    client_id: str
    channel: str
    limit: int
    wait: int  # milliseconds
    auto_ack: bool
    transaction: str
    sequences: Sequence[int]
    target: str


DOWNSTREAM_GET = pb.Get
DOWNSTREAM_ACTIVE_OFFSETS = pb.ActiveOffsets


def read_downstream(data: bytes) -> DownstreamRequest:
    """One request on a downstream."""
    request = _read(pb.QueuesDownstreamRequest, data)
    return DownstreamRequest(
        request.RequestID,
        request.RequestTypeData,
        request.ClientID,
        request.Channel,
        request.MaxItems,
        request.WaitTimeout,
        request.AutoAck,
        request.RefTransactionId,
        list(request.SequenceRange),
        request.ReQueueChannel,
    )


def downstream_response(
    request: DownstreamRequest,
    transaction: str,
    *,
    type: int | None = None,
    messages: Sequence[bytes] = (),
    offsets: Sequence[int] = (),
    error: str = "",
) -> bytes:
    """One answer on a downstream; its type is the request's unless another is given."""
    return containers.QueuesDownstreamResponse(
        TransactionId=transaction,
        RefRequestId=request.id,
        RequestTypeData=request.type if type is None else type,
        Messages=messages,
        ActiveOffsets=offsets,
        IsError=bool(error),
        Error=error,
    ).SerializeToString()
