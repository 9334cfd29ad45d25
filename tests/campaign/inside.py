"""Row 13, without a network: the same inputs given to the broker's handlers, as many as there is time for."""

import asyncio
import gc
import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

import grpc

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker.handlers.service import guarded
from kubemq_nb.broker.server import Broker
from tests.campaign.grounds import resident
from tests.campaign.inputs import Inputs, Print, Seen, batch, one, read_again, unknown_text
from tests.campaign.outcome import Outcome, Property

ROUND = 50_000  # inputs, after which all that was accepted is read again
GROWTH = 100 * 2**20  # bytes of memory, from the end of the first round on
HANG = 1.0  # seconds of the processor that one call may take
EVENTS = (
    pb.Event(EventID="id", ClientID="me", Channel="stored", Body=b"body", Tags={"k": "v"}, Store=True),
    pb.Event(ClientID="me", Channel="stored", Metadata="only", Store=True),
    pb.Event(ClientID="me", Channel="live", Body=b"x"),
)
STREAM = 200  # events of one stream


class Refusal(grpc.aio.AbortError):
    """What a call ends with that is refused as a whole."""


class Call:
    """What a handler is given of a call: what comes in, and where answers go."""

    def __init__(self, incoming: tuple[bytes, ...] = ()) -> None:
        self.answers: list[bytes] = []
        self._incoming = iter(incoming)

    async def read(self) -> object:
        """What comes next of a stream."""
        return next(self._incoming, grpc.aio.EOF)

    async def write(self, answer: bytes) -> None:
        """Take one answer of a stream."""
        self.answers.append(answer)

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        """Refuse the call."""
        raise Refusal(details)


class Inside:
    """The handlers of a broker in this process."""

    def __init__(self, broker: Broker) -> None:
        self._handlers = {name: guarded(handler) for name, handler in broker.handlers().items()}

    async def call(self, rpc: str, data: bytes, seen: Seen) -> bytes | None:
        """The answer to a call; None when it was refused as a whole."""
        call = Call()
        answer = await self.make(rpc, data, call, seen)
        return answer if answer is not None else next(iter(call.answers), None)

    async def make(self, rpc: str, data: object, call: Call, seen: Seen) -> bytes | None:
        """Make a call and judge how it ends."""
        began = time.thread_time()
        try:
            return await self._handlers[rpc](data, call)
        except Refusal as refusal:
            details = str(refusal)
            if unknown_text(details) or "failed to answer" in details:
                seen.wrong[details] += 1
            return None
        finally:
            took = time.thread_time() - began
            seen.worst[0] = max(seen.worst[0], took)
            if took > HANG:
                seen.wrong[f"{rpc} took {took:.1f} s"] += 1


async def stream(inside: Inside, inputs: Inputs, seen: Seen, stored: Counter[str]) -> None:
    """Many events on one stream; a bad one takes none of the others along."""
    parts = tuple(inputs.one(EVENTS) for _ in range(STREAM))
    call = Call(parts)
    await inside.make("SendEventsStream", None, call, seen)
    for answer in call.answers:
        result = pb.Result.FromString(answer)
        if result.Sent:
            stored[result.EventID] += 1
        elif unknown_text(result.Error):
            seen.wrong[f"not a text of the protocol: {result.Error!r}"] += 1
    wanted = sum(is_stored(part) for part in parts)
    if len([answer for answer in call.answers if pb.Result.FromString(answer).Sent]) < wanted:
        seen.wrong["a sound event is not stored"] += 1


def is_stored(data: bytes) -> bool:
    """Whether an input is one of the sound events, unchanged."""
    return any(data == event.SerializeToString() for event in EVENTS if event.Store)


async def events_of(inside: Inside, broker: Broker, seen: Seen) -> Counter[str]:
    """The ids of all stored events."""
    found: Counter[str] = Counter()
    for log in broker._events_store.logs():
        start = 1
        while start:
            request = containers.EventsPageRequest(Channel=log.name, StartType=4, StartValue=start)
            answer = await inside.call("ReadEventsPage", request.SerializeToString(), seen)
            page = containers.EventsPage.FromString(answer or b"")
            found.update(pb.EventReceive.FromString(event).EventID for event in page.Events)
            start = page.Next
    return found


async def pour(folder: Path, tries: int, seed: int) -> tuple[Seen, Counter[Print], Counter[str], int]:
    """Give the handlers so many inputs, reading again what was accepted after each round.

    Gives what was seen (accepted are those that did not come back), what came back beyond that, the stored
    events that did not, and by how much memory grew after the first round.
    """
    inputs, seen = Inputs(seed), Seen(Counter(), Counter(), [0.0])
    lost: Counter[Print] = Counter()
    more: Counter[Print] = Counter()
    stored: Counter[str] = Counter()
    settled = 0
    broker = Broker(folder)
    inside = Inside(broker)
    for done in range(0, tries, ROUND):
        count = min(ROUND, tries - done)
        for _ in range(count // 10):
            await one(inside, inputs, seen)
        for _ in range(count * 3 // 10 // STREAM):
            await stream(inside, inputs, seen, stored)
        for _ in range(-(-(count * 6 // 10) // 250)):
            await batch(inside, inputs, seen)
        if not seen.accepted:
            seen.wrong["nothing was accepted"] += 1
        found = await read_again(inside, seen)
        lost += seen.accepted - found
        more += (found - seen.accepted) & seen.accepted
        seen.accepted.clear()
        gc.collect()
        settled = settled or resident()
    missing = stored - await events_of(inside, broker, seen)
    grown = resident() - settled
    await broker.close()
    seen.accepted.update(lost)
    return seen, more, missing, grown


def inputs_inside(tries: int, seed: int) -> Outcome:
    """Noise, mutated messages and boundary values by the million: calls, batches, streams.

    Seen red on `bad-event-ends-its-stream.patch` and on `bad-message-takes-its-batch.patch`.
    """
    faults = Faults()
    logging.getLogger("kubemq_nb.broker").addHandler(faults)
    try:
        with tempfile.TemporaryDirectory() as folder:
            seen, more, missing, grown = asyncio.run(pour(Path(folder), tries, seed))
    finally:
        logging.getLogger("kubemq_nb.broker").removeHandler(faults)
    bad = [*seen.wrong.elements(), *faults.texts]
    if grown > GROWTH:
        bad.append(f"{grown / 2**20:.0f} MB more memory")
    lost = seen.accepted.total() + missing.total()
    note = (
        bad[0] if bad else f"of the processor for one call; {grown / 2**20:.0f} MB more after the first round"
    )
    return Outcome(tries, lost, sum(more.values()), len(bad), seen.worst[0], note)


class Faults(logging.Handler):
    """What the broker says went wrong inside itself."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self.texts.append(record.getMessage())


PROPERTIES = [Property(13, "inputs-to-handlers", inputs_inside, short=20_000, long=1_000_000)]
