"""Row 9: a full disk, and a full quota: sends are refused, everything else goes on, and sends come back."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker.storage.space import FILE_NAME as RESERVE_NAME
from tests.campaign.outcome import Outcome, Property
from tests.plain_wire import Wire

DISK = "24m"
QUOTA = 2  # MB
EVENT_BYTES = 400_000  # larger than what was refused: 50 rows of 2,000 bytes, each on a page of 4,096
QUEUE = "orders"


@contextlib.contextmanager
def foreground(store, *options):
    """A broker in a process of its own, and a connection to it."""
    command = [sys.executable, "-m", "kubemq_nb.broker", "--store", str(store), "--no-auth", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        ready = json.loads(process.stdout.readline())
        yield process, Wire(ready["address"])
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


@contextlib.contextmanager
def small_disk():
    """A file system of its own that is soon full."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", place], check=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


class Person:
    """Sends and receives, and keeps a ledger of ids."""

    def __init__(self, wire):
        self.wire = wire
        self.acked = set()
        self.received = []
        self.refusal = ""
        self.slowest = 0.0
        self._next = 0

    def fill(self, chance):
        """Send until it is refused; at the latest after far more than there is room for."""
        for _ in range(10_000):
            if not self.send(chance.choice((5, 20, 50)), chance.choice((500, 2_000))):
                return True
        return False

    def send(self, count=5, size=1_000):
        """Send some messages; whether all were stored."""
        ids = [f"m{number:06d}" for number in range(self._next, self._next + count)]
        self._next += count
        began = time.monotonic()
        results = self.wire.send(QUEUE, *ids, body=b"x" * size)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.acked.update(id for id, result in zip(ids, results, strict=True) if not result.IsError)
        self.refusal = next((result.Error for result in results if result.IsError), self.refusal)
        return not any(result.IsError for result in results)

    def event(self):
        """Store an event; the answer's error, or ""."""
        return self.wire.event("stored", store=True, body=b"x" * EVENT_BYTES).Error

    def receive(self, count):
        """Receive so many; whether they came."""
        response = self.wire.receive(QUEUE, count, wait=1)
        self.received += [message.MessageID for message in response.Messages]
        return not response.IsError

    def purge(self):
        """Empty the queue; whether it worked. What is purged counts as received."""
        peeked = self.wire.receive(QUEUE, 1024, peek=True)
        request = pb.AckAllQueueMessagesRequest(ClientID="reader", Channel=QUEUE, WaitTimeSeconds=1)
        response = self.wire.unary("AckAllQueueMessages", request, pb.AckAllQueueMessagesResponse)
        self.received += sorted(self.acked - set(self.received))
        return not response.IsError and response.AffectedMessages >= len(peeked.Messages)

    def alive(self):
        """Whether the broker answers."""
        with contextlib.suppress(grpc.RpcError):
            return bool(self.wire.unary("Ping", b"", pb.PingResult).Host)
        return False


def says_all(text, store):
    """Whether a refusal names the place, how much there is, and what to do."""
    return str(store) in text and "bytes" in text and ("make room" in text or "purge" in text)


def full_quota(tries: int, seed: int) -> Outcome:
    """A store that has reached its quota refuses sends, and nothing else, until there is room again."""
    chance = random.Random(seed)
    counts = []
    for _ in range(tries):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder)
            with foreground(store, "--quota", str(QUOTA)) as (_, wire):
                person = Person(wire)
                complaints = until_full(person, store, chance)
                complaints += still_works(person)
                if not person.purge():
                    complaints.append("a full store cannot be purged")
                if not (person.send() and not person.event()):
                    complaints.append(f"sends do not come back: {person.refusal}")
            counts.append((lost_after_restart(person, store, "--quota", str(QUOTA)), complaints, person))
    return summary(counts)


def full_disk(tries: int, seed: int) -> Outcome:
    """A disk that somebody else fills: the same, and the broker comes back on it after a kill."""
    chance = random.Random(seed)
    counts = []
    for _ in range(tries):
        with small_disk() as disk:
            store = disk / "store"
            with foreground(store) as (_, wire):
                person = Person(wire)
                person.send()
                person.event()
                if chance.random() < 0.5:
                    complaints = until_full(person, store, chance)
                    fill_up(disk / "somebody's")
                else:
                    fill_up(disk / "somebody's")
                    complaints = until_full(person, store, chance)
                complaints += still_works(person)
            lost = lost_after_restart(person, store)
            with foreground(store) as (_, person.wire):
                if not person.purge():
                    complaints.append("a store on a full disk cannot be purged")
                (disk / "somebody's").unlink()
                if not (person.send() and not person.event()):
                    complaints.append(f"sends do not come back: {person.refusal}")
                if room(disk) > 12 << 20 and not (store / RESERVE_NAME).exists():
                    complaints.append("the reserve is not restored")
            counts.append((lost, complaints, person))
    return summary(counts)


def until_full(person, store, chance):
    """Send until there is no room; what is wrong with how that is said."""
    complaints = []
    if not person.fill(chance):
        complaints.append("it is never full")
    if not says_all(person.refusal, store):
        complaints.append(f"the refusal says too little: {person.refusal!r}")
    if not person.event():
        complaints.append("an event is stored where a message is refused")
    if not person.alive():
        complaints.append("the broker does not answer any more")
    return complaints


def still_works(person):
    """What does not work on a full disk although it must."""
    failed = sum(not person.receive(count) for count in (1, 20, 200))
    complaints = ["a full store cannot be received from"] * failed
    if len(person.received) != len(set(person.received)):
        complaints.append("something came twice")
    if not person.received:
        complaints.append("nothing came")
    return complaints


def lost_after_restart(person, store, *options):
    """Start another broker on the store, and count what was acknowledged and never came."""
    with foreground(store, *options) as (_, wire):
        response = wire.receive(QUEUE, 1024, peek=True)
        there = [message.MessageID for message in response.Messages]
        more = wire.receive(QUEUE, 1024, peek=True) if len(there) == 1024 else None
        if more is not None:  # a peek shows the first ones alone: take them all, and remember them
            there = []
            while response := wire.receive(QUEUE, 1024).Messages:
                there += [message.MessageID for message in response]
            person.received += there
    return person.acked - set(person.received) - set(there)


def room(disk):
    """How many bytes are free."""
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize


def fill_up(path):
    """Take all the room that is left on a disk, as somebody else would."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
        os.fsync(file.fileno())


def summary(counts):
    """One outcome of all tries."""
    complaints = [complaint for _, found, _ in counts for complaint in found]
    return Outcome(
        len(counts),
        lost=sum(len(lost) for lost, _, _ in counts),
        undetected=len(complaints),
        worst=max(person.slowest for _, _, person in counts),
        note=complaints[0] if complaints else "the slowest send, refused or not",
    )


PROPERTIES = (
    Property(9, "full-quota", full_quota, short=1, long=20),
    Property(9, "full-disk", full_disk, short=1, long=20, needs="root"),
)
