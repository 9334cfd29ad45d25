"""Row 7: a broker that stands still. Each call ends by its deadline, and nothing is lost or doubled by it."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kubemq_nb._wire import codec
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.client.requests import RequestsClient
from kubemq_nb.client.transactions import ManyTransaction, OneTransaction
from kubemq_nb.errors import KubeMQError
from kubemq_nb.messages import Event, QueueMessage, Request, StartPosition
from tests.campaign.grounds import Line, fresh, own_broker
from tests.campaign.outcome import Outcome, Property
from tests.conformance.support import eventually

ME = "caller"
TIMEOUT = 1.0  # seconds that a call has beyond the wait that it asks for
WAIT = 1.0  # seconds that the calls which wait ask for
STEPS = 3  # of a call that asks several questions, each with a deadline of its own
LONGEST = STEPS * (TIMEOUT + WAIT) + 3.0  # seconds, with other threads' turns on a busy machine


class Clients(NamedTuple):
    """All that can be called on one connection."""

    connection: Connection
    queues: QueuesClient
    events: EventsClient
    stored: EventsStoreClient
    requests: RequestsClient


def clients(connection: Connection) -> Clients:
    """The clients of one connection."""
    kinds = (QueuesClient, EventsClient, EventsStoreClient, RequestsClient)
    return Clients(connection, *(kind(connection) for kind in kinds))


def message(channel: str, id: str) -> QueueMessage:
    return QueueMessage(channel=channel, body=b"x", client_id=ME, id=id)


def event(channel: str, id: str) -> Event:
    return Event(channel=channel, body=b"x", client_id=ME, id=id)


def ask(kind: str, channel: str, id: str) -> Request:
    return Request(kind=kind, channel=channel, body=b"x", client_id=ME, timeout=WAIT, id=id)


def hold_one(on: Clients, channel: str, _: str) -> None:
    OneTransaction.receive(
        on.connection, f"{channel}.0", visibility=30, hold=60, wait=WAIT, client_id=ME
    ).close()


def hold_many(on: Clients, channel: str, _: str) -> None:
    ManyTransaction.receive(on.connection, f"{channel}.0", count=5, wait=WAIT, client_id=ME).close()


def replay(on: Clients, channel: str, _: str) -> None:
    on.stored.replay(channel, start=StartPosition.first(), idle=WAIT)


# Every call of the client, by the words that name it; a send of the same id is found again afterwards.
CALLS: dict[str, Callable[[Clients, str, str], object]] = {
    "ping": lambda on, _c, _i: on.connection.ping(),
    "connect": lambda on, _c, _i: on.connection.connect(),
    "queue send": lambda on, channel, name: on.queues.send(message(channel, name)),
    "queue batch": lambda on, channel, name: on.queues.send_batch([message(channel, name)]),
    "queue peek": lambda on, channel, _: on.queues.peek(f"{channel}.0", count=5, wait=WAIT, client_id=ME),
    "queue receive": lambda on, channel, _: on.queues.receive(
        f"{channel}.0", count=5, wait=WAIT, client_id=ME
    ),
    "queue ack all": lambda on, channel, _: on.queues.ack_all(f"{channel}.0", client_id=ME),
    "queue info": lambda on, _c, _i: on.queues.info(),
    "hold one": hold_one,
    "hold many": hold_many,
    "event send": lambda on, channel, name: on.events.send(event(channel, name)),
    "event stream": lambda on, channel, name: on.events.send_stream([event(channel, name)]),
    "event subscribe": lambda on, channel, _: on.events.subscribe(channel, client_id=ME).close(),
    "stored send": lambda on, channel, name: on.stored.send(event(channel, name)),
    "stored stream": lambda on, channel, name: on.stored.send_stream([event(channel, name)]),
    "stored last": lambda on, channel, _: on.stored.last(channel),
    "stored replay": replay,
    "command": lambda on, channel, name: on.requests.send(ask("command", channel, name)),
    "query": lambda on, channel, name: on.requests.send(ask("query", channel, name)),
}
STORED = ("stored send", "stored stream")
QUEUED = ("queue send", "queue batch")


class Ended(NamedTuple):
    """How one call on a broker that stood still came to its end."""

    call: str
    id: str
    seconds: float
    error: BaseException | None


def call_all(on: Clients, channel: str, ids: dict[str, str]) -> list[Ended]:
    """Make every call at once, each in a thread of its own."""
    ended: list[Ended] = []

    def make(name: str) -> None:
        began = time.monotonic()
        error: BaseException | None = None
        try:
            CALLS[name](on, channel, ids[name])
        except KubeMQError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001  judged: only errors of the package may come out
            error = caught
        ended.append(Ended(name, ids[name], time.monotonic() - began, error))

    threads = [threading.Thread(target=make, args=(name,), daemon=True) for name in CALLS]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    over = list(ended)
    missing = CALLS.keys() - {end.call for end in over}
    return over + [Ended(name, ids[name], until, TimeoutError("it hangs")) for name in missing]


@contextlib.contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """The process does nothing in this block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def frozen(tries: int, seed: int) -> Outcome:
    """A broker is stopped, every call is made, it goes on; a try is one call.

    What ended without an error is there once; what ended with one is there once or not at all. A subscription
    says that it reconnects while the broker stands still, and goes on by itself.
    Seen red on `no-deadline.patch` and on `silence-unnoticed.patch`.
    """
    chance = random.Random(seed)
    channel = fresh("frozen")
    done: list[Ended] = []
    with own_broker() as broker:
        # Two connections: what notices the silence must not end the calls in place of their deadline.
        connection = Connection(broker.address, token=broker.token(), timeout=TIMEOUT)
        watched = Connection(broker.address, token=broker.token(), keepalive=1.0)
        direct = Connection(broker.address, token=broker.token())  # for what must not end early
        on = clients(connection)
        clients(direct).queues.send(message(f"{channel}.0", "first"))
        with EventsStoreClient(watched).subscribe(
            channel, start=StartPosition.first(), client_id="", keep=10**6
        ) as live:
            while len(done) < tries:
                ids = {name: f"{name}-{len(done)}-{chance.randrange(10**9)}" for name in CALLS}
                with standing_still(broker.pid):
                    done += call_all(on, channel, ids)
                    eventually(lambda: live.state == "reconnecting")
                eventually(lambda: live.state == "live" and not is_error(connection.ping))
            there = after(clients(direct), channel)
        connection.close()
        watched.close()
        direct.close()
    return judged(done, there)


