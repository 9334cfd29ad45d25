"""The two streams that receive with settlement, on the broker's side of the wire."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read, with_fields


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
    request = read(pb.StreamQueueMessagesRequest, data)
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
    answer = containers.StreamQueueMessagesResponse(
        RequestID=id, StreamRequestTypeData=type, IsError=bool(error), Error=error
    )
    messages = () if message is None else (message,)
    return with_fields(answer.SerializeToString(), answer.MESSAGE_FIELD_NUMBER, messages)


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
    request = read(pb.QueuesDownstreamRequest, data)
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
    messages: Iterable[bytes] = (),
    offsets: Sequence[int] = (),
    error: str = "",
) -> bytes:
    """One answer on a downstream; its type is the request's unless another is given."""
    answer = containers.QueuesDownstreamResponse(
        TransactionId=transaction,
        RefRequestId=request.id,
        RequestTypeData=request.type if type is None else type,
        ActiveOffsets=offsets,
        IsError=bool(error),
        Error=error,
    )
    return with_fields(answer.SerializeToString(), answer.MESSAGES_FIELD_NUMBER, messages)
