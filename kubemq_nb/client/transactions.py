"""Messages held open: one with a visibility time, or several without."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, Self

from kubemq_nb.client.channel import Channel
from kubemq_nb.messages import QueueMessage, Settlement

State = Literal["empty", "held", "acked", "rejected", "resent", "modified", "expired", "closed", "lost"]


class OneTransaction:
    """One message, invisible to others until settled, given back, or out of visibility time.

    Attributes:
        payload: The message as wire bytes; None when the queue stayed empty.
        sequence: Its sequence; 0 when empty.
        state: `held` until something ends it; `expired` visibility ran out, `lost` the connection broke.
        deadline: When it goes back by itself (aware UTC); None when not held.
    """

    payload: bytes | None
    sequence: int
    state: State
    deadline: datetime | None

    @classmethod
    def receive(
        cls,
        connection: Channel,
        channel: str,
        *,
        visibility: float,
        wait: float,
        hold: float,
        client_id: str,
        on_change: Callable[[], None] | None = None,
    ) -> Self:
        """Take one message, waiting up to `wait` seconds; an empty queue gives an `empty` transaction.

        Visibility (whole seconds) is renewed in the background until `hold` seconds are over; 0 switches that off.
        `on_change` is called, from another thread, when `state` or `deadline` changes.
        """
        raise NotImplementedError

    def ack(self) -> Settlement:
        """Remove the message for good."""
        raise NotImplementedError

    def reject(self) -> Settlement:
        """Give it back as refused: tail of the queue, receive count raised, or its dead-letter queue."""
        raise NotImplementedError

    def extend(self, visibility: float) -> Settlement:
        """Let visibility run out this many whole seconds from now."""
        raise NotImplementedError

    def resend(self, channel: str) -> Settlement:
        """Move it, as a new message, to another queue."""
        raise NotImplementedError

    def modify(self, message: QueueMessage) -> Settlement:
        """Send `message` in its place (to `message.channel`) and remove the original."""
        raise NotImplementedError

    def close(self) -> Settlement:
        """Give it back if still held. Closing again does nothing."""
        raise NotImplementedError


class ManyTransaction:
    """Several messages held until settled or given back; there is no visibility time, so nothing to extend.

    Attributes:
        payloads: All messages received, as wire bytes in queue order; settled ones stay here.
        sequences: Sequences still held, in queue order.
    """

    payloads: list[bytes]
    sequences: tuple[int, ...]
    state: State

    @classmethod
    def receive(
        cls,
        connection: Channel,
        channel: str,
        *,
        count: int,
        wait: float,
        client_id: str,
        on_change: Callable[[], None] | None = None,
    ) -> Self:
        """Take up to `count` messages: what is there, or the first that comes within `wait` seconds."""
        raise NotImplementedError

    def ack(self, sequences: Iterable[int] | None = None) -> Settlement:
        """Remove these for good; None is all still held."""
        raise NotImplementedError

    def reject(self, sequences: Iterable[int] | None = None) -> Settlement:
        """Give these back as refused, in order: tail, receive count raised, or dead-letter queue."""
        raise NotImplementedError

    def resend(self, channel: str, sequences: Iterable[int] | None = None) -> Settlement:
        """Move these, as new messages, to another queue."""
        raise NotImplementedError

    def close(self) -> Settlement:
        """Give back what is held: same place, same count. Closing again does nothing."""
        raise NotImplementedError
