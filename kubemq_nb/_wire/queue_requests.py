"""What is asked of queues beside sending: counts, peeks, polls, transactions."""

import math
from collections.abc import Iterable
from enum import IntEnum
from uuid import uuid4

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.codec import milliseconds


class Settling(IntEnum):
    """What a poll's messages can be settled with; values of the wire."""

    ACK = pb.AckRange
    REJECT = pb.NAckRange
    RESEND = pb.ReQueueRange


class Action(IntEnum):
    """What the stream of one message can be asked; values of the wire."""

    RECEIVE = pb.ReceiveMessage
    ACK = pb.AckMessage
    REJECT = pb.RejectMessage
    EXTEND = pb.ModifyVisibility
    RESEND = pb.ResendMessage
    MODIFY = pb.SendModifiedMessage


def info(channel: str) -> pb.QueuesInfoRequest:
    """Ask for the counts of one queue, or of all for ""."""
    return pb.QueuesInfoRequest(RequestID=_id(), QueueName=channel)


def peek(channel: str, *, count: int, wait: float, client_id: str) -> pb.ReceiveQueueMessagesRequest:
    """Ask for a look at the head; the wait goes as whole seconds, rounded up."""
    return pb.ReceiveQueueMessagesRequest(
        RequestID=_id(),
        ClientID=client_id,
        Channel=channel,
        MaxNumberOfMessages=count,
        WaitTimeSeconds=math.ceil(wait),
        IsPeak=True,
    )


def ack_all(channel: str, *, client_id: str) -> pb.AckAllQueueMessagesRequest:
    """Ask to remove all that waits; the server takes one second at least."""
    return pb.AckAllQueueMessagesRequest(
        RequestID=_id(), ClientID=client_id, Channel=channel, WaitTimeSeconds=1
    )


def read_look(payload: bytes) -> containers.ReceiveQueueMessagesResponse:
    """Read the answer to a peek; its messages stay bytes."""
    return containers.ReceiveQueueMessagesResponse.FromString(payload)


def read_ack_all(payload: bytes) -> pb.AckAllQueueMessagesResponse:
    """Read the answer to the removal of all that waits."""
    return pb.AckAllQueueMessagesResponse.FromString(payload)


def poll(channel: str, *, count: int, wait: float, client_id: str) -> pb.QueuesDownstreamRequest:
    """Ask a downstream for messages, to be settled later; the wait goes as milliseconds."""
    return pb.QueuesDownstreamRequest(
        RequestID=_id(),
        ClientID=client_id,
        RequestTypeData=pb.Get,
        Channel=channel,
        MaxItems=count,
        WaitTimeout=milliseconds(wait),
    )


def settle(
    settling: Settling, transaction: str, sequences: Iterable[int], *, to: str = ""
) -> pb.QueuesDownstreamRequest:
    """Ask to settle these; the server answers only when it fails."""
    return pb.QueuesDownstreamRequest(
        RequestID=_id(),
        RequestTypeData=settling.value,
        RefTransactionId=transaction,
        SequenceRange=sequences,
        ReQueueChannel=to,
    )


def active(transaction: str) -> pb.QueuesDownstreamRequest:
    """Ask which sequences are unsettled; answered in order, so it confirms what was asked before."""
    return pb.QueuesDownstreamRequest(
        RequestID=_id(), RequestTypeData=pb.ActiveOffsets, RefTransactionId=transaction
    )


def give_back(transaction: str) -> pb.QueuesDownstreamRequest:
    """Ask to return what is unsettled, unchanged; never answered."""
    return pb.QueuesDownstreamRequest(
        RequestID=_id(), RequestTypeData=pb.CloseByClient, RefTransactionId=transaction
    )


def one(
    action: Action,
    *,
    client_id: str,
    channel: str = "",
    visibility: int = 0,
    wait: float = 0.0,
    sequence: int = 0,
    message: pb.QueueMessage | None = None,
) -> pb.StreamQueueMessagesRequest:
    """Ask something of the stream of one message; seconds, a wait rounded up to whole ones."""
    return pb.StreamQueueMessagesRequest(
        RequestID=_id(),
        ClientID=client_id,
        StreamRequestTypeData=action.value,
        Channel=channel,
        VisibilitySeconds=visibility,
        WaitTimeSeconds=math.ceil(wait),
        RefSequence=sequence,
        ModifiedMessage=message,
    )


def in_parts(
    channel: str, *, count: int, wait: float, is_peek: bool, client_id: str, most: int, fitting: int
) -> containers.QueuePartsRequest:
    """Ask for messages some at a time; what is about larger than `most` bytes is not read."""
    return containers.QueuePartsRequest(
        ClientID=client_id,
        Channel=channel,
        Count=count,
        Wait=milliseconds(wait),
        IsPeek=is_peek,
        Most=most,
        Fitting=fitting,
    )


def read_part(payload: bytes) -> containers.QueuePart:
    """Read one part; what its messages hold stays bytes."""
    return containers.QueuePart.FromString(payload)


def arrived(transaction: str) -> containers.QueuePartsArrived:
    """Acknowledge all parts of a receive."""
    return containers.QueuePartsArrived(Transaction=transaction)


def _id() -> str:
    return str(uuid4())
