"""Row 15: publishers far faster than readers: buffers are bounded, and what is lost is counted and told."""

import contextlib
import itertools
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from kubemq_nb.session import Session
from tests.campaign.grounds import Peak, fresh, own_broker, session
from tests.campaign.kernels import Kernel, kernel
from tests.campaign.outcome import Outcome, Property

LIVE = 100_000  # bytes of a live event
STORED = 2_000  # bytes of a stored event, and of a message of a queue
TOGETHER = 50  # of a kind in one call
BROKER = 300 * 2**20  # bytes of memory, of which a slow reader's buffer and what leaves for it are the most
KERNEL = 100 * 2**20  # bytes more than before
STANDS, GOES = 1.0, 0.1  # seconds; between them the reader reads ten times too slowly
READ = 60.0  # seconds until what is stored has been read

READER = """
handled = []
live = kq.events.receive("CH", live=True, keep=20)
stored = kq.events_store.subscribe("CH", lambda event: handled.append(event.id), keep=100)
live.df
"""
TOLD = """
stream = live._stream
print(f"told {stream.received} {stream.missed} {live.status().dropped} {live.status().reconnects}"
      f" {len(live.df.attrs.get('gaps', ()))}")
"""


class Told(NamedTuple):
    """What the reader says of its live events."""

    received: int
    missed: int
    dropped: int
    reconnects: int
    gaps: int


def overload(tries: int, seed: int) -> Outcome:
    """Publish at full speed to a kernel that runs a tenth of the time; a try is a megabyte of live events.

    Queues and stored events lose nothing; of live events the reader knows how many it did not get.
    Seen red on `drops-untold.patch`; and the long form as it was written, when gRPC chose how much it read
    ahead: the kernel took up to 234 MB.
    """
    chance = random.Random(seed)
    channel = fresh("overload")
    with (
        own_broker() as broker,
        session(broker.address, broker.token_file) as kq,
        tempfile.TemporaryDirectory() as folder,
        kernel(Path(folder)) as running,
    ):
        running.good("%load_ext kubemq_nb")
        running.good(f"%kubemq connect {broker.address} --token-file {broker.token_file} -q")
        running.good(READER.replace("CH", channel))
        idle = [timed(kq) for _ in range(100)]
        there, here = Peak(broker.pid), Peak(running.pid)
        busy: list[float] = []
        with slowed(running.pid):
            live, stored, queued = flooded(kq, channel, tries * 10**6 // LIVE, chance, busy)
        told = read_out(running, live, len(stored))
        handled = set(running.good("print('handled', *handled)").text.split()[1:])
        received = emptied(kq, channel)
        broker_peak, kernel_growth = there.bytes, here.growth
    wrong = [
        *over("the broker", broker_peak, BROKER),
        *over("the kernel", kernel_growth, KERNEL),
        *untold(told, live),
        *(
            f"no {what} were acknowledged"
            for what, ids in (("events", stored), ("messages", queued))
            if not ids
        ),
    ]
    lost = len(stored - handled) + len(queued - received)
    note = (
        f"a call on another channel; p99 {p99(busy) * 1000:.0f} ms, {p99(idle) * 1000:.0f} ms before;"
        f" {told.missed:,} of {live:,} events dropped and told, broker {broker_peak >> 20} MiB,"
        f" kernel {kernel_growth >> 20} MiB more"
    )
    return Outcome(tries, lost, undetected=len(wrong), worst=max(busy), note="; ".join(wrong) or note)


@contextlib.contextmanager
def slowed(pid: int) -> Iterator[None]:
    """The process runs a tenth of the time in this block."""
    over = threading.Event()

    def alternate() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(STANDS)
            os.kill(pid, signal.SIGCONT)
            over.wait(GOES)

    thread = threading.Thread(target=alternate, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def flooded(
    kq: Session, channel: str, count: int, chance: random.Random, busy: list[float]
) -> tuple[int, set[str], set[str]]:
    """Send so many live events, stored events and messages beside them, and time calls on another channel.

    Gives how many live events went, and the ids of the stored events and messages that were acknowledged.
    """
    body, small = chance.randbytes(LIVE), chance.randbytes(STORED)
    over = threading.Event()

    def publish(send: Callable[..., object], prefix: str) -> set[str]:
        ids: set[str] = set()
        numbers = itertools.count()
        while not over.is_set():
            rows = [{"id": f"{prefix}{next(numbers)}", "body": small} for _ in range(TOGETHER)]
            frame = send(channel, rows=rows)
            ids.update(frame.loc[frame["sent"], "id"])
        return ids

    def probe() -> None:
        while not over.wait(0.02):
            busy.append(timed(kq))

    with ThreadPoolExecutor(3) as threads:
        stored = threads.submit(publish, kq.events_store.send, "s")
        queued = threads.submit(publish, kq.queues.send, "q")
        probing = threads.submit(probe)
        try:
            for start in range(0, count, TOGETHER):
                kq.events.send(channel, rows=[body] * min(TOGETHER, count - start))
        finally:
            over.set()
        probing.result()
        return count, stored.result(), queued.result()


def timed(kq: Session) -> float:
    """Seconds of a call on a channel that nothing else uses."""
    began = time.perf_counter()
    kq.queues.send("calm", "x")
    return time.perf_counter() - began


def read_out(running: Kernel, live: int, stored: int) -> Told:
    """Let the reader read what waits for it; what it says then."""
    until = time.monotonic() + READ
    while True:
        handled = int(running.good("print(len(handled))").text)
        told = Told(*map(int, running.good(TOLD).text.split()[1:]))
        accounted = told.received + told.missed >= live or told.reconnects
        if (handled >= stored and accounted) or time.monotonic() > until:
            return told
        threading.Event().wait(0.2)


def emptied(kq: Session, channel: str) -> set[str]:
    """The ids of all messages in a queue."""
    found: set[str] = set()
    while not (frame := kq.queues.receive(channel, count=1000, wait=0)).empty:
        found.update(frame["id"])
    return found


def over(whose: str, bytes: int, limit: int) -> list[str]:
    return [f"{whose} takes {bytes >> 20} MiB, {limit >> 20} are allowed"] if bytes > limit else []


def untold(told: Told, live: int) -> list[str]:
    """What is wrong with what the reader knows of what it did not get."""
    if not told.reconnects and told.received + told.missed != live:
        return [f"of {live:,} events {told.received:,} came and {told.missed:,} were told as lost"]
    if told.missed and (told.dropped < told.missed or not told.gaps):
        return [f"{told.missed:,} events were lost; shown are {told.dropped:,} and {told.gaps} gaps"]
    return []


def p99(times: list[float]) -> float:
    return sorted(times)[max(0, len(times) * 99 // 100 - 1)]


PROPERTIES = [Property(15, "overload", overload, short=320, long=4000)]
