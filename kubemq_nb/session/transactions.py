"""A transaction: messages held back from others until they are settled."""

from collections.abc import Iterable
from datetime import datetime
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Self

from kubemq_nb.messages import Body, Duration, QueueMessage, Settlement, Tags

if TYPE_CHECKING:
    from pandas import DataFrame

Sequences = int | Iterable[int]
"""One sequence, or several."""


class Transaction:
    """Messages of a queue held for one reader; also a job while it is open.

    Use it as a context manager: what is not settled when the block ends goes back to the queue.

    Attributes:
        id: Number of the job.
        channel: The queue.
        messages: What is held, settled ones included, in order.
        state: "open", "empty", "settled", "given back", "expired" or "lost".
        deadline: When the broker takes the message back, or None: it extends itself, or has no visibility.
    """

    id: int
    kind = "transaction"
    channel: str
    connection: str
    messages: list[QueueMessage]
    state: str
    deadline: datetime | None

    @property
    def message(self) -> QueueMessage | None:
        """The first message held, or None."""
        raise NotImplementedError

    @property
    def empty(self) -> bool:
        """Whether the queue had nothing to hold."""
        raise NotImplementedError

    @property
    def df(self) -> "DataFrame":
        """The messages as a frame."""
        raise NotImplementedError

    def ack(self, id: Sequences | None = None) -> Settlement:
        """Acknowledge: the message is done and gone.

        Args:
            id: Sequence of the message, or several; all that are held when left out.
        """
        raise NotImplementedError

    def reject(self, id: Sequences | None = None) -> Settlement:
        """Reject: the message goes to the end of its queue, received once more, or to its dead-letter queue.

        Args:
            id: Sequence of the message, or several; all that are held when left out.
        """
        raise NotImplementedError

    def extend(self, visibility: Duration) -> Settlement:
        """Set the visibility anew, counted from now.

        Args:
            visibility: Seconds; whole.
        """
        raise NotImplementedError

    def resend(self, channel: str, id: Sequences | None = None) -> Settlement:
        """Send the message on to another queue as it is, and take it out of this one.

        Args:
            channel: Queue to send to.
            id: Sequence of the message, or several; all that are held when left out.
        """
        raise NotImplementedError

    def modify(
        self,
        body: Body | EllipsisType = ...,
        *,
        metadata: str | EllipsisType = ...,
        tags: Tags | EllipsisType = ...,
        channel: str | EllipsisType = ...,
    ) -> Settlement:
        """Send a changed message, to the same queue or another, and take the original out.

        Args:
            body: New body; what is left out stays as it was.
            metadata: New text beside the body.
            tags: New tags, all of them.
            channel: Queue to send to; the same one when left out.
        """
        raise NotImplementedError

    def status(self) -> "DataFrame":
        """One line a message: its sequence, id, what became of it, and when its visibility ends."""
        raise NotImplementedError

    def close(self) -> Settlement:
        """Give back what is unsettled and end; safe to call again."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the job: the same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
