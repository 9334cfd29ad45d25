"""Several messages held open over the QueuesDownstream stream."""

import threading
from collections.abc import Iterable
from typing import Self

from kubemq_nb._wire.queue_requests import Settling
from kubemq_nb.client import checks
from kubemq_nb.client.calls import Cancellation
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.downstream import Downstream
from kubemq_nb.client.transaction_state import OnChange, SettlingName, State
from kubemq_nb.errors import NotSupported, RequestRejected, TransactionClosed
from kubemq_nb.messages import Settlement


class ManyTransaction:
    """Several messages held until settled or given back; there is no visibility time, so nothing to extend.

    Attributes:
        payloads: All messages received, as wire bytes in queue order; settled ones stay here.
        state: `held` while any is; then what was done with the last, or `closed`, or `lost`.
    """

    def __init__(
        self, connection: Connection, channel: str, *, client_id: str, on_change: OnChange | None = None
    ) -> None:
        self.payloads: list[bytes] = []
        self.state: State = "empty"
        self._channel = channel
        self._on_change = on_change
        self._lock = threading.Lock()
        self._stream_over = False
        self._downstream = Downstream(connection, channel, client_id=client_id, on_end=self._stream_ended)
        connection.adopt(self)

    @classmethod
    def receive(
        cls,
        connection: Connection,
        channel: str,
        *,
        count: int,
        wait: float,
        client_id: str,
        on_change: OnChange | None = None,
    ) -> Self:
        """Take up to `count` messages: what is there, or the first that comes within `wait` seconds."""
        checks.check_queue(channel)
        checks.check_client_id(client_id, channel=channel)
        checks.check_bounds(channel, count=count, wait=wait)

        transaction = cls(connection, channel, client_id=client_id, on_change=on_change)

        def work(cancellation: Cancellation) -> None:
            cancellation.attach(transaction)
            transaction._receive(count, wait)

        connection.run(work, kind="receive", channel=channel)
        return transaction

    @property
    def is_open(self) -> bool:
        """Whether something is held."""
        return self.state == "held"

    @property
    def sequences(self) -> tuple[int, ...]:
        """Sequences still held, in queue order."""
        return tuple(self._downstream.held)

    def ack(self, sequences: Iterable[int] | None = None) -> Settlement:
        """Remove these for good; None is all still held."""
        return self._settle(Settling.ACK, "ack", "acked", sequences)

    def reject(self, sequences: Iterable[int] | None = None) -> Settlement:
        """Give these back as refused, in order: tail, receive count raised, or dead-letter queue."""
        return self._settle(Settling.REJECT, "reject", "rejected", sequences)

    def resend(self, channel: str, sequences: Iterable[int] | None = None) -> Settlement:
        """Move these, as new messages, to another queue."""
        checks.check_queue(channel)
        return self._settle(Settling.RESEND, "resend", "resent", sequences, to=channel)

    def extend(self, visibility: float) -> Settlement:  # noqa: ARG002 (the signature of OneTransaction)
        """Refused: there is no visibility here.

        Raises:
            NotSupported: Always.
        """
        raise NotSupported(
            "A transaction of several messages has no visibility to extend:"
            " it holds them until they are settled or it is closed.",
            channel=self._channel,
        )

    def close(self) -> Settlement:
        """Give back what is held: same place, same count. Closing again does nothing."""
        with self._lock:
            sequences = self.sequences if self.state == "held" else ()
            if self.state == "held":
                self._finish("closed")
            self._downstream.close()
        return Settlement(action="close", channel=self._channel, sequences=sequences)

    def cancel(self) -> None:
        """End the stream at once; the server gives the messages back."""
        self._downstream.cancel()

    def _receive(self, count: int, wait: float) -> None:
        try:
            self._downstream.collect(count=count, wait=wait)
        except BaseException:
            self._downstream.close()
            raise
        self.payloads = self._downstream.payloads
        if self.payloads:
            with self._lock:
                self.state = "held"
                self._notice_end()
        else:
            self._downstream.close()

    def _settle(
        self,
        settling: Settling,
        name: SettlingName,
        state: State,
        sequences: Iterable[int] | None,
        *,
        to: str = "",
    ) -> Settlement:
        with self._lock:
            chosen = self._chosen(name, sequences)
            what = f"the {name} of {len(chosen):,} messages of {self._channel}"
            self._downstream.settle(settling, chosen, what=what, to=to)
            over = not self.sequences
            if over:
                self._finish(state)
                self._downstream.close()
        return Settlement(action=name, channel=self._channel, sequences=tuple(chosen), to=to)

    def _chosen(self, name: str, sequences: Iterable[int] | None) -> list[int]:
        if self.state != "held":
            raise TransactionClosed(
                f"Too late to {name} on {self._channel}: the transaction is over ({self.state}).",
                channel=self._channel,
            )
        chosen = list(self.sequences if sequences is None else dict.fromkeys(sequences))
        strange = [sequence for sequence in chosen if sequence not in self._downstream.held]
        if strange:
            held = ", ".join(f"{sequence:,}" for sequence in self.sequences)
            raise RequestRejected(
                f"Not held here: {', '.join(map(str, strange))}. Held are {held}. Nothing was done.",
                channel=self._channel,
            )
        return chosen

    def _stream_ended(self) -> None:
        with self._lock:
            self._stream_over = True
            self._notice_end()

    def _notice_end(self) -> None:
        if self._stream_over and self.state == "held":
            self._finish("lost")

    def _finish(self, state: State) -> None:
        self.state = state
        if self._on_change:
            self._on_change()
