"""Many messages of a queue, or events, in few calls, in order.

Calls go one after another, because two at once may be stored in either order; while one is under way the
next is being written. Our own broker keeps the order of requests on a stream, so that it gets the next ones
while it works on one.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, Protocol
from uuid import uuid4

from kubemq_nb._wire import codec, status
from kubemq_nb._wire.stub import BatchAnswer, UpstreamAnswer
from kubemq_nb.client.calls import Cancellation, Pending
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.outgoing import Outgoing
from kubemq_nb.client.results import Results
from kubemq_nb.errors import KubeMQError, OutcomeUnknown
from kubemq_nb.messages import SendResult

MOST_MESSAGES = 1000  # a call
MOST_BYTES = 8_000_000  # a call, but always one message
AHEAD = 3  # requests under way at once on a stream

Progress = Callable[[int], None]
Answer = BatchAnswer | UpstreamAnswer


class _Part(NamedTuple):
    """One call's share."""

    channels: list[str]  # one a message, as ids
    ids: list[str]
    refused: dict[int, SendResult]  # index here to the result of those that are not sent
    wire: bytes

    @property
    def sent(self) -> int:
        """How many messages the call carries."""
        return len(self.channels) - len(self.refused)

    def of_sent(self, values: list[str]) -> list[str]:
        """One value a message, without those that are not sent."""
        return [value for index, value in enumerate(values) if index not in self.refused]


def send(
    connection: Connection,
    messages: Outgoing,
    *,
    of: Literal["messages", "events"] = "messages",
    progress: Progress | None = None,
) -> Results:
    """Send them all; one result a message, in order.

    Raises:
        NotSupported: This server takes no batches of events; nothing was sent.
        OutcomeUnknown: A call broke off; `.results` are those of the calls before.
    """
    if not len(messages):
        return Results()

    def work(cancellation: Cancellation) -> Results:
        way: _Way
        if of == "messages" and len(messages) > MOST_MESSAGES and connection.is_ours():
            way = _Stream(connection, cancellation)
        else:
            way = _Calls(connection, of, cancellation)
        try:
            return _Batch(connection, messages, of, progress, way).send()
        finally:
            way.close()

    return connection.run(work, kind="send", channel=messages.channels(0, 1)[0])


class _Way(Protocol):
    """How the parts reach the server; `ahead` of them are under way at once."""

    ahead: int

    def start(self, wire: bytes, attempt: status.Attempt) -> None:
        """Send a part."""

    def finish(self, attempt: status.Attempt) -> Answer:
        """The answer to the first part that has none yet."""

    def close(self) -> None:
        """Nothing more is sent."""


class _Calls:
    """One call after another."""

    ahead = 1

    def __init__(
        self, connection: Connection, of: Literal["messages", "events"], cancellation: Cancellation
    ) -> None:
        stub = connection.stub
        self._method = stub.send_events_batch if of == "events" else stub.send_queue_messages_batch
        self._connection = connection
        self._cancellation = cancellation
        self._call: Pending[BatchAnswer] | None = None

    def start(self, wire: bytes, attempt: status.Attempt) -> None:
        """Send a part."""
        self._call = self._cancellation.attach(self._connection.start(self._method, wire, attempt))

    def finish(self, attempt: status.Attempt) -> Answer:
        """The answer to it."""
        assert self._call
        return self._connection.finish(self._call, attempt)

    def close(self) -> None:
        """Each call has ended by itself."""


class _Stream:
    """Requests of one stream, of which our broker has some ahead."""

    ahead = AHEAD

    def __init__(self, connection: Connection, cancellation: Cancellation) -> None:
        self._connection = connection
        self._stream = connection.converse(connection.stub.queues_upstream, kind="send", channel="stream")
        cancellation.attach(self._stream)

    def start(self, wire: bytes, attempt: status.Attempt) -> None:
        """Send a part."""
        # The broker works on it while the next one is made.
        self._stream.hand_over(codec.brief(wire), timeout=attempt.timeout)

    def finish(self, attempt: status.Attempt) -> Answer:
        """The answer to the first part that has none yet."""
        answer = self._connection.answer(self._stream, attempt)
        if answer.IsError:
            raise status.broken(attempt, answer.Error)
        return answer

    def close(self) -> None:
        """End the stream."""
        self._stream.cancel()


