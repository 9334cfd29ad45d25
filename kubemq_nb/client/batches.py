"""Many messages of a queue, or events to be stored, in few calls, in order.

Calls go one after another, because two at once may be stored in either order; while one is under way the
next is being written.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple
from uuid import uuid4

from kubemq_nb._wire import codec, status
from kubemq_nb._wire.stub import BatchAnswer
from kubemq_nb.client.calls import Cancellation, Pending
from kubemq_nb.client.channel import Channel
from kubemq_nb.client.outgoing import Outgoing
from kubemq_nb.client.results import Results
from kubemq_nb.errors import KubeMQError, OutcomeUnknown
from kubemq_nb.messages import SendResult

MOST_MESSAGES = 1000  # a call
MOST_BYTES = 8_000_000  # a call, but always one message

Progress = Callable[[int], None]


class _Part(NamedTuple):
    """One call's share."""

    channels: list[str]  # one a message
    refused: dict[int, SendResult]  # index here to the result of those that are not sent
    wire: bytes

    @property
    def sent(self) -> int:
        """How many messages the call carries."""
        return len(self.channels) - len(self.refused)


def send(
    channel: Channel,
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
        return _Batch(channel, messages, of, progress, cancellation).send()

    return channel.run(work, kind="send", channel=messages.channels(0, 1)[0])


class _Batch:
    def __init__(
        self,
        channel: Channel,
        messages: Outgoing,
        of: Literal["messages", "events"],
        progress: Progress | None,
        cancellation: Cancellation,
    ) -> None:
        self._channel = channel
        stub = channel.stub
        self._method = stub.store_events_batch if of == "events" else stub.send_queue_messages_batch
        self._messages = messages
        self._of = of
        self._progress = progress
        self._cancellation = cancellation
        self._results = Results()

    def send(self) -> Results:
        before: _Part | None = None
        call: Pending[BatchAnswer] | None = None
        for part in _parts(self._messages):
            answer = self._wait(before, call) if before else None
            try:
                call = self._start(part)
            except KubeMQError as error:
                self._take(before, answer)
                raise self._broken_off(error, part, in_doubt=len(part.channels)) from None
            self._take(before, answer)  # while the server works
            before = part
        if before:
            self._take(before, self._wait(before, call))
        return self._results

    def _start(self, part: _Part) -> Pending[BatchAnswer] | None:
        if not part.sent:
            return None
        return self._cancellation.attach(self._channel.start(self._method, part.wire, self._attempt(part)))

    def _wait(self, part: _Part, call: Pending[BatchAnswer] | None) -> BatchAnswer | None:
        """The answer to a call, in which nothing is missing."""
        try:
            answer = self._channel.finish(call, self._attempt(part)) if call else None
        except KubeMQError as error:
            raise self._broken_off(error, part, in_doubt=len(part.channels)) from None
        if answer and len(answer.Results) != part.sent:
            raise self._incomplete(answer, part)
        return answer

    def _take(self, part: _Part | None, answer: BatchAnswer | None) -> None:
        if not part:
            return
        self._results.extend(_answered(part, answer))
        if self._progress:
            self._progress(len(self._results))

    def _incomplete(self, answer: BatchAnswer, part: _Part) -> KubeMQError:
        """The error for an answer that leaves some out; what it does tell is kept."""
        name, told = part.channels[0], len(answer.Results)
        self._results.extend(
            Results.of(codec.decode_send_result(result, channel=name) for result in answer.Results)
        )
        said = f"The broker answered for {told:,} of {part.sent:,} {self._of} to {name}"
        error = OutcomeUnknown(
            f"{said}: look before sending again.", results=self._results.single(), channel=name
        )
        return self._broken_off(error, part, in_doubt=part.sent - told)

    def _attempt(self, part: _Part) -> status.Attempt:
        name = part.channels[0]
        what = f"the send of {len(part.channels):,} {self._of} to {name}"
        return self._channel.attempt(what, channel=name, effect=True, size=len(part.wire))

    def _broken_off(self, error: KubeMQError, part: _Part, *, in_doubt: int) -> KubeMQError:
        """The error for a batch that stopped at `part`."""
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


def _answered(part: _Part, answer: BatchAnswer | None) -> Results:
    if answer and not part.refused:
        return Results({**codec.decode_results(answer), "channel": part.channels})
    answers = iter(answer.Results if answer else ())
    return Results.of(
        part.refused.get(index) or codec.decode_send_result(next(answers), channel=channel)
        for index, channel in enumerate(part.channels)
    )


def _parts(messages: Outgoing) -> Iterator[_Part]:
    first, size = 0, 0
    wires: list[bytes] = []
    refused: dict[int, SendResult] = {}
    for index, wire in enumerate(messages):
        length = 0 if isinstance(wire, SendResult) else len(wire)
        if index > first and (index - first == MOST_MESSAGES or size + length > MOST_BYTES):
            yield _part(messages.channels(first, index), refused, wires)
            first, wires, refused, size = index, [], {}, 0
        if isinstance(wire, SendResult):
            refused[index - first] = wire
        else:
            wires.append(wire)
            size += length
    yield _part(messages.channels(first, len(messages)), refused, wires)


def _part(channels: list[str], refused: dict[int, SendResult], wires: list[bytes]) -> _Part:
    return _Part(channels, refused, codec.encode_batch(wires, id=str(uuid4())))
