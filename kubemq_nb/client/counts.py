"""How much waits in a queue, told without a wait; not every server knows the call."""

from typing import NamedTuple

from kubemq_nb._wire import queue_requests
from kubemq_nb.client.connection import Connection
from kubemq_nb.errors import NotSupported


class QueueInfo(NamedTuple):
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
    delayed: int | None  # this and the next: None where the server does not tell
    held: int | None


def queue_counts(connection: Connection, channel: str = "") -> list[QueueInfo] | None:
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
            delayed=queue.Delayed if queue.HasField("Delayed") else None,
            held=queue.Held if queue.HasField("Held") else None,
        )
        for queue in answer.Info.Queues
        if channel in ("", queue.Name)
    ]


class Waiting(NamedTuple):
    """What a receiver would find now."""

    messages: int
    bytes: int  # about; 0 when that is not told
    delayed: int | None = None  # beside them, not visible yet; None when that is not told, as in the next
    held: int | None = None

    @property
    def average(self) -> int:
        """Bytes of one message."""
        return self.bytes // max(1, self.messages)


NONE = Waiting(0, 0)


def waiting(connection: Connection, channel: str) -> Waiting | None:
    """What a receiver would find now; None when this server does not tell."""
    queues = queue_counts(connection, channel)
    if queues is None:
        return None
    if not queues:
        return NONE
    (queue,) = queues
    # Bytes are those of held and delayed messages too.
    size = queue.bytes * queue.waiting // max(1, queue.messages)
    return Waiting(queue.waiting, size, queue.delayed, queue.held)
