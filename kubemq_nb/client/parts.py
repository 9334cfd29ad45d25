"""Peeks and receives in parts: two private calls of our own broker.

The answer to one call would come when all of it is read, and nobody could work on it before. Other servers do
not know the calls (docs/adr/0011-reads-in-parts.md).
"""

import math
from collections.abc import Callable, Collection
from typing import NamedTuple

from kubemq_nb._wire import queue_requests, status
from kubemq_nb._wire.runs import Runs
from kubemq_nb._wire.stub import Part
from kubemq_nb.client.calls import Cancellation, PayloadStream, read_out
from kubemq_nb.client.connection import PACE, Connection
from kubemq_nb.client.downstream import SHORTEST_WAIT
from kubemq_nb.errors import KubeMQError
from kubemq_nb.rules import MAX_SENT_BYTES

PEEK_BYTES = 4_000_000  # enough for one look
UNCONFIRMED = "The broker did not confirm that these messages were received: they may come again."

Sink = Callable[[Collection[bytes]], None]
"""Takes the payloads of a read in parts, in order, as they come; `frames` takes Runs faster than others."""


class Received(NamedTuple):
    """What a peek or receive brought, as wire bytes in queue order."""

    payloads: list[bytes]  # empty when a sink took them
    expired: int | None = None  # dropped by this read as their time was over; None: the server does not tell
    delayed: int | None = None  # beside what a peek shows; None: the server does not tell, as in the next
    held: int | None = None
    cut: bool = False  # more is there than fits: 4 MB for a look, one gRPC message for a receive
    note: str = ""  # what to know about this read; "" when all is well


class InParts:
    """One read of a queue; in a worker only.

    Raises:
        NotSupported: This server does not know the call; nothing was read.
    """

    def __init__(
        self, connection: Connection, channel: str, *, client_id: str, sink: Sink, cancellation: Cancellation
    ) -> None:
        self._connection = connection
        self._channel = channel
        self._client_id = client_id
        self._sink = sink
        self._cancellation = cancellation

    def peek(self, count: int, wait: float) -> Received | None:
        """Look at up to `count`; None of what is large, which is better read by calls that know its size."""
        part, stream = self._read(count, math.ceil(wait), is_peek=True)
        read_out(stream)
        if part.IsLarge:
            return None
        delayed, held = (part.Delayed, part.Held) if part.HasField("Held") else (None, None)
        return Received(payloads=[], expired=part.Expired, delayed=delayed, held=held, cut=part.IsCut)

    def receive(self, count: int, wait: float, *, meanwhile: Callable[[], object]) -> Received | None:
        """Take up to `count`, and acknowledge them when all are here; None as of `peek`.

        `meanwhile` is done while the acknowledgement is under way.
        """
        part, stream = self._read(count, max(wait, SHORTEST_WAIT) if wait else 0.0, is_peek=False)
        if not part.Transaction:
            read_out(stream)
            return None if part.IsLarge else Received(payloads=[])
        try:
            self._cancellation.commit()
            note = self._acknowledged(part.Transaction, meanwhile)
        except BaseException:
            stream.cancel()  # what is not acknowledged goes back
            raise
        if note:
            stream.cancel()
        read_out(stream)
        return Received(payloads=[], cut=part.IsCut, note=note)

    def _read(self, count: int, wait: float, *, is_peek: bool) -> tuple[Part, PayloadStream[bytes]]:
        """Hand over all that comes; the last part, and the stream, which holds what was taken."""
        what = f"the {'peek at' if is_peek else 'receive from'} {self._channel}"
        attempt = self._connection.attempt(what, channel=self._channel, wait=max(wait, 1.0))
        request = queue_requests.in_parts(
            self._channel,
            count=count,
            wait=wait,
            is_peek=is_peek,
            client_id=self._client_id,
            most=PACE,  # of no more is the deadline later
            fitting=PEEK_BYTES if is_peek else MAX_SENT_BYTES,
        )
        parts: list[Part] = []

        def take(payload: bytes) -> bool:
            part = queue_requests.read_part(payload)
            if part.Runs and not part.Error:
                self._sink(Runs(payload, part.Runs))
            parts[:] = [part]
            return part.IsLast

        method = self._connection.stub.read_queue_in_parts
        stream = self._connection.read_parts(method, request, attempt, self._cancellation, take)
        if parts[0].Error:
            read_out(stream)
            raise status.refusal(parts[0].Error, attempt)
        return parts[0], stream

    def _acknowledged(self, transaction: str, meanwhile: Callable[[], object]) -> str:
        """Acknowledge what is in hand; a failure is a note, because raising would lose the messages."""
        what = f"the receipt from {self._channel}"
        attempt = self._connection.attempt(what, channel=self._channel, effect=True)
        arrived = queue_requests.arrived(transaction)
        try:
            pending = self._connection.start(self._connection.stub.acknowledge_parts, arrived, attempt)
            try:
                meanwhile()
            finally:
                self._connection.finish(pending, attempt)
        except KubeMQError:
            return UNCONFIRMED
        return ""
