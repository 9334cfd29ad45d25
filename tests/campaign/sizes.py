"""Row 14: messages as large as a broker passes, and reads of far more than a notebook should hold."""

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import path
from kubemq_nb.broker.launcher import RunningBroker
from kubemq_nb.errors import InvalidMessage
from kubemq_nb.rules import MAX_SENT_BYTES
from kubemq_nb.session import Session
from tests.campaign.grounds import Peak, fresh, own_broker, resident, session
from tests.campaign.kernels import Kernel, kernel
from tests.campaign.outcome import Outcome, Property

MIB = 2**20
ENVELOPE = 500  # bytes, of ids and names
SHORT_SIZES = (5 * MIB, 8 * MIB)
SIZES = (MIB, 10 * MIB, 50 * MIB, 90 * MIB, MAX_SENT_BYTES - ENVELOPE)
COPIES = 4  # of the largest body that a process may make; a client hands one more to its caller
BESIDE = 128 * MIB  # what it may have beside them
IDLE = 50 * MIB  # of a broker that does nothing
SHOWN = 4_000_000  # bytes that a look shows
SAVED = 1_000_000  # bytes that the outputs of a cell may take in a saved notebook
READ = 100 * MIB  # bytes that a look or receive may bring in: one message of gRPC
REPLAYED = 256 * MIB  # bytes of events that a frame holds
LARGE = 10**6  # bytes of each message in the queue and store that are read in parts


def queue(kq: Session, channel: str, body: bytes) -> object:
    kq.queues.send(channel, body)
    looked = kq.queues.peek(channel)["body"].iloc[0]
    return looked if looked != body else kq.queues.receive(channel)["body"].iloc[0]


def transaction(kq: Session, channel: str, body: bytes) -> object:
    kq.queues.send(channel, body)
    with kq.queues.transaction(channel) as held:
        found = held.message.body
        held.ack()
    return found


def stored(kq: Session, channel: str, body: bytes) -> object:
    kq.events_store.send(channel, body)
    return kq.events_store.receive(channel)["body"].iloc[0]


def live(kq: Session, channel: str, body: bytes) -> object:
    with kq.events._link.ready().events.subscribe(channel, client_id="hearer") as stream:
        kq.events.send(channel, body)
        return pb.EventReceive.FromString(stream.next(30)).Body


def query(kq: Session, channel: str, body: bytes) -> object:
    asked: list[bytes] = []
    responder = kq.queries.respond(channel, lambda request: asked.append(request.body) or "yes")
    kq.queries.send(channel, body, timeout=30)
    responder.stop()
    responder.clear()
    return asked.pop()


WAYS: dict[str, Callable[[Session, str, bytes], object]] = {
    "queue": queue,
    "transaction": transaction,
    "stored event": stored,
    "live event": live,
    "query": query,
}