class _Batch:
    def __init__(
        self,
        connection: Connection,
        messages: Outgoing,
        of: Literal["messages", "events"],
        progress: Progress | None,
        way: _Way,
    ) -> None:
        self._connection = connection
        self._messages = messages
        self._of = of
        self._progress = progress
        self._way = way
        self._under_way: deque[_Part] = deque()
        self._results = Results()

    def send(self) -> Results:
        for part in _parts(self._messages):
            before = self._next_answer() if len(self._under_way) == self._way.ahead else None
            try:
                if part.sent:
                    self._way.start(part.wire, self._attempt(part))
            except KubeMQError as error:
                self._take(before)
                raise self._broken_off(error, part) from None
            self._under_way.append(part)
            self._take(before)  # while the server works
        while self._under_way:
            self._take(self._next_answer())
        return self._results

    def _next_answer(self) -> tuple[_Part, Answer | None]:
        """The first part under way and its answer, in which nothing is missing."""
        part = self._under_way.popleft()
        try:
            answer = self._way.finish(self._attempt(part)) if part.sent else None
        except KubeMQError as error:
            raise self._broken_off(error, part) from None
        if answer and len(answer.Results) != part.sent and not _sent_at(answer):
            raise self._incomplete(answer, part)
        return part, answer

    def _take(self, answered: tuple[_Part, Answer | None] | None) -> None:
        if not answered:
            return
        self._results.extend(_answered(*answered))
        if self._progress:
            self._progress(len(self._results))

    def _incomplete(self, answer: Answer, part: _Part) -> KubeMQError:
        """The error for an answer that leaves some out; what it does tell is kept."""
        name, told = part.channels[0], len(answer.Results)
        self._results.extend(
            Results.of(codec.decode_send_result(result, channel=name) for result in answer.Results)
        )
        said = f"The broker answered for {told:,} of {part.sent:,} {self._of} to {name}"
        error = OutcomeUnknown(
            f"{said}: look before sending again.", results=self._results.single(), channel=name
        )
        return self._broken_off(error, part, told=len(part.channels) - part.sent + told)

    def _attempt(self, part: _Part) -> status.Attempt:
        name = part.channels[0]
        what = f"the send of {len(part.channels):,} {self._of} to {name}"
        return self._connection.attempt(what, channel=name, effect=True, size=len(part.wire))

    def _broken_off(self, error: KubeMQError, part: _Part, *, told: int = 0) -> KubeMQError:
        """The error for a batch that stopped at `part`, of which so much is known."""
        in_doubt = sum(len(each.channels) for each in (part, *self._under_way)) - told
        total, done = len(self._messages), len(self._results)
        if len(part.channels) == total:
            return error
        if not done and status.never_left(error):
            return error
        doubt = f" Of the next {in_doubt:,} it is not known: look first."
        if status.never_left(error):
            doubt = ""
        return OutcomeUnknown(
            f"{done:,} of {total:,} {self._of} were sent.{doubt} The rest was not sent. {error}",
            results=self._results.single(),
            channel=error.channel,
            reason=error.reason,
        )


def _sent_at(answer: Answer) -> int:
    """When all messages were sent, if the answer says no more than that."""
    return answer.SentAt if isinstance(answer, UpstreamAnswer) else 0


def _answered(part: _Part, answer: Answer | None) -> Results:
    if not answer:
        return Results.of(part.refused.values())
    sent_at = _sent_at(answer)
    told = Results(
        {
            **(codec.alike(part.of_sent(part.ids), sent_at) if sent_at else codec.decode_results(answer)),
            "channel": part.of_sent(part.channels),
        }
    )
    if not part.refused:
        return told
    answers = iter(told.single())
    return Results.of(part.refused.get(index) or next(answers) for index in range(len(part.channels)))


def _parts(messages: Outgoing) -> Iterator[_Part]:
    first, size = 0, 0
    wires: list[bytes] = []
    refused: dict[int, SendResult] = {}
    for index, wire in enumerate(messages):
        length = 0 if isinstance(wire, SendResult) else len(wire)
        if index > first and (index - first == MOST_MESSAGES or size + length > MOST_BYTES):
            yield _part(messages, first, index, refused, wires)
            first, wires, refused, size = index, [], {}, 0
        if isinstance(wire, SendResult):
            refused[index - first] = wire
        else:
            wires.append(wire)
            size += length
    yield _part(messages, first, len(messages), refused, wires)


def _part(
    messages: Outgoing, start: int, stop: int, refused: dict[int, SendResult], wires: list[bytes]
) -> _Part:
    ids, wire = messages.ids(start, stop), codec.encode_batch(wires, id=str(uuid4()))
    return _Part(messages.channels(start, stop), ids, refused, wire)
