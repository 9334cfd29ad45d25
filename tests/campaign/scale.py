"""Rows 8, 16 and 18: starting and stopping, many channels, many messages, and what a flushed commit costs."""

import os
import queue
import random
import statistics
import tempfile
import time
from pathlib import Path

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker import launcher, shared
from kubemq_nb.broker.engine.plan import AddChannel, InsertMessages, Message, Plan
from kubemq_nb.broker.storage.commits import Committer
from kubemq_nb.broker.storage.sqlite import SqliteStore
from tests.campaign.grounds import own_broker, resident
from tests.campaign.kills import kill
from tests.campaign.outcome import Outcome, Property
from tests.plain_wire import Wire

AT_ONCE = 1_000
FILES = 200  # that a broker may have open with ten thousand channels
GROWTH = 50 << 20  # bytes that they may take
MANY = 1_000  # messages in one receive
SLOW = 20.0  # seconds: a start or a stop that takes longer has failed, on any machine
PRODUCERS = 16
PROBES = 200


def start_and_stop(tries: int, seed: int) -> Outcome:
    """A broker starts, is killed and comes back, ends, and leaves neither process nor file."""
    starts, recoveries, stops = [], [], []
    left = 0
    for _ in range(tries):
        began = time.monotonic()
        broker = launcher.launch()
        starts.append(time.monotonic() - began)
        recoveries.append(kill(broker))
        pid, began = broker.pid, time.monotonic()
        broker.stop()
        stops.append(time.monotonic() - began)
        left += shared.start_of(pid) is not None
        left += broker.store.exists()
    slow = sum(took > SLOW for took in (*starts, *recoveries, *stops))
    medians = [statistics.median(times) for times in (starts, recoveries, stops)]
    note = "medians: start {:.2f} s, after a kill {:.2f} s, stop {:.2f} s".format(*medians)
    return Outcome(tries, undetected=left + slow, worst=max(starts + recoveries), note=note)


def many_channels(tries: int, seed: int) -> Outcome:
    """Every channel takes its message and keeps it over a kill; few files, little memory, quick lists.

    Seen red on a build that opens a file for each channel.
    """
    with own_broker() as broker:
        wire = Wire(broker.address, broker.token())
        before = resident(broker.pid)
        names = [f"channel-{number:05d}" for number in range(tries)]
        random.Random(seed).shuffle(names)
        errors = 0
        for start in range(0, tries, AT_ONCE):
            errors += sum(result.IsError for result in send_each(wire, names[start : start + AT_ONCE]))
        files = sum(1 for _ in Path(f"/proc/{broker.pid}/fd").iterdir())
        growth = resident(broker.pid) - before
        began = time.monotonic()
        listed = info(wire)
        listing = time.monotonic() - began
        start = kill(broker)
        again = info(Wire(broker.address, broker.token()))
    lost = len(set(names) - {each.Name for each in again if each.Waiting == 1})
    wrong = errors + (files > FILES) + (growth > GROWTH * max(1, tries / 10_000)) + (len(listed) != tries)
    sizes = f"{files} files, {growth / 2**20:.0f} MiB more"
    note = f"worst is a start after a kill; listed in {listing:.2f} s, {sizes}"
    return Outcome(tries, lost, undetected=wrong, worst=start, note=note)


def send_each(wire, names):
    """One message for each channel, in one batch; the results."""
    messages = [pb.QueueMessage(MessageID=name, ClientID="sender", Channel=name, Body=b"x") for name in names]
    request = pb.QueueMessagesBatchRequest(Messages=messages)
    return wire.unary("SendQueueMessagesBatch", request, pb.QueueMessagesBatchResponse).Results


def info(wire):
    """What the broker says of its queues."""
    answer = wire.unary("QueuesInfo", pb.QueuesInfoRequest(RequestID="all"), pb.QueuesInfoResponse)
    return answer.Info.Queues


def many_messages(tries: int, seed: int) -> Outcome:
    """So many messages wait in one queue, over a kill, and come out in order, each once."""
    with own_broker() as broker:
        wire = Wire(broker.address, broker.token())
        before = resident(broker.pid)
        for start in range(0, tries, AT_ONCE):
            ids = (f"m{number:07d}" for number in range(start, min(start + AT_ONCE, tries)))
            wire.send("long", *ids, body=b"x" * 200)
        growth = resident(broker.pid) - before
        again = kill(broker)
        wire = Wire(broker.address, broker.token())
        began = time.monotonic()
        first = wire.receive("long", 10, peek=True).Messages
        peek = time.monotonic() - began
        found = []
        while messages := wire.receive("long", MANY).Messages:
            found += [message.MessageID for message in messages]
    lost = tries - len(set(found))
    wrong = int(found != sorted(found)) + int([m.MessageID for m in first] != found[:10])
    note = f"worst is a start after a kill; peek {peek * 1000:.0f} ms, {growth / 2**20:.0f} MiB more"
    return Outcome(tries, lost, len(found) - len(set(found)), wrong, worst=again, note=note)


def durable_throughput(tries: int, seed: int) -> Outcome:
    """Messages through the committing thread onto the disk, and beside it what one flush takes there."""
    with tempfile.TemporaryDirectory() as folder:
        flush = flushes(Path(folder))
        few = max(1, tries // 10)
        alone, times = through(Path(folder, "one"), 1, few)
        together, _ = through(Path(folder, "many"), PRODUCERS, tries)
        lost = sum(count - stored_in(Path(folder, name)) for name, count in (("one", few), ("many", tries)))
    note = (
        f"{alone:,.0f}/s by 1, {together:,.0f}/s by {PRODUCERS}; p99 {percentile(times, 99) * 1000:.1f} ms; "
        f"one flush p50 {percentile(flush, 50) * 1000:.2f}, p99 {percentile(flush, 99) * 1000:.2f} ms"
    )
    return Outcome(tries, lost, worst=max(times), note=note)


def stored_in(folder):
    """How many messages a store holds."""
    store = SqliteStore(folder)
    held = store.load().queues[1].ranges
    store.close()
    return sum(stop - start for start, stop in held)


def flushes(folder):
    """How long it takes to append a page and flush it, some times."""
    times = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(PROBES):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return times


def through(folder, producers, count):
    """Send by so many producers, each waiting for its answer; messages a second, and the time of each."""
    folder.mkdir()
    calls, times, numbers = queue.SimpleQueue(), [], iter(range(1, count + 1))
    committer = Committer(lambda: SqliteStore(folder), calls.put)
    committer.start()
    committer.commit(Plan(operations=[AddChannel(1, "queues", "q")]))

    def produce():
        number = next(numbers, None)
        if number is None:
            return
        sent = time.perf_counter()

        def answered(_):
            times.append(time.perf_counter() - sent)
            produce()

        made = Message(1, number, b"x" * 256, b"d" * 16, 1, 0, 0, 0, 1024, "", "")
        committer.commit(Plan(operations=[InsertMessages([made])], done=answered))

    began = time.perf_counter()
    for _ in range(producers):
        produce()
    while len(times) < count:
        calls.get(timeout=SLOW)()
    took = time.perf_counter() - began
    committer.close()
    return count / took, times


def percentile(times, share):
    """The time below which so many per cent are."""
    return sorted(times)[min(len(times) - 1, len(times) * share // 100)]


PROPERTIES = (
    Property(8, "start-and-stop", start_and_stop, short=2, long=20),
    Property(8, "many-messages", many_messages, short=20_000, long=1_000_000),
    Property(16, "many-channels", many_channels, short=10_000, long=10_000),
    Property(18, "durable-throughput", durable_throughput, short=1_600, long=100_000),
)
