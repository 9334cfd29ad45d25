"""Row 19: mixed load and random kills for minutes; nothing is lost, and nothing grows."""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import kubemq_nb
from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import Session
from tests.campaign.grounds import fresh, resident, session
from tests.campaign.outcome import Outcome
from tests.conformance.support import eventually

SETTLED = 0.25  # of the time, after which nothing may grow any more
GROWTH = 1.1  # times the memory of then
LOOSE = 12  # threads and files that come and go with calls under way
PAUSES = (3.0, 8.0)  # seconds between two kills


class Held(NamedTuple):
    """What this process holds at one moment."""

    memory: int
    files: int
    threads: int

    @classmethod
    def now(cls) -> "Held":
        return cls(resident(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count())

    def grown(self, since: "Held") -> list[str]:
        """What is more than it was then, beyond what comes and goes."""
        limits = (since.memory * GROWTH, since.files + LOOSE, since.threads + LOOSE)
        return [name for name, now, limit in zip(self._fields, self, limits, strict=True) if now > limit]


class Marks:
    """Which numbers were seen, a byte each: a set of ids would be most of what grows here."""

    def __init__(self) -> None:
        self._seen = bytearray()

    def __len__(self) -> int:
        return sum(self._seen)

    def add(self, id: str) -> None:
        """Mark the number behind the first letter of an id."""
        number = int(id[1:])
        if number >= len(self._seen):
            self._seen.extend(bytes(number + 1 - len(self._seen)))
        self._seen[number] = 1

    def missing(self, others: "Marks") -> int:
        """How many of these the others have not."""
        theirs = others._seen.ljust(len(self._seen), b"\0")
        return sum(mine > there for mine, there in zip(self._seen, theirs, strict=False))


class Load:
    """Senders, a receiver, feeds and a responder on one channel, and the ids that passed."""

    def __init__(self, kq: Session, channel: str) -> None:
        self.sent, self.received = Marks(), Marks()
        self.stored, self.seen = Marks(), Marks()
        self._over = threading.Event()
        kq.events_store.subscribe(channel, lambda event: self.seen.add(event.id), keep=1000)
        kq.queries.respond(channel, reply="yes")
        kq.events.receive(channel, live=True, keep=100)
        jobs = (
            lambda number: self._noted(self.sent, kq.queues, channel, f"q{number}"),
            lambda number: self._noted(self.stored, kq.events_store, channel, f"s{number}"),
            lambda number: kq.events.send(channel, f"e{number}"),
            lambda _: kq.queries.send(channel, "?", timeout=2),
            lambda _: self.take(kq.queues.receive(channel, count=100, wait=1)["id"]),
        )
        self._threads = [threading.Thread(target=self._repeat, args=(job,), daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let what is under way end."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def take(self, ids: Iterable[str]) -> None:
        """Note what was received."""
        for id in ids:
            self.received.add(id)

    def _noted(self, ids: Marks, pattern: object, channel: str, id: str) -> None:
        pattern.send(channel, id, id=id)
        ids.add(id)

    def _repeat(self, job: Callable[[int], object]) -> None:
        number = 0
        while not self._over.wait(0.01):
            number += 1
            with contextlib.suppress(KubeMQError):  # not sent, or of unknown outcome
                job(number)


def soak(seconds: float, seed: int, say: Callable[[str], object]) -> Outcome:
    """Load a private broker that is killed now and then; a try is a kill."""
    chance = random.Random(seed)
    channel = fresh("soak")
    began = time.monotonic()
    kills = 0
    settled: Held | None = None
    with kubemq_nb.connect(name="soak") as owner, session(owner.address, owner.token_file) as kq:
        embedded = owner._link.embedded
        load = Load(kq, channel)
        while (gone := time.monotonic() - began) < seconds:
            threading.Event().wait(chance.uniform(*PAUSES))
            before = embedded.running.pid
            os.kill(before, chance.choice([signal.SIGKILL, signal.SIGTERM]))
            eventually(lambda before=before: embedded.running.pid != before)
            kills += 1
            if settled is None and gone > seconds * SETTLED:
                settled = Held.now()
            held = Held.now()
            say(f"{gone:5.0f} s  {kills:4} kills  {len(load.sent):7,} sent  {held.memory / 2**20:5.0f} MB")
        load.stop()
        eventually(lambda: kq.status()["state"].tolist() == ["live"])
        while not (frame := kq.queues.receive(channel, count=1000, wait=1)).empty:
            load.take(frame["id"])
        with contextlib.suppress(AssertionError):
            eventually(lambda: not load.stored.missing(load.seen))
        grown = Held.now().grown(settled or Held.now())
        lost = load.sent.missing(load.received) + load.stored.missing(load.seen)
    words = f"{len(load.sent):,} messages and {len(load.stored):,} stored events acknowledged"
    note = f"{words}; grown: {', '.join(grown) or 'nothing'}"
    return Outcome(kills, lost=lost, undetected=len(grown), note=note)
