"""How much waits in a queue, told without a wait; not every server knows the call."""

from dataclasses import dataclass
from typing import NamedTuple

from kubemq_nb._wire import queue_requests
from kubemq_nb.client.channel import Channel
from kubemq_nb.errors import NotSupported


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueInfo:
    """What the broker counts for one queue."""

    name: str
    messages: int
    bytes: int
    first_sequence: int
    last_sequence: int
    sent: int
    delivered: int
    waiting: int
    subscribers: int


def queue_counts(connection: Channel, channel: str = "") -> list[QueueInfo] | None:
    """Counts of one queue or, for "", of all; None when this server does not tell."""
    attempt = connection.attempt("the counts of queues", channel=channel or None)
    try:
        answer = connection.call(connection.stub.queues_info, queue_requests.info(channel), attempt)
    except NotSupported:
        return None
    # Whether a server filters by the name is not certain, so it is done here.
    return [
        QueueInfo(
            name=queue.Name,
            messages=queue.Messages,
            bytes=queue.Bytes,
            first_sequence=queue.FirstSequence,
            last_sequence=queue.LastSequence,
            sent=queue.Sent,
            delivered=queue.Delivered,
            waiting=queue.Waiting,
            subscribers=queue.Subscribers,
        )
        for queue in answer.Info.Queues
        if channel in ("", queue.Name)
    ]


class Waiting(NamedTuple):
    """What a receiver would find now."""

    messages: int
    bytes: int  # about; 0 when that is not told

    @property
    def average(self) -> int:
        """Bytes of one message."""
        return self.bytes // max(1, self.messages)


NONE = Waiting(0, 0)


def waiting(connection: Channel, channel: str) -> Waiting | None:
    """What a receiver would find now; None when this server does not tell."""
    queues = queue_counts(connection, channel)
    if queues is None:
        return None
    # Bytes are those of held and delayed messages too.
    sizes = (queue.bytes * queue.waiting // max(1, queue.messages) for queue in queues)
    return Waiting(sum(queue.waiting for queue in queues), sum(sizes))