def bodies(tries: int, seed: int) -> Iterator[bytes]:
    """Bodies of sizes up to the limit in the long form, and far smaller ones in the short form."""
    chance = random.Random(seed)
    sizes = SHORT_SIZES if tries <= len(WAYS) else SIZES
    for _ in range(tries):
        yield chance.randbytes(1000) * (chance.choice(sizes) // 1000)


def large_messages(tries: int, seed: int) -> Outcome:
    """A body comes as it was sent, in bounded memory; one that is too large is refused by its limit, at once.

    Seen red on `no-limit-of-size.patch`; and the long form on two earlier builds: a message of just under the
    limit was stored and nobody could receive it, and the broker kept 600 MB of large messages that had gone.
    """
    wrong: list[str] = []
    worst = 0.0
    most = [0, 0]
    with own_broker() as broker, session(broker.address, broker.token_file) as kq:
        kq.queues.peek(fresh("warm"), wait=0)
        for number, body in enumerate(bodies(tries, seed)):
            name = list(WAYS)[number % len(WAYS)]
            here, there = Peak(), Peak(broker.pid)
            began = time.monotonic()
            found = WAYS[name](kq, fresh("large"), body)
            worst = max(worst, time.monotonic() - began)
            if hashlib.sha256(found).digest() != hashlib.sha256(body).digest():
                wrong.append(f"{name}: another body came back")
            limit = COPIES * len(body) + BESIDE
            grown = there.growth, here.growth
            most = list(map(max, most, grown))
            wrong += beyond(f"the broker with {name} of {len(body) // MIB} MiB", grown[0], limit)
            limit += len(body)
            wrong += beyond(f"the client with {name} of {len(body) // MIB} MiB", grown[1], limit)
            del found
        wrong += refused(broker, kq)
        left = resident(broker.pid)
        wrong += beyond("the broker when all is done", left, IDLE + BESIDE)
    took = f"the broker took at most {most[0] // MIB} MiB more and has {left // MIB} at the end"
    note = "; ".join(wrong[:3]) or f"until sent and read; {took}, the client {most[1] // MIB} more"
    return Outcome(tries, undetected=len(wrong), worst=worst, note=note)


def beyond(whose: str, bytes: int, limit: int) -> list[str]:
    """What is wrong with memory, if anything."""
    return [f"{whose} takes {bytes // MIB} MiB, {limit // MIB} are allowed"] if bytes > limit else []


def refused(broker: RunningBroker, kq: Session) -> list[str]:
    """What is wrong with how a message that is too large is refused, by the client and by the broker."""
    wrong = []
    body = bytes(MAX_SENT_BYTES + 1)
    try:
        kq.queues.send("large", body)
        wrong.append("a body beyond the limit is sent")
    except InvalidMessage as error:
        if "100 MiB" not in str(error) or "Nothing was sent." not in str(error):
            wrong.append(f"the refusal does not name the limit: {error}")
    request = pb.QueueMessage(ClientID="me", Channel="large", Body=body).SerializeToString()
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(broker.address, options) as raw:
        metadata = (("authorization", broker.token() or ""),)
        try:
            raw.unary_unary(path("SendQueueMessage"))(request, timeout=30, metadata=metadata)
            wrong.append("the broker takes more than it can deliver")
        except grpc.RpcError as error:
            limit = str(MAX_SENT_BYTES)
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED or limit not in error.details():
                wrong.append(f"the broker's refusal does not name the limit: {error.details()}")
    kq.ping()
    return wrong


# Cells, and how many bytes more than before a kernel may take for each.
READS = {
    "peek": ("df = %kubemq queues peek CH -n 1000\ndf", 3 * READ + BESIDE),
    "receive": ("df = %kubemq queues receive CH -n 1000\ndf", 3 * READ + BESIDE),
    "replay": ("df = %kubemq events_store receive CH\ndf", 3 * REPLAYED + BESIDE),
    "feed": (
        "feed = %kubemq events_store receive CH --live --start first\nfeed.wait(count=30)\nfeed",
        3 * REPLAYED + BESIDE,
    ),
}


def large_reads(tries: int, seed: int) -> Outcome:
    """A look at a queue of large messages and a replay of large events end where a notebook's memory does.

    A try is a message. Seen red on `look-brings-all.patch`.
    """
    wrong: list[str] = []
    growth: dict[str, int] = {}
    with (
        own_broker() as broker,
        session(broker.address, broker.token_file) as kq,
        tempfile.TemporaryDirectory() as folder,
        kernel(Path(folder)) as running,
    ):
        channel = filled(kq, tries, seed)
        wrong += looked(kq, channel)
        running.good("%load_ext kubemq_nb")
        running.good(f"%kubemq connect {broker.address} --token-file {broker.token_file} -q")
        running.good("%kubemq queues peek nothing --wait 0s")
        for name, (code, limit) in READS.items():
            grown, said = read_in(running, code.replace("CH", channel), limit)
            growth[name] = grown
            wrong += [f"{name}: {each}" for each in said]
        wrong += unread(kq, channel, tries)
    told = ", ".join(f"{name} {grown // MIB} MiB" for name, grown in growth.items())
    return Outcome(
        tries, undetected=len(wrong), note="; ".join(wrong[:3]) or f"a kernel took more for {told}"
    )


def filled(kq: Session, tries: int, seed: int) -> str:
    """A channel with so many large messages, and as many large events."""
    channel = fresh("reads")
    piece = random.Random(seed).randbytes(LARGE // 10)
    for start in range(0, tries, 50):
        rows = [piece * 10] * min(50, tries - start)
        kq.queues.send(channel, rows=rows)
        kq.events_store.send(channel, rows=rows)
    return channel


def read_in(running: Kernel, code: str, limit: int) -> tuple[int, list[str]]:
    """Run a read in the kernel: how much more memory it took, and what is wrong with it."""
    peak = Peak(running.pid)
    ran = running.good(code)
    wrong = beyond("the kernel", peak.growth, limit)
    if ran.saved > SAVED:
        wrong.append(f"its outputs take {ran.saved:,} bytes of a saved notebook")
    return peak.growth, wrong


def looked(kq: Session, channel: str) -> list[str]:
    """What is wrong with a look at more than it shows."""
    shown = kq.queues.peek(channel, count=1000, wait=0)
    total = int(shown["body"].str.len().sum())
    wrong = total > SHOWN or shown.attrs["complete"]
    return [f"a look shows {total:,} bytes, complete: {shown.attrs['complete']}"] if wrong else []


def unread(kq: Session, channel: str, tries: int) -> list[str]:
    """What is wrong with what is left after a receive of more than fits, and with what a replay holds."""
    wrong = []
    taken = tries - kq.queues._link.ready().queues.info(channel)[0].waiting
    if not 0 < taken <= READ // LARGE:
        wrong.append(f"a receive took {taken} messages of {LARGE:,} bytes")
    frame = kq.events_store.receive(channel)
    if len(frame) * LARGE > REPLAYED + 2 * SHOWN or frame.attrs["complete"] != (len(frame) == tries):
        wrong.append(f"a replay holds {len(frame):,} events, complete: {frame.attrs['complete']}")
    return wrong


PROPERTIES = (
    Property(14, "large-messages", large_messages, short=5, long=50),
    Property(14, "large-reads", large_reads, short=30, long=1000),
)
