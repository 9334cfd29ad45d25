"""Row 13: bytes that no client would send. Each is answered or refused; what is accepted is read again."""

import asyncio
import hashlib
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import path
from kubemq_nb.broker.launcher import RunningBroker
from tests.campaign.grounds import own_broker, resident
from tests.campaign.outcome import Outcome, Property
from tests.source import ROOT

PROMPT = 20.0  # seconds in which an answer comes even on a busy machine
AT_ONCE = 50  # calls under way
BATCH = 250  # messages of one batch; each is an input of its own
GROWTH = 100 * 2**20  # bytes of memory, beyond what the accepted messages take
QUEUE = "inputs"
CATALOGUE = (ROOT / "docs" / "protocol.md").read_text()
TEXTS = [b"", b" ", b"a b", b"a.", b"*", b"a.>", b"\xff\xfe", b"a\x00b", b"\n", b"x" * 300, "ü東🚀".encode()]
NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31), 3601, 43_201, 1024, 1025]
WHOLE = (
    pb.QueueMessage(
        MessageID="id", ClientID="me", Channel=QUEUE, Metadata="m", Body=b"body", Tags={"k": "v"}
    ),
    pb.QueueMessage(ClientID="me", Channel=QUEUE, Body=b"x" * 300),
    pb.QueueMessage(
        ClientID="me", Channel=QUEUE, Metadata="only", Policy=pb.QueueMessagePolicy(MaxReceiveCount=3)
    ),
)
CALLS: dict[str, tuple[Any, ...]] = {
    "SendQueueMessage": WHOLE,
    "SendEvent": (pb.Event(ClientID="me", Channel="live", Body=b"x", Tags={"k": "v"}),),
    "SendResponse": (pb.Response(ClientID="me", RequestID="r", ReplyChannel="nobody", Body=b"x"),),
    "QueuesInfo": (pb.QueuesInfoRequest(RequestID="r", QueueName="other"),),
}
Print = tuple[str, str, str]  # channel, id, and the digest of what a message carries


class Inputs:
    """Makes inputs by a seed: whole messages, mutated ones, boundary values, noise."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._ways = (self._noise, self._flipped, self._cut, self._spliced, self._bounded, self._whole)

    def one(self, samples: tuple[Any, ...]) -> bytes:
        """An input for a method whose sound requests look like these."""
        return self._chance.choice(self._ways)(samples)

    def method(self) -> str:
        """A method that answers at once."""
        return self._chance.choice(list(CALLS))

    def _whole(self, samples: tuple[Any, ...]) -> bytes:
        return self._chance.choice(samples).SerializeToString()

    def _noise(self, _: tuple[Any, ...]) -> bytes:
        return self._chance.randbytes(self._chance.randrange(120))

    def _flipped(self, samples: tuple[Any, ...]) -> bytes:
        data = bytearray(self._whole(samples))
        for _ in range(self._chance.randint(1, 6)):
            data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        return bytes(data)

    def _cut(self, samples: tuple[Any, ...]) -> bytes:
        data = self._whole(samples)
        return data[: self._chance.randrange(len(data))]

    def _spliced(self, samples: tuple[Any, ...]) -> bytes:
        return self._cut(samples) + self._whole(samples)[self._chance.randrange(20) :]

    def _bounded(self, samples: tuple[Any, ...]) -> bytes:
        """A sound message, then one field again with a value at the bounds: the last one counts."""
        field = self._chance.choice(samples[0].DESCRIPTOR.fields).number
        if self._chance.random() < 0.5:
            text = self._chance.choice(TEXTS)
            extra = bytes([field << 3 | 2]) + varint(len(text)) + text
        else:
            extra = bytes([field << 3]) + varint(self._chance.choice(NUMBERS) % 2**64)
        return self._whole(samples) + extra


class Seen(NamedTuple):
    """What the broker made of the inputs."""

    accepted: Counter[Print]
    wrong: Counter[str]
    worst: list[float]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def printed(channel: str, id: str, message: Any) -> Print:
    carried = (message.Metadata, bytes(message.Body), sorted(message.Tags.items()))
    return channel, id, hashlib.sha256(repr(carried).encode()).hexdigest()


def unknown_text(error: str) -> bool:
    """Whether a refusal has a number, and is not the text that the protocol has for it."""
    found = re.fullmatch(r"Error (\d+): (.*)", error, re.DOTALL)
    return bool(found) and f"{found[1]}: {found[2].rstrip()}" not in CATALOGUE


def note(seen: Seen, data: bytes, result: Any) -> None:
    """Judge the answer to one queue message, and remember one that was accepted to be read at once."""
    if result.IsError:
        if unknown_text(result.Error):
            seen.wrong[f"not a text of the protocol: {result.Error!r}"] += 1
        return
    try:
        message = pb.QueueMessage.FromString(data)
    except Exception:  # noqa: BLE001  whatever protobuf raises
        seen.wrong["accepted, and is no message"] += 1
        return
    if message.Policy.DelaySeconds <= 0 and message.Policy.ExpirationSeconds <= 0:
        seen.accepted[printed(message.Channel, result.MessageID, message)] += 1


class Entrance(Protocol):
    """A way into a broker."""

    async def call(self, rpc: str, data: bytes, seen: Seen) -> bytes | None:
        """The answer to a call; None when it was refused as a whole."""


class Door:
    """The broker by gRPC, many calls at once."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._channel = channel
        self._metadata = (("authorization", token),)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def call(self, rpc: str, data: bytes, seen: Seen) -> bytes | None:
        """The answer to a call; None when it was refused as a whole."""
        async with self._turns:
            began = time.monotonic()
            try:
                return await self._channel.unary_unary(path(rpc))(
                    data, timeout=PROMPT, metadata=self._metadata
                )
            except grpc.aio.AioRpcError as error:
                self._judge(error, seen)
                return None
            finally:
                seen.worst[0] = max(seen.worst[0], time.monotonic() - began)

    def _judge(self, error: grpc.aio.AioRpcError, seen: Seen) -> None:
        details = error.details() or ""
        if error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE):
            seen.wrong[f"{error.code().name}: {details}"] += 1
        elif unknown_text(details) or "failed to answer" in details:
            seen.wrong[details] += 1


