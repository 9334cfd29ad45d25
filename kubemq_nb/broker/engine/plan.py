"""What a verb of the engine asks of the store: operations, and what happens once they are committed.

The engine decides, the store obeys: the records below are the engine's words, and whoever stores
(`kubemq_nb.broker.storage`) carries out each of them. One plan is committed as a whole or not at all. Until
its commit nothing that a plan changes is visible to anyone; what it takes is set aside, so that nobody else
takes it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemq_nb import rules

REPLY_BYTES = rules.MAX_SENT_BYTES  # what fits into one gRPC message, beside its envelope

NOT_KNOWN = rules.NOT_KNOWN  # what is said of a plan that failed, and was carried out perhaps all the same

ENVELOPE_BYTES = 200  # about what channel, attributes and policy of one message take


class Message(NamedTuple):
    """One message of a queue as it is stored; delivery needs nothing else."""

    queue: int  # the id of its channel
    sequence: int
    content: bytes  # wire form of id, client id, metadata, body and tags
    md5: bytes  # of the body
    timestamp: int  # Unix nanoseconds, like every time here
    expires_at: int  # 0: never
    expiration: int  # seconds as the sender set them
    receive_count: int  # how often it was given back; the next delivery counts one more
    max_receive_count: int  # 0: no limit
    dead_letter: str
    rerouted_from: str


class Delayed(NamedTuple):
    """A message that is not in its queue yet."""

    number: int  # tells delayed messages apart: their ids may be equal
    due: int
    message: Message  # `sequence` and `timestamp` are not known yet


class StoredEvent(NamedTuple):
    """One stored event; `content` is the whole wire form that subscribers get."""

    sequence: int
    timestamp: int
    content: bytes


class AddChannel(NamedTuple):
    """Make a channel known, which counts on from a number; one that is known already stays as it is."""

    id: int
    kind: str
    name: str
    last_sequence: int = 0


class RemoveChannel(NamedTuple):
    """Forget a channel and all that it holds."""

    id: int


class InsertMessages(NamedTuple):
    """Append messages to their queues."""

    messages: Sequence[Message]


class ReturnMessages(NamedTuple):
    """Put messages back that were deleted for somebody who has gone; there is room for what was there."""

    messages: Sequence[Message]


class DelayMessages(NamedTuple):
    """Keep messages that are not due."""

    delayed: Sequence[Delayed]


class FindDelayed(NamedTuple):
    """Gives a list of those of these numbers under which a delayed message is stored."""

    numbers: Sequence[int]


class ReleaseDelayed(NamedTuple):
    """Put a delayed message into its queue, as `message` (without content) says; gives what a move gives."""

    number: int
    message: Message


class ReadMessages(NamedTuple):
    """Read messages in order until `budget` bytes; gives a list of Message."""

    queue: int
    sequences: Sequence[int]
    budget: int = REPLY_BYTES


class LookAtMessages(NamedTuple):
    """Read like ReadMessages what will be looked at again and again; gives a list of Message."""

    queue: int
    sequences: Sequence[int]
    budget: int = REPLY_BYTES


class TakeMessages(NamedTuple):
    """Read like ReadMessages and delete what was read; gives a list of Message."""

    queue: int
    sequences: Sequence[int]
    budget: int = REPLY_BYTES


class HoldMessage(NamedTuple):
    """Read one message and note that an old stream holds it; gives a list of no or one Message."""

    queue: int
    sequence: int


class DeleteMessages(NamedTuple):
    """Delete ranges of messages, each from its first to before its second number; gives the bytes freed."""

    queue: int
    ranges: Sequence[tuple[int, int]]


class MoveMessage(NamedTuple):
    """Turn a stored message into `message`, which says all but the content.

    Gives the size of the content, or None when the message is not there.
    """

    queue: int
    sequence: int
    message: Message


class InsertEvents(NamedTuple):
    """Append events to a channel."""

    channel: int
    events: Sequence[StoredEvent]


class ReadEvents(NamedTuple):
    """Read at most `limit` events from a sequence on, one or `budget` bytes; gives a list of StoredEvent."""

    channel: int
    sequence: int
    limit: int
    budget: int = 4 * 1024 * 1024


class FindEvent(NamedTuple):
    """Gives the sequence of the first event stored at a time or later, or None."""

    channel: int
    timestamp: int


class SavePosition(NamedTuple):
    """Remember the last event that a durable subscription is done with."""

    channel: int
    name: str
    sequence: int


class LoadQueue(NamedTuple):
    """Gives the QueueContent of one queue, as it is stored now."""

    queue: int


class QueueContent(NamedTuple):
    """What a queue holds, without the messages themselves."""

    ranges: Sequence[tuple[int, int]]
    expiries: dict[int, int]  # sequence to time, of those that expire
    bytes: int


class StoredChannel(NamedTuple):
    """A channel as it was left."""

    id: int
    kind: str
    name: str
    last_sequence: int
    last_timestamp: int = 0


class Content(NamedTuple):
    """All that a store holds when a broker starts, without bodies."""

    channels: Sequence[StoredChannel] = ()
    queues: dict[int, QueueContent] = {}  # noqa: RUF012  (a NamedTuple's default, never changed)
    held: Sequence[Message] = ()  # by old streams of the broker before; without content
    delayed: Sequence[Delayed] = ()  # without content
    positions: Sequence[SavePosition] = ()


Operation = (
    AddChannel
    | RemoveChannel
    | InsertMessages
    | ReturnMessages
    | DelayMessages
    | FindDelayed
    | ReleaseDelayed
    | ReadMessages
    | LookAtMessages
    | TakeMessages
    | HoldMessage
    | DeleteMessages
    | MoveMessage
    | InsertEvents
    | ReadEvents
    | FindEvent
    | SavePosition
    | LoadQueue
)


def nothing(_: object) -> None:
    """What happens when nothing has to."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """Operations of one verb, and what to do after.

    Attributes:
        operations: In the order in which they are carried out.
        done: Called with one result for each operation once all are committed.
        failed: Called with a sentence instead, when none of them was carried out, or that is not known.
    """

    operations: list[Operation] = field(default_factory=list)
    done: Callable[[list[Any]], object] = nothing
    failed: Callable[[str], None] = nothing


Commit = Callable[[Plan], None]
"""Takes a plan over; plans are carried out in the order given, and answered in it."""


def total(ranges: Iterable[tuple[int, int]]) -> int:
    """How many numbers the ranges hold."""
    return sum(stop - start for start, stop in ranges)


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as runs, each from its first to before its second number."""
    start = stop = 0
    for number in numbers:
        if number != stop:
            if stop > start:
                yield start, stop
            start = number
        stop = number + 1
    if stop > start:
        yield start, stop
