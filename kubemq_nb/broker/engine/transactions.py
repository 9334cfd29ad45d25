"""Transactions of QueuesDownstream: several messages held by one stream until it settles them or goes.

What is held is noted nowhere but here: when the stream or the broker ends, the messages are where they
were, at their old places and with their old counts, as on the real server.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.delivery import Poll, Receive, Received, unread
from kubemq_nb.broker.engine.plan import Message, Plan, ReadMessages
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import INVALID_NAME, is_storable
from kubemq_nb.broker.engine.sequences import Sequences
from kubemq_nb.broker.engine.settling import Settlement

ACK_ALL, ACK_RANGE, NACK_ALL, NACK_RANGE, REQUEUE_ALL, REQUEUE_RANGE, ACTIVE_OFFSETS = range(2, 9)
CLOSE_BY_CLIENT = 10
RANGES = (ACK_RANGE, NACK_RANGE, REQUEUE_RANGE)

NOT_FOUND = "transaction is completed or transaction id not found"
UNKNOWN = "request unknown"
# What each action is called in refusals: of a closed transaction, of an empty range, of an unknown sequence.
CLOSED_WORDS = {
    ACK_ALL: "ack",
    ACK_RANGE: "ack",
    NACK_ALL: "nack",
    NACK_RANGE: "nack",
    REQUEUE_ALL: "ack",
    REQUEUE_RANGE: "requeue",
}
RANGE_WORDS = {ACK_RANGE: ("ack", "ack"), NACK_RANGE: ("nack", "nack"), REQUEUE_RANGE: ("requeue", "ack")}
NO_TARGET = "cannot requeue messages with empty channel destination "

ALL_ITEMS = 200_000  # what a Get without a number asks for
SHORTEST_WAIT = 1000  # milliseconds
REMEMBERED = 10_000  # closed transactions of one stream that are still told apart from unknown ones


class Get(NamedTuple):
    """A request for messages."""

    client_id: str
    channel: str
    limit: int
    wait: int  # milliseconds
    auto_ack: bool


class Action(NamedTuple):
    """A request to settle messages of a transaction."""

    type: int
    transaction: str
    sequences: Sequence[int]
    target: str  # queue to send to


Done = Callable[[str], None]
"""Gets the empty text, or why an action failed."""


class Transaction:
    """Messages of one queue, held by one stream."""

    def __init__(self, queue: Queue, messages: Sequence[Message]) -> None:
        self.queue = queue
        # Without their content; a constructor of named tuples takes twice as long for each.
        bare = [tuple.__new__(Message, (*message[:2], b"", *message[3:])) for message in messages]
        self.held: dict[int, Message] = {message.sequence: message for message in bare}

    def release(self) -> None:
        """Put everything back that is not settled."""
        held, self.held = self.held, {}
        self.queue.put_back(held)


class Consumer:
    """One stream: at most one Get at a time, and its transactions."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._transactions: dict[str, Transaction | None] = {}  # None: closed
        self._under_way: Take | Receive | None = None
        self._closed = False

    def get(self, transaction: str, request: Get, reply: Received) -> None:
        """Wait for messages, then hold them under this id; auto-acknowledged ones are deleted instead."""
        queue = self._queues.get(request.channel)
        count = request.limit if request.limit > 0 else ALL_ITEMS
        until = self._queues.clock.now() + max(request.wait, SHORTEST_WAIT) * SECOND // 1000

        def holding(messages: list[Message], expired: int, error: str) -> None:
            held = messages and not request.auto_ack
            self._transactions[transaction] = Transaction(queue, messages) if held else None
            self._forget_old()
            reply(messages, expired, error)

        kind = Receive if request.auto_ack else Take
        self._under_way = kind(self._queues, queue, count, until, holding)

    def confirm(self) -> None:
        """The answer to the Get is with the network."""
        if self._under_way is not None:
            self._under_way.confirm()

    def close(self) -> None:
        """The stream has ended: everything not settled returns."""
        self._closed = True
        if self._under_way is not None:
            self._under_way.cancel()
        for transaction in self._transactions.values():
            if transaction is not None:
                transaction.release()
        self._transactions.clear()

    def active(self, transaction: str) -> list[int] | str:
        """The sequences not settled yet, or why there are none."""
        if transaction not in self._transactions:
            return NOT_FOUND
        found = self._transactions[transaction]
        return list(found.held) if found else "cannot get active offsets with closed response "

    def settle(self, action: Action, done: Done) -> None:
        """Carry out one action; `done` is called once it is committed, or with the reason why it was not."""
        if action.transaction not in self._transactions:
            done(NOT_FOUND)
            return
        if action.type not in CLOSED_WORDS and action.type != CLOSE_BY_CLIENT:
            done(UNKNOWN)
            return
        transaction = self._transactions[action.transaction]
        if action.type == CLOSE_BY_CLIENT:
            if transaction is not None:
                transaction.release()
            self._transactions[action.transaction] = None
            done("")
        elif transaction is None:
            done(f"cannot {CLOSED_WORDS[action.type]} messages with closed response ")
        else:
            self._settle_held(transaction, action, done)

    def _settle_held(self, transaction: Transaction, action: Action, done: Done) -> None:
        sequences, error = chosen(transaction, action)
        if not sequences:
            done(error)
            return
        messages = [transaction.held.pop(sequence) for sequence in sequences]
        if not transaction.held:
            self._transactions[action.transaction] = None
        settlement = Settlement(self._queues)
        self._apply(settlement, action, transaction.queue, messages)

        def failed(reason: str) -> None:
            transaction.held.update((message.sequence, message) for message in messages)
            self._transactions[action.transaction] = transaction
            if self._closed:
                transaction.release()
            done(reason)

        settlement.commit(lambda: done(error), failed)

    def _apply(
        self, settlement: Settlement, action: Action, queue: Queue, messages: Sequence[Message]
    ) -> None:
        if action.type in (ACK_ALL, ACK_RANGE):
            settlement.ack(queue, messages)
        elif action.type in (NACK_ALL, NACK_RANGE):
            for message in messages:
                settlement.give_back(queue, message)
        else:
            target = self._queues.get(action.target)
            for message in messages:
                settlement.resend(queue, message, target)

    def _forget_old(self) -> None:
        while len(self._transactions) > REMEMBERED:
            oldest = next((id for id, found in self._transactions.items() if found is None), None)
            if oldest is None:
                return
            del self._transactions[oldest]


