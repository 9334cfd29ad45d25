"""A transaction: messages held back from others until they are settled."""

from collections.abc import Iterable
from datetime import UTC, datetime
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Self

from kubemq_nb import frames
from kubemq_nb._wire import codec
from kubemq_nb.client.transactions import ManyTransaction, OneTransaction
from kubemq_nb.errors import NotSupported, TransactionClosed
from kubemq_nb.messages import Body, Duration, QueueMessage, Settlement, Tags, as_seconds, as_tags
from kubemq_nb.session.outgoing import bytes_of

if TYPE_CHECKING:
    from pandas import DataFrame

Sequences = int | Iterable[int]
"""One sequence, or several."""

STATUS = {
    "id": "object",
    "sequence": "int64",
    "state": "object",
    "receive_count": "int64",
    "deadline": frames.TIME,
}
WORDS = {"ack": "acked", "reject": "rejected", "resend": "resent", "modify": "modified", "close": "closed"}


class Transaction:
    """Messages of a queue held for one reader; also a job while it is open.

    Use it as a context manager: what is not settled when the block ends goes back to the queue.

    Attributes:
        id: Number of the job.
        channel: The queue.
        connection: Name of its session.
        code: The line that made it.
        since: When it began.
        missing: Why it holds nothing from the beginning; "" where it does.
        messages: All that were held, in order; settled ones stay here.
        version: Grows with every change, so that a view repaints only then.
    """

    id = 0
    kind = "transaction"

    def __init__(self, channel: str, *, connection: str = "", code: str = "") -> None:
        self.channel = channel
        self.connection = connection
        self.code = code
        self.since = datetime.now(UTC)
        self.missing = ""
        self.messages: list[QueueMessage] = []
        self.version = 0
        self._payloads: list[bytes] = []
        self._became: dict[int, str] = {}  # by sequence, what was settled

    def changed(self) -> None:
        """Told by the client that state or deadline are others now."""
        self.version += 1

    def hold(self, held: OneTransaction | ManyTransaction) -> None:
        """Take what the client received."""
        self._held = held
        if isinstance(held, OneTransaction):
            self._payloads = [held.payload] if held.payload is not None else []
        else:
            self._payloads = held.payloads
        self.messages = [codec.decode_queue_message(payload) for payload in self._payloads]

    @property
    def state(self) -> str:
        """empty, held, acked, rejected, resent, modified, expired (visibility ran out), closed or lost."""
        return self._held.state

    @property
    def deadline(self) -> datetime | None:
        """When the broker takes the message back; None when it is not held, or has no visibility."""
        return self._held.deadline if isinstance(self._held, OneTransaction) else None

    @property
    def message(self) -> QueueMessage | None:
        """The first message, or None."""
        return self.messages[0] if self.messages else None

    @property
    def empty(self) -> bool:
        """Whether the queue had nothing to hold."""
        return not self.messages

    @property
    def sequences(self) -> tuple[int, ...]:
        """Sequences still held, in queue order."""
        if isinstance(self._held, ManyTransaction):
            return self._held.sequences
        return (self._held.sequence,) if self._held.state == "held" else ()

    @property
    def received(self) -> int:
        """How many messages it held at first."""
        return len(self.messages)

    @property
    def errors(self) -> int:
        """1 when it ended by itself: visibility ran out or the connection broke."""
        return int(self.state in {"expired", "lost"})

    @property
    def note(self) -> str:
        """What is held, or how it ended."""
        if self.empty:
            return self.missing
        held = ", ".join(map(str, self.sequences))
        return f"holds sequence {held}" if held else ""

    @property
    def finished(self) -> bool:
        """Whether nothing is held any more."""
        return not self.sequences

    @property
    def df(self) -> "DataFrame":
        """The messages as a frame; settled ones stay in it."""
        return frames.queue_messages(self._payloads, channel=self.channel, is_peek=False, state=self.state)

    def ack(self, id: Sequences | None = None) -> Settlement:
        """Acknowledge: the message is done and gone.

        Args:
            id: Sequence of the message, or several; all that are held when left out.
        """
        chosen = self._chosen(id)
        held = self._held
        return self._settled(held.ack() if isinstance(held, OneTransaction) else held.ack(chosen))

    def reject(self, id: Sequences | None = None) -> Settlement:
        """Reject: the message goes to the end of its queue, received once more, or to its dead-letter queue.

        Args:
            id: Sequence of the message, or several; all that are held when left out.
        """
        chosen = self._chosen(id)
        held = self._held
        return self._settled(held.reject() if isinstance(held, OneTransaction) else held.reject(chosen))

    def extend(self, visibility: Duration) -> Settlement:
        """Set the visibility anew, counted from now.

        Args:
            visibility: Seconds; whole.
        """
        if isinstance(self._held, ManyTransaction):
            raise NotSupported(
                "A transaction of several messages has no visibility to extend: "
                "they are held until you settle them or the connection ends.",
                channel=self.channel,
            )
        self._chosen(None)
        return self._settled(self._held.extend(as_seconds(visibility)))

    def resend(self, channel: str, id: Sequences | None = None) -> Settlement:
        """Send the message on to another queue as it is, and take it out of this one.

        Args:
            channel: Queue to send to.
            id: Sequence of the message, or several; all that are held when left out.
        """
        chosen = self._chosen(id)
        held = self._held
        if isinstance(held, OneTransaction):
            return self._settled(held.resend(channel))
        return self._settled(held.resend(channel, chosen))

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
        if isinstance(self._held, ManyTransaction):
            raise NotSupported(
                "Only a transaction of one message can modify it: open one with count=1.",
                channel=self.channel,
            )
        self._chosen(None)
        was = self.messages[0]
        changed = QueueMessage(
            channel=was.channel if isinstance(channel, EllipsisType) else channel,
            body=was.body if isinstance(body, EllipsisType) else bytes_of(body),
            id=was.id,
            metadata=was.metadata if isinstance(metadata, EllipsisType) else metadata,
            tags=was.tags if isinstance(tags, EllipsisType) else as_tags(tags),
            client_id=was.client_id,
            expiration=was.expiration,
            max_receive_count=was.max_receive_count,
            dead_letter=was.dead_letter,
        )
        return self._settled(self._held.modify(changed))

    def status(self) -> "DataFrame":
        """One line a message: its id and sequence, what became of it, and when its visibility ends."""
        held = set(self.sequences)
        columns: dict[str, list[object]] = {
            "id": [message.id for message in self.messages],
            "sequence": [message.sequence for message in self.messages],
            "state": ["held" if each.sequence in held else self._end(each) for each in self.messages],
            "receive_count": [message.receive_count for message in self.messages],
            "deadline": [self.deadline if each.sequence in held else None for each in self.messages],
        }
        return frames.table(columns, STATUS, channel=self.channel, state=self.state, note=self.note)

    def close(self) -> Settlement:
        """Give back what is unsettled and end; safe to call again."""
        return self._settled(self._held.close())

    def stop(self) -> None:
        """End the job: the same as `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_held"):  # a receive fails, and its traceback shows this
            return f"<Transaction on {self.channel}: not open>"
        held = ", ".join(map(str, self.sequences))
        return f"<Transaction on {self.channel}: {f'holds {held}' if held else self.state}>"

    def _chosen(self, id: Sequences | None) -> list[int] | None:
        """The sequences that a verb is about, all of them held here."""
        if self.empty:
            raise TransactionClosed(f"{self.channel} had no message to settle.", channel=self.channel)
        if id is None:
            return None
        chosen = [id] if isinstance(id, int) else list(id)
        strange = [sequence for sequence in chosen if sequence not in self.sequences]
        if strange:
            held = ", ".join(map(str, self.sequences)) or "nothing"
            raise TransactionClosed(
                f"Sequence {', '.join(map(str, strange))} is not held here: this transaction on "
                f"{self.channel} holds {held}.",
                channel=self.channel,
                sequences=strange,
            )
        return chosen

    def _settled(self, settlement: Settlement) -> Settlement:
        if settlement.action in WORDS and not settlement.is_error:
            self._became.update(dict.fromkeys(settlement.sequences, WORDS[settlement.action]))
        self.changed()
        return settlement

    def _end(self, message: QueueMessage) -> str:
        return self._became.get(message.sequence or 0, self.state)
