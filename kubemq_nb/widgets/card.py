"""The card of held messages: how long the broker waits, what can be done, and what came of it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kubemq_nb import render
from kubemq_nb.errors import TransactionClosed
from kubemq_nb.messages import QueueMessage, Settlement
from kubemq_nb.render import span
from kubemq_nb.session import Transaction
from kubemq_nb.widgets import cells, peeked
from kubemq_nb.widgets.message import editable, edited

if TYPE_CHECKING:
    from kubemq_nb.widgets.tail import Row

VERBS = ("ack", "reject", "extend", "resend", "modify")

_DONE = {
    "acked": "Acked: removed from {channel}",
    "rejected": "Rejected: it goes to the end of {channel}, or to its dead-letter queue",
    "resent": "Resent: moved on from {channel}",
    "modified": "Modified: the changed message was sent, the original removed from {channel}",
    "closed": "Given back to {channel}",
}
_LOST = {
    "expired": "Its {seconds} ran out (error 129). {where}",
    "lost": "The connection broke. {where}",
}
_NEXT_TIME = "Next time: Extend before the bar ends, or hold for longer."


class Card:
    """What a view shows of a transaction, and the five things that it can be told to do."""

    def __init__(self, transaction: Transaction, *, name: str = "tx") -> None:
        self.transaction = transaction
        self.name = name  # what Python calls the transaction
        self._began = time.monotonic()
        self._visibility = _left(transaction.deadline)
        self._deadline = transaction.deadline
        self._done: dict[str, str] = {}  # what the last action came to
        self.call = ""  # the last action, as Python calls it

    def state(self) -> dict[str, object]:
        """The card as traits have it; empty when there was no message."""
        held = self.transaction
        if held.empty:
            return {}
        if held.deadline:
            self._deadline = held.deadline
        message, sequences = held.messages[0], held.sequences
        many = len(held.messages) > 1
        return {
            "state": "held" if sequences else "lost" if held.state in _LOST else "done",
            "title": _title(held),
            "about": "" if many else f"received {received(message)}",
            "deadline": int(held.deadline.timestamp() * 1000) if held.deadline else None,
            "visibility": self._visibility,
            "many": many,
            "resend": message.rerouted_from or message.dead_letter,
            "done": self._done or self._ended(),
        }

    def actions(self) -> Mapping[str, Callable[[Mapping[str, Any]], object]]:
        """The five verbs, each the method of the transaction."""
        return {
            "ack": lambda _: self._settle("ack", "ack()", lambda tx: tx.ack()),
            "reject": lambda _: self._settle("reject", "reject()", lambda tx: tx.reject()),
            "extend": lambda message: self.extend(message["seconds"]),
            "resend": lambda message: self.resend(str(message["channel"]).strip()),
            "modify": self.modify,
        }

    def extend(self, seconds: object) -> None:
        """Let the visibility run out so many seconds from now.

        Raises:
            ValueError: It is no number of seconds.
        """
        try:
            visibility = float(str(seconds).strip().removesuffix("s"))
        except ValueError:
            raise ValueError(f"extend wants seconds, such as 30, not {cells.cut(str(seconds))}") from None
        self._settle("extend", f"extend({visibility:g})", lambda tx: tx.extend(visibility))
        self._visibility = visibility

    def resend(self, channel: str) -> None:
        """Move what is held to another queue.

        Raises:
            ValueError: No queue was named.
        """
        if not channel:
            raise ValueError("resend wants a queue to send to. Nothing was sent.")
        self._settle("resend", f"resend({channel!r})", lambda tx: tx.resend(channel))

    def modify(self, message: Mapping[str, Any]) -> None:
        """Send a changed message in place of the one that is held.

        Raises:
            ValueError: It cannot be sent so; it is held as before.
        """
        fields = edited(message["fields"], editable(self._row()))
        told = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        self._settle("modify", f"modify({cells.cut(told)})", lambda tx: tx.modify(**fields))

    def _row(self) -> "Row":
        return peeked.first(self.transaction.df)

    def _settle(self, verb: str, code: str, call: Callable[[Transaction], Settlement]) -> None:
        began = time.monotonic()
        self.call = code
        try:
            settlement = call(self.transaction)
        except TransactionClosed as error:
            self._done = self._too_late(verb, error)
            return
        took = time.monotonic() - began
        if verb == "extend":
            return
        told = _DONE[self.transaction.state].format(channel=self.transaction.channel)
        after = span(began - self._began) if began - self._began >= 1 else "less than 1 s"
        verb_done, _, rest = told.partition(":")
        self._done = {
            "tone": "good",
            "text": f"{verb_done} after {after}:{rest}{_to(settlement)} ({span(took)}).",
            "hint": f"{self.name}.{code} gives Settlement({_fields(settlement)})",
        }

    def _too_late(self, verb: str, error: TransactionClosed) -> dict[str, str]:
        """The answer to an action on a message that is no longer held."""
        if self.transaction.state != "expired":
            return {"tone": "bad", "text": str(error), "hint": ""}
        over = -_left(self._deadline)
        ago = f"{span(over)} before" if over >= 1 else "just before"
        why = f"its {self._seconds()} ran out {ago} (error 129)"
        text = f"{verb.capitalize()} came too late: {why}. {self._where()}"
        return {"tone": "bad", "text": text, "hint": _NEXT_TIME}

    def _ended(self) -> dict[str, str]:
        """How it ended without this view: by itself, or by a call in a cell."""
        held = self.transaction
        if held.sequences:
            return {}
        if told := _LOST.get(held.state):
            text = told.format(seconds=self._seconds(), where=self._where())
            return {"tone": "bad", "text": text, "hint": _NEXT_TIME if held.state == "expired" else ""}
        return {"tone": "good", "text": f"{_DONE[held.state].format(channel=held.channel)}.", "hint": ""}

    def _where(self) -> str:
        """Where a message is that was given back: a receive more counts, and there may be a limit."""
        message = self.transaction.messages[0]
        if message.dead_letter and message.receive_count >= message.max_receive_count:
            return f"It goes to {message.dead_letter}, received {received(message)}."
        again = replace(message, receive_count=message.receive_count + 1)
        return f"It is back in the queue, received {received(again)}."

    def _seconds(self) -> str:
        return f"{self._visibility:,.0f} s"


def received(message: QueueMessage) -> str:
    """How often a message was received, and of how many times when there is a limit."""
    limit = f" of {message.max_receive_count:,}" if message.dead_letter else ""
    count = message.receive_count
    return f"{count:,}{limit}" if limit else render.counted(count, "time")


def _title(held: Transaction) -> str:
    if len(held.messages) == 1:
        return f"sequence {render.count(held.messages[0].sequence or 0)}"
    return render.counted(len(held.sequences) or len(held.messages), "message")


def _left(deadline: datetime | None) -> float:
    return round(deadline.timestamp() - time.time(), 1) if deadline else 0.0


def _to(settlement: Settlement) -> str:
    return f", to {settlement.to}" if settlement.to else ""


def _fields(settlement: Settlement) -> str:
    sequences = ", ".join(str(each) for each in settlement.sequences)
    return f"sequences=({sequences},), is_error={settlement.is_error}"
