"""The rows of docs/performance.md: what is done, by which sides, and the goal."""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import Any

from benchmarks import growth, load, watching
from benchmarks.place import OFFICIAL, Place
from benchmarks.samples import Goal, Sample, Sides
from benchmarks.sides import ROOT, Process, cpu_of
from tests.official import python_with

SDK = "SDK 4.1.5 + pandas"
LOOK = 1000  # messages a peek or receive
FEW = 10  # messages in a queue of which more are asked


@dataclass(frozen=True)
class Row:
    """One row; `goals` by the kind of server it is for."""

    name: str
    text: str
    against: str
    unit: str
    goals: Mapping[str, Goal]
    sides: Callable[[Place], Sides]
    rounds: int = 0  # at least so many


def checksums(result: dict[str, Any]) -> list[str]:
    """Those that a side has made."""
    found: list[str] = result["checksums"]
    return found


def checked(
    place: Place,
    make: Callable[[], dict[str, Any]],
    count: int,
    expected: str,
    *,
    pid: int | None = None,
    look: Callable[[dict[str, Any]], list[str]] = checksums,
) -> Sample:
    """One turn in messages a second, its check sums compared; `look` finds them when the turn is over."""
    pid = pid or place.pid
    before = cpu_of(pid)
    result = make()
    server = cpu_of(pid) - before
    wrong = any(sum != expected for sum in look(result))
    problems = ("what came is not what was sent",) if wrong else ()
    return Sample(
        count / result["seconds"], problems, cpu=result["cpu"] / count * 1e6, server=server / count * 1e6
    )


def peek(place: Place) -> Sides:
    """Look at 1,000 messages again and again."""
    channel, times = place.channel("peek"), place.sizes.looks
    place.raw.fill(channel=channel, first=0, count=LOOK)
    expected = load.expected(0, LOOK)

    def turn(side: Process) -> Sample:
        make = partial(side.peek, channel=channel, count=LOOK, times=times)
        return checked(place, make, LOOK * times, expected)

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def receive(place: Place) -> Sides:
    """Take messages by the thousand."""
    channel, times = place.channel("receive"), place.sizes.looks
    expected = load.expected(0, LOOK * times)

    def turn(side: Process) -> Sample:
        place.raw.fill(channel=channel, first=0, count=LOOK * times)
        make = partial(side.receive, channel=channel, count=LOOK, times=times)
        sample = checked(place, make, LOOK * times, expected)
        left = place.raw.waiting(channel=channel) if place.kind == "embedded" else 0
        return sample if not left else sample._replace(problems=(f"{left} were left",))

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def replay(place: Place) -> Sides:
    """Read stored events from the first."""
    channel, count = place.channel("replay"), place.sizes.replay
    place.raw.store(channel=channel, first=0, count=count)
    expected = load.expected(0, count)

    def turn(side: Process) -> Sample:
        return checked(place, partial(side.replay, channel=channel, count=count), count, expected)

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def batch(place: Place) -> Sides:
    """Send a frame; what the queue holds then is read by neither side."""
    channel, count = place.channel("batch"), place.sizes.batch
    ids = load.columns(0, count)["id"]

    def turn(side: Process) -> Sample:
        def look(result: dict[str, Any]) -> list[str]:
            kept = place.raw.drain(channel=channel, count=count)
            return [kept if result["sent"] == ids else "not all were sent"]

        make = partial(side.send, channel=channel, first=0, count=count)
        return checked(place, make, count, load.expected(0, count), look=look)

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def query(place: Place, *, percentile: int) -> Sides:
    """Ask one query after another of a responder that is neither side's."""
    channel, count = place.channel("query"), place.sizes.queries
    place.raw.respond(channel=channel)

    def turn(side: Process) -> Sample:
        result = side.ask(channel=channel, count=count)
        problems = () if result["right"] else ("an answer was not the one to its question",)
        milliseconds = quantiles(result["times"], n=100)[percentile - 1] * 1000
        return Sample(milliseconds, problems, cpu=result["cpu"] / count * 1e6)

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def short_peek(place: Place) -> Sides:
    """Ask for more than a queue holds."""
    channel = place.channel("short-peek")
    place.raw.fill(channel=channel, first=0, count=FEW)

    def turn(side: Process) -> Sample:
        sample = checked(place, partial(side.peek, channel=channel, count=100), 1, load.expected(0, FEW))
        return sample._replace(value=1000 / sample.value)

    return Sides(lambda: turn(place.ours), lambda: turn(place.official))


def first_result(place: Place) -> Sides:
    """Load, connect and peek in a new process."""
    channel = place.channel("first")
    place.raw.fill(channel=channel, first=0, count=FEW)

    # One environment for both, because what else is installed there decides how long pandas takes to load.
    python = python_with(OFFICIAL)

    def turn(side: str) -> Sample:
        command = [python, "-m", "benchmarks.first", side, place.address, place.token_file or "", channel]
        make = lambda: json.loads(subprocess.check_output(command, cwd=ROOT, text=True))  # noqa: E731
        sample = checked(place, make, 1, load.expected(0, FEW))
        return sample._replace(value=1000 / sample.value)

    return Sides(lambda: turn("ours"), lambda: turn("official"))