def frozen_at(tries: int, seed: int, address: str) -> Outcome:
    """The same on a server that nobody may stop: the line to it stands still.

    No subscription looks on: a real server ends connections that ask often whether it is there.
    """
    chance = random.Random(seed)
    channel = fresh("frozen")
    done: list[Ended] = []
    line = Line(address)
    connection, direct = Connection(line.address, timeout=TIMEOUT), Connection(address)
    on = clients(connection)
    clients(direct).queues.send(message(f"{channel}.0", "first"))
    while len(done) < tries:
        ids = {name: f"{name}-{len(done)}-{chance.randrange(10**9)}" for name in CALLS}
        with line.standing_still():
            done += call_all(on, channel, ids)
        eventually(lambda: not is_error(connection.ping))
    there = after(clients(direct), channel)
    connection.close()
    direct.close()
    line.close()
    return judged(done, there)


def is_error(call: Callable[[], object]) -> bool:
    try:
        call()
    except KubeMQError:
        return True
    return False


def after(on: Clients, channel: str) -> Counter[str]:
    """The ids that are stored, read when the broker goes on."""
    on.queues.send(message(channel, "last"))
    found: list[str] = []
    while payloads := on.queues.receive(channel, count=1000, wait=1, client_id=ME).payloads:
        found += [codec.decode_queue_message(payload).id for payload in payloads]
    stored = on.stored.replay(channel, start=StartPosition.first()).payloads
    return Counter(found + [codec.decode_event(payload).id for payload in stored])


def judged(done: list[Ended], there: Counter[str]) -> Outcome:
    """Hold how each call ended against what is there."""
    sends = [end for end in done if end.call in STORED + QUEUED]
    lost = sum(end.error is None and not there[end.id] for end in sends)
    doubled = sum(max(0, there[end.id] - 1) for end in sends)
    late = [end for end in done if end.seconds > LONGEST]
    strange = [end for end in done if end.error is not None and not isinstance(end.error, KubeMQError)]
    easy = [end for end in done if end.error is None]
    wrong = late + strange + easy
    worst = max(end.seconds for end in done)
    first = wrong[0] if wrong else None
    usual = f"until a call ended that had {TIMEOUT:g} s, and {WAIT:g} s of waiting"
    note = f"{first.call}: {first.error!r}" if first else usual
    return Outcome(len(done), lost, doubled, len(wrong), worst, note)


PROPERTIES = [Property(7, "frozen-broker", frozen, short=len(CALLS), long=20 * len(CALLS), against=frozen_at)]
