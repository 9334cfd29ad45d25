"""Queues: send, peek, receive, ack_all, info."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubemq_nb.client.channel import Channel
from kubemq_nb.messages import QueueMessage, SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a peek or receive brought, as wire bytes in queue order."""

    payloads: list[bytes]
    expired: int | None = (
        None  # dropped by this read because their time was over; None: the server does not tell
    )
    cut: bool = False  # a peek holds more than it shows: 4 MB of messages are enough for one look
    note: str = ""  # what to know about this read ("the broker did not confirm ..."); "" when all is well


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


class QueuesClient:
    """The verbs of queues over one channel."""

    def __init__(self, channel: Channel) -> None:
        raise NotImplementedError

    def send(self, message: QueueMessage) -> SendResult:
        """Send one message; an id is made when it has none. Refusal raises RequestRejected."""
        raise NotImplementedError

    def send_batch(
        self, messages: Sequence[QueueMessage], *, progress: Callable[[int], None] | None = None
    ) -> list[SendResult]:
        """Send many in order; one result a message, refusals are results with `error`.

        `progress` is called with the number answered so far. When the connection breaks in between, OutcomeUnknown
        carries the results so far (`.results`).
        """
        raise NotImplementedError

    def peek(self, channel: str, *, count: int, wait: float, client_id: str) -> Received:
        """Look at up to `count` from the head; waits (whole seconds, rounded up) only while the queue is empty."""
        raise NotImplementedError

    def receive(self, channel: str, *, count: int, wait: float, client_id: str) -> Received:
        """Take up to `count`; answers with what is there, and waits up to `wait` seconds only for the first.

        Messages are acknowledged when all of them are in hand: an interrupt before gives them all back.
        """
        raise NotImplementedError

    def ack_all(self, channel: str, *, client_id: str) -> int:
        """Remove all that wait; the number removed, expired ones included."""
        raise NotImplementedError

    def info(self, channel: str = "") -> list[QueueInfo] | None:
        """Counts of one queue or, for "", of all; None when this server does not tell."""
        raise NotImplementedError