def durable(place: Place) -> Sides:
    """Batches through a broker, and the same into a store of its kind."""
    channel, count, flushed = place.channel("durable"), place.sizes.durable, place.flushed

    def ours() -> Sample:
        def look(result: dict[str, Any]) -> list[str]:
            held = flushed.raw.waiting(channel=channel)
            flushed.raw.drain(channel=channel, count=held)
            return [f"{held} held, {result['refused']} refused"]

        make = partial(flushed.raw.send_batches, channel=channel, count=count)
        return checked(flushed, make, count, f"{count} held, 0 refused", look=look)

    def store() -> Sample:
        make = partial(place.raw.store_batches, folder=str(place.folder), count=count)
        return checked(place, make, count, f"{count} held", look=lambda result: [f"{result['kept']} held"])

    return Sides(ours, store)


def stream(place: Place) -> Sides:
    """The same client reads the broker's stream and a bare one."""
    channel, count = place.channel("stream"), place.sizes.stream
    place.raw.store(channel=channel, first=0, count=count)
    place.bare.hold(channel=channel, count=count)
    bare = place.bare.address()
    expected = load.expected(0, count)

    def turn(address: str, pid: int | None) -> Sample:
        make = partial(place.raw.read_stored, address=address, channel=channel, count=count)
        return checked(place, make, count, expected, pid=pid)

    return Sides(lambda: turn(place.address, place.pid), lambda: turn(bare, place.bare.pid))


def unary(place: Place, *, clients: int) -> Sides:
    """Many clients send one message after another to a broker, and to a server that does nothing."""
    channel, flushed = place.channel(f"unary-{clients}"), place.flushed
    each = max(1, place.sizes.unary // clients)
    count, bare = each * clients, place.bare.address()
    told = 0

    send = partial(flushed.raw.send_each, channel=channel, clients=clients, count=each)

    def ours() -> Sample:
        nonlocal told
        told += count

        def look(result: dict[str, Any]) -> list[str]:
            return [f"{flushed.raw.waiting(channel=channel)} held, {result['refused']} refused"]

        return checked(
            flushed, partial(send, address=flushed.address), count, f"{told} held, 0 refused", look=look
        )

    def other() -> Sample:
        return checked(
            place,
            partial(send, address=bare),
            count,
            "0 refused",
            pid=place.bare.pid,
            look=lambda result: [f"{result['refused']} refused"],
        )

    return Sides(ours, other)


def on(embedded: Goal | None = None, real: Goal | None = None) -> dict[str, Goal]:
    """Goals by the kind of server."""
    return {kind: goal for kind, goal in (("embedded", embedded), ("real", real)) if goal}


def both(goal: Goal) -> dict[str, Goal]:
    """The same goal on either."""
    return on(goal, goal)


RATE, TIME = "messages/s", "ms"
ROWS = (
    Row("peek", "peek 1,000 -> DataFrame", SDK, RATE, both(Goal("least", 1.8)), peek),
    Row("receive", "receive 1,000 -> DataFrame", SDK, RATE, both(Goal("least", 1.5)), receive),
    Row(
        "replay",
        "replay of stored events -> DataFrame",
        SDK,
        RATE,
        on(Goal("least", 1.6), Goal("least", 6.0)),
        replay,
    ),
    Row("batch", "batch send of a DataFrame", SDK, RATE, both(Goal("least", 2.2)), batch),
    Row(
        "query-p50",
        "query round trip, p50",
        SDK,
        TIME,
        both(Goal("most", 0.85)),
        partial(query, percentile=50),
    ),
    Row(
        "query-p99",
        "query round trip, p99",
        SDK,
        TIME,
        both(Goal("most", 1.0)),
        partial(query, percentile=99),
    ),
    Row(
        "short-peek", "peek of a queue with fewer than asked", SDK, TIME, both(Goal("most", 0.05)), short_peek
    ),
    Row("first", "first result of a new process", SDK, TIME, both(Goal("most", 1.0)), first_result),
    Row("durable", "durable batch send", "raw store", RATE, on(Goal("least", 0.5)), durable),
    Row("stream", "replay stream", "bare grpc.aio stream", RATE, on(Goal("least", 0.9)), stream, rounds=18),
    *(
        Row(
            f"unary-{clients}",
            f"unary durable send, {clients} clients",
            "bare grpc.aio",
            RATE,
            on(Goal("least", 0.6)),
            partial(unary, clients=clients),
        )
        for clients in (16, 64)
    ),
    Row(
        "live",
        "live table, idle kernel",
        "ids sent by another process",
        RATE,
        on(Goal("least", 5000, "ours")),
        partial(watching.table, rate=watching.IDLE, busy=False),
    ),
    Row(
        "live-busy",
        "live table beside a busy cell",
        "ids sent by another process",
        RATE,
        on(Goal("least", 2000, "ours")),
        partial(watching.table, rate=watching.BUSY, busy=True),
    ),
    Row(
        "live-cells",
        "other cells beside a live table, p99",
        "without the table",
        TIME,
        on(Goal("most", 50, "difference")),
        watching.cells,
    ),
    Row("grown-peek", "peek among many", "among 1,000", "us/row", on(Goal("most", 1.25)), growth.peek),
    Row(
        "grown-receive", "receive among many", "among 1,000", "us/row", on(Goal("most", 1.25)), growth.receive
    ),
    Row(
        "grown-replay",
        "read 1,000 stored events behind many",
        "of 1,000",
        "us/row",
        on(Goal("most", 1.25)),
        growth.replay,
    ),
    Row(
        "grown-memory",
        "memory of a broker that holds many",
        "an empty one",
        "MB",
        on(Goal("most", 100, "ours")),
        growth.memory,
    ),
)