async def one(door: Entrance, inputs: Inputs, seen: Seen) -> None:
    """One call of its own."""
    rpc = inputs.method()
    data = inputs.one(CALLS[rpc])
    answer = await door.call(rpc, data, seen)
    if answer is not None and rpc == "SendQueueMessage":
        note(seen, data, pb.SendQueueMessageResult.FromString(answer))


async def batch(door: Entrance, inputs: Inputs, seen: Seen) -> None:
    """One batch; a bad message never takes the good ones along."""
    parts = [inputs.one(WHOLE) for _ in range(BATCH)]
    data = b"".join(b"\x12" + varint(len(part)) + part for part in parts)
    answer = await door.call("SendQueueMessagesBatch", data, seen)
    if answer is None:
        seen.wrong["a batch refused as a whole"] += 1
        return
    for part, result in zip(parts, pb.QueueMessagesBatchResponse.FromString(answer).Results, strict=True):
        note(seen, part, result)


async def read_again(door: Entrance, seen: Seen) -> Counter[Print]:
    """All that is in the channels in which something was accepted."""
    wanted: dict[str, Counter[Print]] = {}
    for each, count in seen.accepted.items():
        wanted.setdefault(each[0], Counter())[each] = count
    parts = await asyncio.gather(*(read_channel(door, *each, seen) for each in wanted.items()))
    return Counter(each for part in parts for each in part)


async def read_channel(door: Entrance, name: str, wanted: Counter[Print], seen: Seen) -> list[Print]:
    """Receive until all that is wanted has come, or no more is there; others may lie between."""
    found: list[Print] = []
    while missing := (wanted - Counter(found)).total():
        request = pb.ReceiveQueueMessagesRequest(
            ClientID="reader", Channel=name, MaxNumberOfMessages=min(missing, 1024), WaitTimeSeconds=1
        )
        answer = await door.call("ReceiveQueueMessages", request.SerializeToString(), seen)
        messages = pb.ReceiveQueueMessagesResponse.FromString(answer or b"").Messages
        if not messages:
            break
        found += [printed(name, message.MessageID, message) for message in messages]
    return found


def shares(tries: int) -> Iterator[int]:
    """How many calls of their own go with how many batches: one input of five is a call."""
    yield tries // 5
    yield -(-(tries - tries // 5) // BATCH)


async def pour(broker: RunningBroker, tries: int, seed: int) -> tuple[Seen, Counter[Print]]:
    """Send so many inputs, then read again what was accepted."""
    inputs, seen = Inputs(seed), Seen(Counter(), Counter(), [0.0])
    calls, batches = shares(tries)
    async with grpc.aio.insecure_channel(broker.address) as channel:
        door = Door(channel, broker.token() or "")
        for start in range(0, calls, 1000):
            count = min(1000, calls - start)
            await asyncio.gather(*(one(door, inputs, seen) for _ in range(count)))
        for _ in range(batches):
            await batch(door, inputs, seen)
        return seen, await read_again(door, seen)


def inputs(tries: int, seed: int) -> Outcome:
    """Noise, mutated messages, boundary values: one in five a call of its own, the others in batches.

    Seen red on `bad-message-takes-its-batch.patch`.
    """
    with own_broker() as broker:
        pid, before = broker.pid, resident(broker.pid)
        seen, found = asyncio.run(pour(broker, tries, seed))
        grown = resident(pid) - before
        log = broker.log_file.read_text()
        bad = [
            *seen.wrong.elements(),
            *(["nothing was accepted"] if not seen.accepted else []),
            *(["the broker ended"] if not broker.is_running or broker.pid != pid else []),
            *(["a fault in the broker's log"] if "Traceback" in log or "failed inside" in log else []),
            *([f"{grown / 2**20:.0f} MB more memory"] if grown > GROWTH + tries * 1000 else []),
        ]
    lost, more = seen.accepted - found, found - seen.accepted
    doubled = sum((more & seen.accepted).values())
    text = f"until an answer; {seen.accepted.total():,} accepted and read again, {grown / 2**20:.0f} MB more"
    return Outcome(tries, lost.total(), doubled, len(bad), seen.worst[0], bad[0] if bad else text)


PROPERTIES = [Property(13, "inputs-over-grpc", inputs, short=50_000, long=1_000_000)]
