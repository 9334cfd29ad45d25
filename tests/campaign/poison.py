"""Row 13, the client's side: what another writer sent badly never takes the messages beside it along."""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire.methods import EVENTS_PAGE
from kubemq_nb.session import Session
from tests.campaign.grounds import fresh, own_broker, session
from tests.campaign.outcome import Outcome, Property
from tests.conformance.support import eventually
from tests.rows.proxy import Proxy

BATCH = 40  # messages, of which every fourth is spoiled
MARK = b"poison"  # in a text that another writer has not encoded
NOT_TEXT = b"\xff\xfe\xc0\x80\xed\xa0"  # as long
FOREIGN = b"\xfa\x7d\x03new"  # a field that this package does not know
FIELDS = ("metadata", "tags", "id")
WAYS = (*FIELDS, "foreign", "garbage")
CONTAINERS: dict[str, tuple[type[Message], str]] = {
    "ReceiveQueueMessages": (containers.ReceiveQueueMessagesResponse, "Messages"),
    "QueuesDownstream": (containers.QueuesDownstreamResponse, "Messages"),
    EVENTS_PAGE: (containers.EventsPage, "Events"),
}


def spoiled(payload: bytes) -> bytes:
    """A message as its bad writer meant it, by what its body says."""
    if b"way garbage" in payload:
        return b"\xff" * len(payload)
    if b"way foreign" in payload:
        return payload + FOREIGN
    return payload.replace(MARK, NOT_TEXT)


class Spoiler(Proxy):
    """Passes everything on, and what is marked as another writer would have sent it."""

    async def _told(self, name: str, side: str, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        kind, field = CONTAINERS.get(name, (None, ""))
        async for message in messages:
            if side == "request" or not (kind or name in ("SubscribeToEvents", "StreamQueueMessage")):
                yield message
            elif kind:
                answer = kind.FromString(message)
                parts = [spoiled(part) for part in getattr(answer, field)]
                answer.ClearField(field)
                getattr(answer, field).extend(parts)
                yield answer.SerializeToString()
            elif name == "StreamQueueMessage":
                answer = containers.StreamQueueMessagesResponse.FromString(message)
                answer.Message = spoiled(answer.Message)
                yield answer.SerializeToString()
            else:
                yield spoiled(message)


def rows(count: int, chance: random.Random, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Messages, of which some are marked to be spoiled."""
    for number in range(count):
        row: dict[str, Any] = {"id": f"good-{number}", "metadata": "m", "tags": {"k": "v"}}
        row["body"] = f"number {number} is good"
        if chance.random() < 0.25:
            way = chance.choice(kinds)
            row["body"] = f"number {number} way {way}"
            if way in FIELDS:
                mark = MARK.decode()
                row[way] = {mark: mark} if way == "tags" else f"{mark}-{number}"
        yield row


def peek(kq: Session, channel: str, count: int) -> list[bytes]:
    return list(kq.queues.peek(channel, count=count)["body"])


def receive(kq: Session, channel: str, count: int) -> list[bytes]:
    return list(kq.queues.receive(channel, count=count)["body"])


def hold_many(kq: Session, channel: str, count: int) -> list[bytes]:
    with kq.queues.transaction(channel, count=count) as held:
        bodies = [message.body for message in held.messages]
        held.ack()
    return bodies


def hold_one(kq: Session, channel: str, count: int) -> list[bytes]:
    bodies = []
    for _ in range(count):
        with kq.queues.transaction(channel, wait=1) as held:
            bodies += [message.body for message in held.messages]
            held.ack()
    return bodies


def replay(kq: Session, channel: str, _: int) -> list[bytes]:
    return list(kq.events_store.receive(channel)["body"])


def stream(kq: Session, channel: str, count: int) -> list[bytes]:
    return list(kq.events_store.receive(channel, client_id="reader", count=count)["body"])


def feed(kq: Session, channel: str, count: int) -> list[bytes]:
    live = kq.events_store.receive(channel, live=True, start="first")
    live.wait(count=count)
    live.stop()
    return list(live.df["body"])


def handle(kq: Session, channel: str, count: int) -> list[bytes]:
    bodies: list[bytes] = []
    live = kq.events_store.subscribe(channel, lambda event: bodies.append(event.body), start="first")
    live.wait(count=count)
    with suppress(AssertionError):  # what is counted may be unhandled yet
        eventually(lambda: len(bodies) >= count)
    live.stop()
    return bodies


QUEUES = {"peek": peek, "receive": receive, "many held": hold_many, "one held": hold_one}
EVENTS = {"replay": replay, "stream": stream, "feed": feed, "handler": handle}
Read = Callable[[Session, str, int], list[bytes]]


def poison(tries: int, seed: int, address: str = "", token_file: Path | None = None) -> Outcome:
    """Text that is not UTF-8, fields of a newer writer, bytes that are no message: by each way of reading.

    A try is a message. Each comes, at its place, with its body, and those of a queue are settled; but bytes
    that tell no sequence stay there. Seen red on `bad-text-takes-its-batch.patch`, and as it was
    written: a message without a sequence kept the others of its receive from being acknowledged, and a
    replay that ended with one was empty.
    """
    if not address:
        with own_broker() as broker:
            return poison(tries, seed, broker.address, broker.token_file)
    chance = random.Random(seed)
    wrong: list[str] = []
    done = 0
    with session(address, token_file) as direct:
        proxy = Spoiler(address, token_file.read_text().strip() if token_file else "")
        with proxy.running(), session(proxy.address) as kq:
            while done < tries:
                for pattern, ways in ((direct.queues, QUEUES), (direct.events_store, EVENTS)):
                    for name, read in ways.items():
                        channel = fresh("poison")
                        # A message that is held alone, and tells no sequence, has nothing beside it.
                        kinds = WAYS[:-1] if name == "one held" else WAYS
                        sent = list(rows(min(BATCH, tries), chance, kinds))
                        pattern.send(channel, rows=sent)
                        wrong += misread(name, read, kq, channel, sent)
                        wrong += left(direct, channel, name)
                        done += len(sent)
    return Outcome(done, undetected=len(wrong), note="; ".join(wrong[:3]))


def misread(name: str, read: Read, kq: Session, channel: str, sent: list[dict[str, Any]]) -> list[str]:
    """What is wrong with what one way of reading brings."""
    try:
        found = read(kq, channel, len(sent))
    except Exception as error:  # noqa: BLE001  it is what must not be
        return [f"{name}: {type(error).__name__}: {error}"]
    if len(found) != len(sent):
        return [f"{name}: {len(found)} of {len(sent)} came"]
    bodies = [row["body"].encode() for row in sent]
    pairs = zip(bodies, found, strict=True)
    bad = [b for b, f in pairs if f != b and (b"way garbage" not in b or set(f) != {0xFF})]
    return [f"{name}: {len(bad)} bodies are not what was sent, such as {bad[0]!r}"] if bad else []


def left(direct: Session, channel: str, name: str) -> list[str]:
    """What a reader that settles has left in the queue although it could be settled."""
    if name not in ("receive", "many held", "one held"):
        return []
    rest = direct.queues.peek(channel, count=1000, wait=0)
    count = sum(b"way garbage" not in body for body in rest["body"])
    return [f"{name}: {count} were not settled"] if count else []


PROPERTIES = [Property(13, "poison", poison, short=320, long=10_000, against=poison)]
