"""Row 6: sends whose request or answer is lost on the way; the error must say what is known, and no more."""

import asyncio
import contextlib
import itertools
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.client.requests import RequestsClient
from kubemq_nb.errors import BrokerUnavailable, KubeMQError, OutcomeUnknown
from kubemq_nb.messages import Event, QueueMessage, Request
from kubemq_nb.session import Session
from tests.campaign.grounds import Line, fresh, own_broker, session
from tests.campaign.outcome import Outcome, Property
from tests.conformance.support import eventually
from tests.rows.proxy import Proxy

ME = "sender"
WORKERS = 16
TIMEOUT = 0.5  # seconds until a call gives up; what is late by that is of unknown outcome as well
MARK = re.compile(rb"try-(\d+)-(\w+)-(\d+)")  # number of the case, its fate, its worker
CODES = {
    "unavailable": (grpc.StatusCode.UNAVAILABLE, "recvmsg:Connection reset by peer"),
    "unknown": (grpc.StatusCode.UNKNOWN, "Stream removed"),
    "cancelled": (grpc.StatusCode.CANCELLED, "RST_STREAM closed stream"),
    "internal": (grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2"),
}
BEFORE = ("down", "requestlost", "requestcut")  # fates in which nothing reaches the server
AFTER = ("replylost", "replycut", "replyempty", *CODES)  # fates in which the server has it
FATES = ("passed", *BEFORE, *AFTER)


class Meddler(Proxy):
    """A proxy that does to each case what the id of its message says, and counts what reached it.

    Attributes:
        reached: How often the request of each case came by.
        lines: The line of each worker, which a fate may cut.
    """

    def __init__(self, upstream: str, token: str) -> None:
        super().__init__(upstream, token)
        self.reached: Counter[int] = Counter()
        self.lines: dict[int, Line] = {}

    async def _told(self, _: str, side: str, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for message in messages:
            if found := MARK.search(message):
                number, fate, worker = int(found[1]), found[2].decode(), int(found[3])
                if side == "request":
                    self.reached[number] += 1
                if fate == "replyempty" and side == "response":
                    return
                await self._meddle(side, fate, self.lines[worker])
            yield message

    async def _meddle(self, side: str, fate: str, line: Line) -> None:
        """Do what this fate does to a message on this side."""
        mine = fate.startswith({"request": "request", "response": "reply"}[side])
        if mine and fate.endswith("cut"):
            line.cut()
        if mine:
            await asyncio.Event().wait()  # until the client goes
        if side == "response" and fate in CODES:
            code, words = CODES[fate]
            empty = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(code, empty, empty, words)


@dataclass(frozen=True)
class Case:
    """One send through the proxy: what it was, and what its caller was told."""

    number: int
    fate: str
    worker: int
    verb: str
    error: KubeMQError | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        return f"try-{self.number}-{self.fate}-{self.worker}"


class Sender:
    """One worker: a line of its own to the proxy, and a client on it."""

    def __init__(self, worker: int, proxy: Meddler, channel: str) -> None:
        self.line = proxy.lines[worker] = Line(proxy.address)
        self._connection = Connection(self.line.address, timeout=TIMEOUT)
        self._channel = channel
        self._queues = QueuesClient(self._connection)
        self._stored = EventsStoreClient(self._connection)
        self._events = EventsClient(self._connection)
        self._requests = RequestsClient(self._connection)

    def close(self) -> None:
        self._connection.close()
        self.line.close()

    def attempt(self, case: Case) -> Case:
        """Send as the case says; the case with what came of it."""
        self.line.mend()
        eventually(self._reaches)
        if case.fate == "down":
            self.line.cut()
            eventually(self._is_down)
        try:
            VERBS[case.verb](self, case.id)
        except KubeMQError as error:
            return Case(case.number, case.fate, case.worker, case.verb, error)
        return case

    def _reaches(self) -> bool:
        """Whether also the connection is there that waiting calls use."""
        with contextlib.suppress(KubeMQError):
            self._connection.reach()
            return True
        return False

    def _is_down(self) -> bool:
        """Whether it is known that nobody is there: no silence, and no connection that breaks."""
        try:
            self._connection.ping()
        except KubeMQError as error:
            return "tried for" not in str(error) and "broke" not in str(error)
        return False

    def queue(self, id: str) -> None:
        self._queues.send(QueueMessage(channel=self._channel, body=b"x", client_id=ME, id=id))

    def batch(self, id: str) -> None:
        messages = [
            QueueMessage(channel=self._channel, body=b"x", client_id=ME, id=f"{id}{part}")
            for part in ("", "+1")
        ]
        results = self._queues.send_batch(messages)
        assert all(result.sent for result in results)

    def stored(self, id: str) -> None:
        self._stored.send(self._event(id))

    def stream(self, id: str) -> None:
        self._stored.send_stream([self._event(id)])

    def event(self, id: str) -> None:
        self._events.send(self._event(id))

    def command(self, id: str) -> None:
        self._ask("command", id)

    def query(self, id: str) -> None:
        self._ask("query", id)

    def _event(self, id: str) -> Event:
        return Event(channel=self._channel, body=b"x", client_id=ME, id=id)

    def _ask(self, kind: str, id: str) -> None:
        request = Request(
            kind=kind, channel=self._channel, body=id.encode(), client_id=ME, timeout=1.5, id=id
        )
        self._requests.send(request)


VERBS: dict[str, Callable[[Sender, str], None]] = {
    "queue": Sender.queue,
    "batch": Sender.batch,
    "stored": Sender.stored,
    "stream": Sender.stream,
    "event": Sender.event,
    "command": Sender.command,
    "query": Sender.query,
}


def ambiguous(tries: int, seed: int, address: str = "", token_file: Path | None = None) -> Outcome:
    """Requests and answers are lost in ten ways: what is stored is never called unsent, nothing is resent.

    Seen red on `resend-after-unknown-outcome.patch` and on `broken-is-not-sent.patch`.
    """
    if not address:
        with own_broker() as broker:
            return ambiguous(tries, seed, broker.address, broker.token_file)
    token = token_file.read_text().strip() if token_file else ""
    channel = fresh("ambiguous")
    with session(address, token_file) as direct, Meddler(address, token).running() as proxy:
        answered: list[str] = []
        with listening(direct, channel, answered) as heard:
            cases = attempted(tries, seed, proxy, channel)
            there = found(direct, channel)
            sent = {case.id for case in cases if case.verb == "event" and not case.error}
            with contextlib.suppress(AssertionError):  # the last may be on its way
                eventually(lambda: sent <= {*heard})
            there["event"] = list(heard)
        there["command"] = there["query"] = answered
    return judged(cases, there, proxy.reached)


@contextlib.contextmanager
def listening(direct: Session, channel: str, answered: list[str]) -> Iterator[list[str]]:
    """Answer what arrives, and note it; gives the ids of the events heard."""
    heard: list[str] = []

    def answer(request: object) -> str:
        answered.append(request.text)
        return "yes"

    direct.commands.respond(channel, answer)
    direct.queries.respond(channel, answer)
    direct.events.subscribe(channel, lambda event: heard.append(event.id))
    yield heard
    direct.stop("all")


def attempted(tries: int, seed: int, proxy: Meddler, channel: str) -> list[Case]:
    """Try so many cases, each fate and verb equally often, in an order of the seed."""
    kinds = list(itertools.islice(itertools.cycle(itertools.product(FATES, VERBS)), tries))
    random.Random(seed).shuffle(kinds)
    cases = [Case(number, fate, number % WORKERS, verb) for number, (fate, verb) in enumerate(kinds, start=1)]
    senders = [Sender(worker, proxy, channel) for worker in range(WORKERS)]

    def work(worker: int) -> list[Case]:
        return [senders[worker].attempt(case) for case in cases if case.worker == worker]

    with ThreadPoolExecutor(WORKERS) as threads:
        done = [case for part in threads.map(work, range(WORKERS)) for case in part]
    for sender in senders:
        sender.close()
    return done


def found(direct: Session, channel: str) -> dict[str, list[str]]:
    """The ids that are on the server, by verb."""
    queued: list[str] = []
    while not (frame := direct.queues.receive(channel, count=1000, wait=0)).empty:
        queued.extend(frame["id"])
    stored = list(direct.events_store.receive(channel)["id"])
    return {"queue": queued, "batch": queued, "stored": stored, "stream": stored}


def judged(cases: list[Case], there: dict[str, list[str]], reached: Counter[int]) -> Outcome:
    """Hold what each caller was told against what the server has."""
    counts = {verb: Counter(ids) for verb, ids in there.items()}
    lost = doubled = 0
    wrong: list[str] = []
    for case in cases:
        times = counts[case.verb][case.id]
        lost += case.error is None and times == 0
        doubled += max(times, reached[case.number], 1) - 1
        if said := mistaken(case, times):
            wrong.append(f"{case.verb} {case.fate}: {said}")
    kinds = Counter(type(case.error).__name__ for case in cases if case.error)
    note = ", ".join(f"{count} {name}" for name, count in kinds.most_common())
    return Outcome(len(cases), lost, doubled, len(wrong), None, "; ".join(sorted(set(wrong))[:3]) or note)


def mistaken(case: Case, times: int) -> str:
    """What is wrong with what the caller was told; "" when nothing is."""
    unknown = isinstance(case.error, OutcomeUnknown)
    words = str(case.error)
    if case.error is None and case.fate != "passed":
        return "no error although no answer came"
    if case.error is not None and not unknown and times and case.error.number != 301:
        return f"it is there, and the error is {words!r}"
    if case.fate in AFTER and not unknown:
        return f"it may be there, and the error is {words!r}"
    if case.fate == "down" and not (
        isinstance(case.error, BrokerUnavailable) and "Nothing was sent." in words
    ):
        return f"nothing was sent, and the error is {words!r}"
    if unknown and "ook before sending again" not in words:
        return f"no word about looking first: {words!r}"
    return ""


PROPERTIES = [Property(6, "ambiguous-send", ambiguous, short=77, long=539, against=ambiguous)]
