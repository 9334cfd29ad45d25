"""Messages of a queue in hand but not settled, over the QueuesDownstream stream.

The server's traps end here (docs/protocol.md, sections 10 and 13). Settling is answered only when it fails,
so a question that is answered follows. A poll lasts its whole wait unless it gets all it asked for, so no
more is asked for than is there. An empty poll may leave a transaction that swallows later messages, so it
is closed.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from kubemq_nb._wire import queue_requests, status
from kubemq_nb._wire.codec import queue_sequence
from kubemq_nb._wire.queue_requests import Settling
from kubemq_nb._wire.stub import DownstreamAnswer
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.counts import waiting
from kubemq_nb.errors import KubeMQError
from kubemq_nb.rules import MAX_MESSAGE_BYTES, MAX_MESSAGES

SHORTEST_WAIT = 1.0  # seconds; servers take less for this


class Downstream:
    """One stream, its messages, and which of them are still held.

    Attributes:
        payloads: All messages received, in queue order.
        held: Sequence to the server's transaction, of those not settled, in queue order.
    """

    def __init__(
        self,
        connection: Connection,
        channel: str,
        *,
        client_id: str,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self.payloads: list[bytes] = []
        self.held: dict[int, str] = {}
        self._connection = connection
        self._channel = channel
        self._client_id = client_id
        self._transactions: set[str] = set()  # not known to be closed
        self._stream = connection.converse(
            connection.stub.queues_downstream, kind="receive", channel=channel, on_end=on_end
        )

    def collect(self, *, count: int, wait: float) -> None:
        """Take up to `count`: what is there, or the first within `wait` seconds and what is there then."""
        there = waiting(self._connection, self._channel)
        if there is not None and not there.messages and not wait:
            return
        if not there or not there.messages:
            if not self._poll(1, wait):
                return
            there = waiting(self._connection, self._channel)
        missing = count - len(self.payloads)
        if there is None:
            self._poll_all(missing, 0)
        else:
            self._poll_all(min(missing, there.messages), there.average)

    def settle(self, settling: Settling, sequences: Sequence[int], *, what: str, to: str = "") -> None:
        """Settle held messages and have it confirmed; settled ones leave `held`, also when the rest fails."""
        attempt = self._connection.attempt(what, channel=self._channel, effect=True)
        for transaction, part in self._by_transaction(sequences):
            request = queue_requests.settle(settling, transaction, part, to=to)
            self._stream.send(request)
            refused = self._confirm(transaction, attempt, settled=request.RequestID)
            if refused:
                raise status.refusal(refused, attempt)

    def close(self) -> None:
        """Give back what is held, unchanged, and end the stream."""
        attempt = self._connection.attempt("the return of messages", channel=self._channel)
        # When the stream is gone its end has given everything back already.
        with suppress(KubeMQError):
            for transaction in list(self._transactions):
                self._stream.send(queue_requests.give_back(transaction))
                self._confirm(transaction, attempt)
        self.held.clear()
        self._stream.cancel()

    def cancel(self) -> None:
        """End the stream at once; the server gives back what is held."""
        self._stream.cancel()

    def _poll_all(self, count: int, average: int) -> None:
        while count > 0:
            asked = min(count, MAX_MESSAGES)
            if self._poll(asked, SHORTEST_WAIT, min(asked * average, MAX_MESSAGE_BYTES)) < asked:
                return  # somebody else was faster
            count -= asked

    def _poll(self, count: int, wait: float, size: int = 0) -> int:
        wait = max(wait, SHORTEST_WAIT)
        what = f"the receive from {self._channel}"
        attempt = self._connection.attempt(what, channel=self._channel, wait=wait, size=size)
        request = queue_requests.poll(self._channel, count=count, wait=wait, client_id=self._client_id)
        self._stream.send(request)
        answer = self._answer_to(request.RequestID, attempt)
        if answer.IsError:
            raise status.refusal(answer.Error, attempt)
        payloads = list(answer.Messages)
        self._transactions.add(answer.TransactionId)
        self.payloads += payloads
        # What has no sequence that can be read cannot be settled either: the end of the stream gives it back.
        named = filter(None, map(queue_sequence, payloads))
        self.held.update(dict.fromkeys(named, answer.TransactionId))
        return len(payloads)

    def _by_transaction(self, sequences: Iterable[int]) -> list[tuple[str, list[int]]]:
        parts: dict[str, list[int]] = {}
        for sequence in sequences:
            parts.setdefault(self.held[sequence], []).append(sequence)
        return list(parts.items())

    def _confirm(self, transaction: str, attempt: status.Attempt, *, settled: str = "") -> str:
        """Wait until all before is done; the answer is the refusal of the request `settled`, or ""."""
        question = queue_requests.active(transaction)
        self._stream.send(question)
        refused = ""
        while True:
            answer = self._connection.answer(self._stream, attempt)
            if answer.RefRequestId == settled and answer.IsError:
                refused = answer.Error
            elif answer.RefRequestId == question.RequestID:
                self._forget(transaction, answer)
                return refused

    def _forget(self, transaction: str, answer: DownstreamAnswer) -> None:
        """Drop what the server no longer holds; its error says that nothing is left and all is closed."""
        left = set() if answer.IsError else set(answer.ActiveOffsets)
        gone = [
            sequence
            for sequence, holder in self.held.items()
            if holder == transaction and sequence not in left
        ]
        for sequence in gone:
            del self.held[sequence]
        if answer.IsError:
            self._transactions.discard(transaction)

    def _answer_to(self, request_id: str, attempt: status.Attempt) -> DownstreamAnswer:
        while True:
            answer = self._connection.answer(self._stream, attempt)
            if answer.RefRequestId == request_id:
                return answer
