"""Messages on their way in: the rules that they must not break, and what storing them takes."""

from functools import lru_cache
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.plan import InsertMessages, Message, Operation
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.schedule import Schedule

_queue_error = lru_cache(rules.queue_error)  # of every message, and few names
made = tuple.__new__  # a third of what the constructor of a named tuple takes, which every message passes

INVALID_NAME = "stan: invalid publish request"  # the real server's storage refuses these names so


Fields = tuple[str, str, str, bool, bytes, bytes, int, int, int, str, str]
"""Those of a Draft: of many messages, each as a record would take more than reading its fields."""


class Draft(NamedTuple):
    """A message as its sender gives it."""

    id: str
    client_id: str
    channel: str
    empty: bool  # neither metadata nor body
    content: bytes  # what Message.content will be
    md5: bytes
    expiration: int = 0  # seconds, like the next one
    delay: int = 0
    max_receive_count: int = 0
    dead_letter: str = ""
    error: str = ""  # why it could not even be read


PLAIN = tuple(Draft._field_defaults.values())  # a message without a policy, and read


class Sent(NamedTuple):
    """What a sender is told of one message."""

    id: str
    sent_at: int = 0
    expires_at: int = 0
    delayed_to: int = 0
    error: str = ""


class Sending:
    """Messages on their way into the store.

    Attributes:
        queues: Those concerned.
        results: One for each draft, in order.
        operations: What the store has to do.
    """

    def __init__(
        self,
        schedule: Schedule,
        touched: list[Queue],
        results: list[Sent],
        messages: list[Message],
        later: list[tuple[Queue, int, Message]],
    ) -> None:
        self.queues = touched
        self.results = results
        self._schedule = schedule
        self._messages = messages
        self._delayed = schedule.number(later)
        self.operations: list[Operation] = [op for queue in touched for op in queue.channel_operations()]
        if messages:
            self.operations.append(InsertMessages(messages))
        if self._delayed:
            self.operations.append(schedule.operation(self._delayed))

    def stored(self) -> None:
        """They are in the store: let those who wait have them."""
        self._schedule.add(self._delayed)
        by_queue: dict[int, list[Message]] = {}
        if len(self.queues) == 1:
            by_queue[self.queues[0].id] = self._messages
        else:
            for message in self._messages:
                by_queue.setdefault(message.queue, []).append(message)
        for queue in self.queues:
            arrived = by_queue.get(queue.id, [])
            queue.arrive(arrived, sum([len(message[2]) for message in arrived]))
            queue.serve()

    def failed(self) -> None:
        """Their plan failed: delayed ones that are in the store all the same must not be forgotten."""
        self._schedule.look_for(self._delayed)


def draft_error(draft: Draft) -> str:
    """The text of the first rule that a message breaks, or nothing; in the order of the real server."""
    if draft[6:] == PLAIN and draft.client_id and not draft.empty and _is_good(draft.channel):
        return ""  # as nearly all of them
    number = _address_error(draft) or _policy_error(draft)
    if draft.error or number:
        return draft.error or rules.text(number)
    # Where nobody can receive from, a dead letter would be lost.
    return "" if _is_storable(draft.channel) and _is_storable(draft.dead_letter) else INVALID_NAME


def _address_error(draft: Draft) -> int:
    if not draft.client_id:
        return 101
    if _queue_error(draft.channel):
        return 120
    return 110 if draft.empty else 0


def _policy_error(draft: Draft) -> int:
    if not 0 <= draft.expiration <= rules.MAX_EXPIRATION:
        return 133
    if not 0 <= draft.max_receive_count <= rules.MAX_RECEIVE_COUNT:
        return 134
    if not 0 <= draft.delay <= rules.MAX_DELAY:
        return 135
    return 120 if draft.dead_letter and _queue_error(draft.dead_letter) else 0


def is_storable(channel: str) -> bool:
    """Whether the real server's storage can keep a channel of this name (docs/protocol.md, section 1)."""
    return "/" not in channel and not channel.startswith(".") and ".." not in channel


_is_storable = lru_cache(is_storable)


@lru_cache
def _is_good(channel: str) -> bool:
    return not rules.queue_error(channel) and is_storable(channel)


def accept(draft: Draft, queue: Queue, now: int) -> tuple[Sent, Message]:
    """The result for the sender of a good message, and the message; a delayed one has no sequence yet."""
    id, _, _, _, content, md5, expiration, delay, most, dead_letter, _ = draft
    delayed_to = now + delay * SECOND if delay else 0
    expires_at = now + (expiration + delay) * SECOND if expiration else 0
    sequence = 0 if delay else queue.next_sequence()
    most = most or rules.MAX_RECEIVE_COUNT
    stored = queue.id, sequence, content, md5, now, expires_at, expiration, 0, most, dead_letter, ""
    return made(Sent, (id, now, expires_at, delayed_to, "")), made(Message, stored)
