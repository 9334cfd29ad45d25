"""Messages of queues on their way out by unary calls, on the broker's side of the wire."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read, with_fields

Stored = tuple[int, int, bytes, bytes, int, int, int, int, int, str, str]
"""queue, sequence, content, MD5, timestamp, expires at, expiration, count, max count, dead letter, from."""

Others = tuple[int, int, int, str, str]
"""The last five of these."""


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
    request = read(pb.ReceiveQueueMessagesRequest, data)
    return ReceiveRequest(
        request.RequestID or new_id(),
        request.ClientID,
        request.Channel,
        request.MaxNumberOfMessages,
        request.WaitTimeSeconds,
        request.IsPeak,
    )


def receive_response(
    request: ReceiveRequest,
    messages: Iterable[bytes] = (),
    *,
    count: int = 0,
    expired: int = 0,
    error: str = "",
) -> bytes:
    """The answer to a unary receive or peek, with `count` messages."""
    answer = containers.ReceiveQueueMessagesResponse(
        RequestID=request.id,
        MessagesReceived=count,
        MessagesExpired=expired,
        IsPeak=request.peek,
        IsError=bool(error),
        Error=error,
    )
    return with_fields(answer.SerializeToString(), answer.MESSAGES_FIELD_NUMBER, messages)


def delivered(channel: str, messages: Iterable[Stored]) -> Iterator[bytes]:
    """The wire form of messages of one queue as a consumer gets them, made as they are asked for."""
    name = _name(channel)
    added = pb.QueueMessage()  # one for all: setting a field takes a fifth of making a message
    attributes = added.Attributes
    before: Others | None = None
    policy = b""
    for message in messages:
        attributes.Timestamp = message[4]
        attributes.Sequence = message[1]
        attributes.MD5OfBody = message[3].hex()
        attributes.ExpirationAt = message[5]
        others = message[6:]
        if others != before:  # mostly they are the same for all
            policy = _set_others(attributes, others)
            before = others
        yield b"".join((message[2], name, added.SerializeToString(), policy))


def common_of(channel: str, others: Others) -> bytes:
    """The wire form of what messages of one queue have in common."""
    added = pb.QueueMessage()
    policy = _set_others(added.Attributes, others)
    return _name(channel) + added.SerializeToString() + policy


def _name(channel: str) -> bytes:
    return pb.QueueMessage(Channel=channel).SerializeToString()


def _set_others(attributes: pb.QueueMessageAttributes, others: Others) -> bytes:
    """Set what messages have in common; gives their policy."""
    expiration, count, max_count, dead_letter, source = others
    attributes.ReceiveCount = count + 1
    attributes.ReRouted = bool(source)
    attributes.ReRoutedFromQueue = source
    return _policy(expiration, max_count, dead_letter)


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
    request = read(pb.AckAllQueueMessagesRequest, data)
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
    delayed: int
    held: int


def read_info(data: bytes) -> tuple[str, str]:
    """Request id, and the queue asked about or nothing."""
    request = read(pb.QueuesInfoRequest, data)
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
            Delayed=queue.delayed,
            Held=queue.held,
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
