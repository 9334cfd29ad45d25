"""One message held open over the StreamQueueMessage stream."""

import math
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Self

from kubemq_nb._wire import codec, queue_requests, status
from kubemq_nb._wire.queue_requests import Action
from kubemq_nb.client import checks
from kubemq_nb.client.calls import Cancellation
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.counts import NONE, waiting
from kubemq_nb.client.ids import new_id
from kubemq_nb.client.transaction_state import OnChange, SettlingName, State
from kubemq_nb.errors import KubeMQError, OutcomeUnknown, TransactionClosed
from kubemq_nb.messages import QueueMessage, Settlement
from kubemq_nb.rules import MAX_MESSAGE_BYTES

_WORDS: dict[State, str] = {
    "empty": "there was no message",
    "acked": "the message was acknowledged",
    "rejected": "the message was rejected",
    "resent": "the message was sent on",
    "modified": "the message was sent on, modified",
    "expired": "its visibility ran out and the message is back in the queue (error 129)",
    "closed": "the message was given back",
    "lost": "the connection broke and the message is back in the queue",
}
_RENEWALS = 3  # in one visibility time


class OneTransaction:
    """One message, invisible to others until settled, given back, or out of visibility time.

    Attributes:
        payload: The message as wire bytes; None when the queue stayed empty.
        sequence: Its sequence; 0 when empty.
        state: `held` until something ends it; `expired`: visibility ran out, `lost`: the connection broke.
        deadline: When it goes back by itself (aware UTC); None when not held.
    """

    def __init__(
        self, connection: Connection, channel: str, *, client_id: str, on_change: OnChange | None = None
    ) -> None:
        self.payload: bytes | None = None
        self.sequence = 0
        self.state: State = "empty"
        self.deadline: datetime | None = None
        self._connection = connection
        self._channel = channel
        self._client_id = client_id
        self._on_change = on_change
        self._visibility = 0
        self._hold_until = 0.0  # monotonic
        self._lock = threading.Lock()  # one question on the stream at a time
        self._ended = threading.Event()
        self._stream_over = False
        self._stream = connection.converse(
            connection.stub.stream_queue_message,
            kind="transaction",
            channel=channel,
            on_end=self._stream_ended,
        )

    @classmethod
    def receive(
        cls,
        connection: Connection,
        channel: str,
        *,
        visibility: float,
        wait: float,
        hold: float,
        client_id: str,
        on_change: OnChange | None = None,
    ) -> Self:
        """Take one message, waiting up to `wait` seconds; an empty queue gives an `empty` transaction.

        Visibility (whole seconds) is renewed in the background until `hold` seconds are over; 0 switches that
        off. `on_change` is called, from another thread, when `state` or `deadline` changes.
        """
        checks.check_queue(channel)
        checks.check_client_id(client_id, channel=channel)
        checks.check_bounds(channel, count=1, wait=wait)
        seconds = checks.whole_visibility(channel, visibility)

        transaction = cls(connection, channel, client_id=client_id, on_change=on_change)

        def work(cancellation: Cancellation) -> None:
            cancellation.attach(transaction)
            transaction._receive(seconds, wait, hold)

        connection.run(work, kind="receive", channel=channel)
        return transaction

    def ack(self) -> Settlement:
        """Remove the message for good."""
        return self._settle(Action.ACK, "ack", "acked")

    def reject(self) -> Settlement:
        """Give it back as refused: tail of the queue, receive count raised, or its dead-letter queue."""
        return self._settle(Action.REJECT, "reject", "rejected")

    def resend(self, channel: str) -> Settlement:
        """Move it, as a new message, to another queue."""
        checks.check_queue(channel)
        return self._settle(Action.RESEND, "resend", "resent", to=channel)

    def modify(self, message: QueueMessage) -> Settlement:
        """Send `message` in its place (to `message.channel`) and remove the original."""
        checks.check_queue_message(message)
        return self._settle(Action.MODIFY, "modify", "modified", to=message.channel, message=message)

    def extend(self, visibility: float) -> Settlement:
        """Let visibility run out this many whole seconds from now."""
        seconds = checks.whole_visibility(self._channel, visibility)
        with self._lock:
            self._require_held("extend")
            self._hold_until = max(self._hold_until, time.monotonic() + seconds) if self._renews else 0.0
            self._extend(seconds)
            until = self.deadline
        return Settlement(action="extend", channel=self._channel, sequences=(self.sequence,), until=until)

    def close(self) -> Settlement:
        """Give it back if still held: tail of the queue, receive count raised. Closing again does nothing."""
        sequences: tuple[int, ...] = ()
        with self._lock:
            if self.state == "held":
                sequences = (self.sequence,)
                self._give_back()
        self._stream.cancel()
        return Settlement(action="close", channel=self._channel, sequences=sequences)

    def cancel(self) -> None:
        """End the stream at once; the server gives the message back."""
        self._stream.cancel()

    @property
    def is_open(self) -> bool:
        """Whether something is held."""
        return self.state == "held"

    @property
    def _renews(self) -> bool:
        return self._hold_until > 0

    def _receive(self, visibility: int, wait: float, hold: float) -> None:
        there = waiting(self._connection, self._channel) or NONE
        attempt = self._connection.attempt(
            f"the receive from {self._channel}",
            channel=self._channel,
            wait=max(wait, 1.0),
            size=min(there.average, MAX_MESSAGE_BYTES),
        )
        request = queue_requests.one(
            Action.RECEIVE, client_id=self._client_id, channel=self._channel, visibility=visibility, wait=wait
        )
        self._connection.adopt(self)
        self._stream.send(request)
        answer = self._connection.answer(self._stream, attempt)
        if answer.IsError:
            self._stream.cancel()
            if status.number_of(answer.Error) in (status.NOTHING_THERE, status.VISIBILITY_OVER):
                return  # 129 here is how a real server tells that only an expired message was there
            raise status.refusal(answer.Error, attempt)
        self.payload = answer.Message
        self.sequence = codec.queue_sequence(answer.Message)
        self._visibility = visibility
        self._hold_until = time.monotonic() + hold if hold > 0 else 0.0
        self._set_deadline()
        with self._lock:
            self.state = "held"
            self._notice_end()
        if self._renews:
            name = f"kubemq-nb:extend:{self._channel}"
            threading.Thread(target=self._keep_renewing, name=name, daemon=True).start()

    def _settle(
        self,
        action: Action,
        name: SettlingName,
        state: State,
        *,
        to: str = "",
        message: QueueMessage | None = None,
    ) -> Settlement:
        with self._lock:
            self._require_held(name)
            try:
                self._ask(action, name, to=to, message=message)
            except OutcomeUnknown:
                self._finish("lost")
                self._stream.cancel()
                raise
            self._finish(state)
        self._stream.cancel()
        return Settlement(action=name, channel=self._channel, sequences=(self.sequence,), to=to)

    def _give_back(self) -> None:
        """Reject does what the end of the stream does, and is confirmed."""
        # When it fails, the end of the stream gives back as well.
        with suppress(KubeMQError):
            self._ask(Action.REJECT, "return")
        if self.state == "held":
            self._finish("closed")

    def _extend(self, seconds: int) -> None:
        self._ask(Action.EXTEND, "extension", visibility=seconds)
        self._visibility = seconds
        self._set_deadline()
        self._changed()

    def _ask(
        self,
        action: Action,
        name: str,
        *,
        to: str = "",
        visibility: int = 0,
        message: QueueMessage | None = None,
    ) -> None:
        """Ask and wait for the answer; the end of visibility is met first, whatever was asked."""
        what = f"the {name} of message {self.sequence:,} of {self._channel}"
        effect = action is not Action.EXTEND
        attempt = self._connection.attempt(what, channel=self._channel, effect=effect)
        request = queue_requests.one(
            action,
            client_id=self._client_id,
            channel=to,
            sequence=self.sequence,
            visibility=visibility,
            message=codec.encode_queue_message(message, id=new_id()) if message else None,
        )
        self._stream.send(request)
        while True:
            answer = self._connection.answer(self._stream, attempt)
            if answer.IsError:
                if status.number_of(answer.Error) == status.VISIBILITY_OVER:
                    self._finish("expired")
                raise status.refusal(answer.Error, attempt)
            if answer.RequestID == request.RequestID:
                return

    def _keep_renewing(self) -> None:
        while not self._ended.wait(self._visibility / _RENEWALS):
            with self._lock:
                left = self._hold_until - time.monotonic()
                if self.state != "held" or left <= 0:
                    return
                try:
                    self._extend(min(self._visibility, math.ceil(left)))
                except KubeMQError:
                    return  # the end of the stream tells the rest

    def _stream_ended(self) -> None:
        """Called by the stream's thread: if nobody has settled, either visibility ran out or it broke."""
        with self._lock:
            self._stream_over = True
            self._notice_end()

    def _notice_end(self) -> None:
        if self._stream_over and self.state == "held":
            self._finish("expired" if self._ran_out() else "lost")

    def _ran_out(self) -> bool:
        attempt = self._connection.attempt("the end of the stream")  # which is there, so nothing waits
        with suppress(KubeMQError):
            answer = self._connection.answer_or_end(self._stream, attempt)
            return bool(answer and status.number_of(answer.Error) == status.VISIBILITY_OVER)
        return False

    def _require_held(self, name: str) -> None:
        if self.state != "held":
            raise TransactionClosed(
                f"Too late to {name} on {self._channel}: {_WORDS[self.state]}.",
                sequences=(self.sequence,) if self.sequence else (),
                channel=self._channel,
                number=status.VISIBILITY_OVER if self.state == "expired" else None,
            )

    def _set_deadline(self) -> None:
        left = max(float(self._visibility), self._hold_until - time.monotonic())
        self.deadline = datetime.now(UTC) + timedelta(seconds=left)

    def _finish(self, state: State) -> None:
        self.state = state
        self.deadline = None
        self._ended.set()
        self._changed()

    def _changed(self) -> None:
        if self._on_change:
            self._on_change()
