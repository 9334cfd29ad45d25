"""Queues: send, peek, receive, purge, and the way into a transaction."""

from typing import TYPE_CHECKING

from kubemq_nb.messages import Body, Duration, Rows, SendResult, Tags
from kubemq_nb.session.transactions import Transaction

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session


class Queues:
    """Durable queues: each message goes to exactly one receiver, first in first out."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        id: str | None = None,
        expiration: Duration | None = None,
        delay: Duration | None = None,
        max_receive_count: int | None = None,
        dead_letter: str | None = None,
        rows: Rows | None = None,
        client_id: str | None = None,
    ) -> "SendResult | DataFrame":
        """Send one message, or many with `rows`.

        Args:
            channel: Queue to send to; it comes into being with its first message.
            body: What to send: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body.
            tags: Text to text.
            id: Id of the message; one is made when it is left out.
            expiration: Seconds from the end of `delay` after which it is gone if nobody took it; whole.
            delay: Seconds before anybody can see it; whole.
            max_receive_count: Deliveries after which a reject moves it to `dead_letter`.
            dead_letter: Queue that takes it over then; it is dropped without one.
            rows: Many messages, sent in batches: a DataFrame, bodies or dicts. Other options apply to each
                row that does not set its own.
            client_id: Sender to be named instead of the session's client id.

        Returns:
            The result; with `rows` a frame of one line a message, in order, refused ones with their `error`.

        Raises:
            InvalidChannel: The name breaks a rule; nothing was sent.
            InvalidMessage: The message or its policy does; nothing was sent.
            OutcomeUnknown: The answer never came: look before sending again.
        """
        raise NotImplementedError

    def peek(
        self, channel: str, *, count: int = 32, wait: Duration = 1.0, client_id: str | None = None
    ) -> "DataFrame":
        """Look at the first messages and leave them in the queue.

        A real server removes expired messages and dead-letters spent ones as it looks.

        Args:
            channel: Queue to look at.
            count: Most messages to show, from 1 to 1024.
            wait: Seconds to wait for a first message; whole.
            client_id: Name to look under instead of the session's client id.
        """
        raise NotImplementedError

    def receive(
        self, channel: str, *, count: int = 32, wait: Duration = 1.0, client_id: str | None = None
    ) -> "DataFrame":
        """Take the first messages out of the queue.

        They are acknowledged when they have arrived here; an interrupt before that gives them back.

        Args:
            channel: Queue to take from.
            count: Most messages to take, from 1 to 1024.
            wait: Seconds to wait for a first message; what is there then is taken at once.
            client_id: Name to receive under instead of the session's client id.
        """
        raise NotImplementedError

    def ack_all(self, channel: str, *, client_id: str | None = None) -> int:
        """Remove all waiting messages and tell how many; delayed and held ones stay.

        Args:
            channel: Queue to empty.
            client_id: Name to do it under instead of the session's client id.
        """
        raise NotImplementedError

    def transaction(
        self,
        channel: str,
        *,
        count: int = 1,
        visibility: Duration = 30.0,
        wait: Duration = 10.0,
        hold: Duration = 600.0,
        client_id: str | None = None,
    ) -> Transaction:
        """Hold messages back from others until each is acknowledged, rejected or sent elsewhere.

        An empty queue gives a transaction that is `empty`, not an error.

        Args:
            channel: Queue to take from.
            count: Most messages to hold; more than one has no visibility to extend.
            visibility: Seconds after which the broker takes a message back; whole.
            wait: Seconds to wait for a first message; whole.
            hold: Seconds for which the transaction extends its visibility by itself; 0 leaves that to you.
            client_id: Name to hold under instead of the session's client id.
        """
        raise NotImplementedError