class Take:
    """Takes messages and reads them; nothing is deleted."""

    def __init__(self, queues: Queues, queue: Queue, count: int, until: int, reply: Received) -> None:
        self._queues = queues
        self._queue = queue
        self._reply = reply
        self._cancelled = False
        self._poll = Poll(queues, queue, count, until, self._collected)

    def confirm(self) -> None:
        """The answer is with the network, which changes nothing: the messages are held, not deleted."""

    def cancel(self) -> None:
        """The stream has ended."""
        self._cancelled = True
        self._poll.cancel()

    def _collected(self, taken: Sequences, expired: int) -> None:
        if not taken:
            self._reply([], expired, "")
            return
        sequences = list(taken)
        self._queues.commit(
            Plan(
                operations=[ReadMessages(self._queue.id, sequences)],
                done=lambda results: self._read(sequences, results[0], expired),
                failed=lambda reason: self._kept(sequences, reason),
            )
        )

    def _read(self, sequences: Sequence[int], messages: list[Message], expired: int) -> None:
        found = {message.sequence for message in messages}
        damaged, left = unread(sequences, found)
        self._queue.drop(damaged, 0)
        self._queue.put_back(sorted([*left, *found]) if self._cancelled else left)
        if not self._cancelled:
            self._reply(messages, expired, "")

    def _kept(self, sequences: Sequence[int], reason: str) -> None:
        self._queue.put_back(sequences)
        self._reply([], 0, reason)


def get_error(request: Get) -> str:
    """The text of the first rule that a Get breaks, or nothing; in the order of the real server."""
    if not request.client_id:
        return rules.text(101)
    if rules.queue_error(request.channel):
        return rules.text(120)
    return "" if is_storable(request.channel) else rules.text(121)


def chosen(transaction: Transaction, action: Action) -> tuple[list[int], str]:
    """The sequences that an action is about, and what is wrong with it.

    A range stops at the first unknown sequence, and what came before is settled all the same.
    """
    if action.type in (REQUEUE_ALL, REQUEUE_RANGE):
        error = target_error(transaction, action)
        if error:
            return [], error
    if action.type not in RANGES:
        return list(transaction.held), ""
    empty_word, unknown_word = RANGE_WORDS[action.type]
    if not action.sequences:
        return [], f"cannot {empty_word} empty list of of offsets"
    known: dict[int, None] = {}
    for sequence in action.sequences:
        if sequence not in transaction.held or sequence in known:
            return list(known), f"invalid {unknown_word} sequence id {sequence}"
        known[sequence] = None
    return list(known), ""


def target_error(transaction: Transaction, action: Action) -> str:
    """Why messages cannot be sent to the queue that an action names, or nothing."""
    if not action.target:
        return NO_TARGET
    if rules.queue_error(action.target):
        reason = rules.text(120)
    elif not is_storable(action.target):
        reason = INVALID_NAME
    else:
        return ""
    first = (
        action.sequences[0] if action.type == REQUEUE_RANGE and action.sequences else min(transaction.held)
    )
    return f"re-queue message with seq {first} failed, {reason}"
