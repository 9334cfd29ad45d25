"""Row 5: what a subscriber sees of a broker that goes and comes back, under a publisher."""

import contextlib
import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import kubemq_nb
from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import Feed, Session
from tests.campaign.grounds import Line, fresh, session
from tests.campaign.outcome import Outcome, Property
from tests.conformance.support import eventually

KINDS = ("events_store", "events")
LONGEST = 30.0  # seconds in which a stream is live again, or it never is


class Publisher:
    """Sends event after event to both kinds of channels; notes what is acknowledged, and resends nothing."""

    def __init__(self, speaker: Session, channel: str) -> None:
        self.acknowledged: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self._speaker = speaker
        self._channel = channel
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(LONGEST)

    def _publish(self) -> None:
        number = 0
        while not self._over.wait(0.002):
            number += 1
            for kind in KINDS:
                id = f"{kind}-{number:08d}"
                try:
                    getattr(self._speaker, kind).send(self._channel, id, id=id)
                except KubeMQError:
                    continue  # not sent, or of unknown outcome
                self.acknowledged[kind].append(id)


class Listener:
    """Live tables and handlers on both kinds, and every notice a person gets from them."""

    def __init__(self, hearer: Session, channel: str) -> None:
        self.handled: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self.tables: dict[str, Feed] = {}
        self.feeds: list[Feed] = []
        for kind in KINDS:
            pattern = getattr(hearer, kind)
            table = pattern.receive(channel, live=True, keep=10**6)
            self.tables[kind] = table
            take = self.handled[kind].append
            handler = pattern.subscribe(channel, lambda event, take=take: take(event.id), keep=10**6)
            self.feeds += [table, handler]

    def live(self) -> bool:
        return all(feed.status().state == "live" for feed in self.feeds)

    def broken(self) -> bool:
        return all(feed.status().state == "reconnecting" for feed in self.feeds)

    def reconnects(self) -> list[int]:
        return [feed.status().reconnects for feed in self.feeds]

    def notices(self) -> int:
        """The most that any view says about gaps."""
        return max(len(feed.tail(1).attrs.get("gaps", ())) for feed in self.feeds)

    def stop(self) -> None:
        for feed in self.feeds:
            feed.stop()


class Warnings(logging.Handler):
    """Counts what a person is told in the cell."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


@contextlib.contextmanager
def counted_warnings() -> Iterator[Warnings]:
    warnings = Warnings()
    logger = logging.getLogger("kubemq_nb")
    logger.addHandler(warnings)
    try:
        yield warnings
    finally:
        logger.removeHandler(warnings)


def survive(
    tries: int, hearer: Session, speaker: Session, outage: Callable[[], object], mended: Callable[[], float]
) -> Outcome:
    """Have so many outages under a publisher; `mended` waits for the end of one and tells when that was."""
    channel = fresh("outages")
    listener = Listener(hearer, channel)
    publisher = Publisher(speaker, channel)
    worst = 0.0
    with counted_warnings() as warnings:
        for count in range(1, tries + 1):
            before = {kind: len(publisher.acknowledged[kind]) for kind in KINDS}
            eventually(lambda before=before: grown(publisher.acknowledged, before), within=LONGEST)
            outage()
            back = mended()
            eventually(lambda count=count: min(listener.reconnects()) >= count, within=LONGEST)
            eventually(listener.live, within=LONGEST)
            worst = max(worst, time.monotonic() - back)
    publisher.stop()
    acknowledged = publisher.acknowledged
    eventually_there(listener, acknowledged)
    listener.stop()
    told = max(warnings.count, listener.notices())
    return judged(tries, listener, acknowledged, worst=worst, told=told)


def grown(acknowledged: dict[str, list[str]], before: dict[str, int]) -> bool:
    return all(len(ids) >= before[kind] + 20 for kind, ids in acknowledged.items())


def eventually_there(listener: Listener, acknowledged: dict[str, list[str]]) -> None:
    """Give what is on its way its time; whether it came is judged afterwards."""
    last = acknowledged["events_store"][-1]
    with contextlib.suppress(AssertionError):
        eventually(lambda: listener.handled["events_store"][-1:] >= [last])
        eventually(lambda: listener.tables["events_store"].df["id"].iloc[-1] >= last)


def judged(
    tries: int, listener: Listener, acknowledged: dict[str, list[str]], *, worst: float, told: int
) -> Outcome:
    """Stored events: all, once, in order, without a gap in the sequence. Live events: once."""
    stored = listener.tables["events_store"].df
    seen = {kind: list(listener.tables[kind].df["id"]) for kind in KINDS}
    lists = [*seen.values(), *listener.handled.values()]
    wanted = set(acknowledged["events_store"])
    lost = len(wanted - set(seen["events_store"])) + len(wanted - set(listener.handled["events_store"]))
    doubled = sum(count - 1 for ids in lists for count in Counter(ids).values())
    jumps = int((stored["sequence"].diff().dropna() != 1).sum())
    twice = sum(max(0, count - tries) for count in listener.reconnects())
    surplus = max(0, told - tries)
    note = f"until live again; {len(wanted):,} stored events acknowledged, {told} notices"
    return Outcome(tries, lost, doubled, jumps + twice + surplus, worst, note)


def restarts(tries: int, seed: int) -> Outcome:
    """A private broker is killed or ended, its session starts it again, its feeds go on where they were.

    Seen red on `resume-with-what-is-new.patch` and `resume-repeats-the-last.patch`.
    """
    chance = random.Random(seed)
    with kubemq_nb.connect(name="restarts") as hearer:
        embedded = hearer._link.embedded
        with session(hearer.address, hearer.token_file) as speaker:

            def outage() -> None:
                before = embedded.running.pid
                number = chance.choice([signal.SIGKILL, signal.SIGTERM])
                threading.Event().wait(chance.uniform(0, 0.1))
                os.kill(before, number)
                eventually(lambda: embedded.running.pid != before, within=LONGEST)

            return survive(tries, hearer, speaker, outage, time.monotonic)


def cuts(tries: int, seed: int, address: str = "", token_file: object = None) -> Outcome:
    """The connection of a subscriber breaks while a publisher with a sound one goes on; nothing is missed.

    Seen red on `resume-repeats-the-last.patch`.
    """
    if not address:
        with kubemq_nb.connect(name="cuts") as own:
            return cuts(tries, seed, own.address, own.token_file)
    chance = random.Random(seed)
    line = Line(address)
    with session(address, token_file) as speaker, session(line.address, token_file) as hearer:

        def outage() -> None:
            line.cut()
            threading.Event().wait(chance.uniform(0, 0.2))

        def mended() -> float:
            line.mend()
            return time.monotonic()

        try:
            return survive(tries, hearer, speaker, outage, mended)
        finally:
            line.close()


PROPERTIES = [
    Property(5, "resume-after-restart", restarts, short=4, long=100),
    Property(5, "resume-after-cut", cuts, short=4, long=100, against=cuts),
]
