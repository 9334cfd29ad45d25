"""Messages of queues on their way out in parts, on the broker's side of the wire."""

from collections.abc import Sequence
from typing import NamedTuple

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire.serving.common import read


class PartsRequest(NamedTuple):
    """What somebody who reads in parts asks for."""

    client_id: str
    channel: str
    limit: int  # messages
    wait: int  # milliseconds
    is_peek: bool
    most: int  # about so many bytes; of more, nothing is read
    fitting: int  # the most bytes, beside a first message


class Last(NamedTuple):
    """What the last part says beside its messages."""

    expired: int = 0
    is_cut: bool = False
    is_large: bool = False
    transaction: str = ""
    error: str = ""
    delayed: int | None = None  # beside what a peek shows; None of a receive, as the next
    held: int | None = None


def read_parts_request(data: bytes) -> PartsRequest:
    """What somebody who reads in parts asks for."""
    request = read(containers.QueuePartsRequest, data)
    return PartsRequest(
        request.ClientID,
        request.Channel,
        request.Count,
        request.Wait,
        request.IsPeek,
        request.Most,
        request.Fitting,
    )


def queue_part(messages: Sequence[bytes], last: Last | None = None) -> bytes:
    """One part; the last one says how it ended."""
    if last is None:
        return containers.QueuePart(Messages=messages).SerializeToString()
    return containers.QueuePart(
        Messages=messages,
        IsLast=True,
        Expired=last.expired,
        IsCut=last.is_cut,
        IsLarge=last.is_large,
        Transaction=last.transaction,
        Error=last.error,
        Delayed=last.delayed,
        Held=last.held,
    ).SerializeToString()


def read_arrived(data: bytes) -> str:
    """The transaction of which all parts have arrived."""
    return read(containers.QueuePartsArrived, data).Transaction
