"""What a message costs in a broker that holds many, beside one among 1,000."""

from functools import partial
from typing import Any

from benchmarks import load
from benchmarks.place import Place
from benchmarks.samples import Sample, Sides
from benchmarks.sides import resident

LITTLE = 1000


def per_row(result: dict[str, Any], first: int) -> Sample:
    """One turn in microseconds a row."""
    right = result["checksums"] == [load.expected(first, LITTLE)] * len(result["checksums"])
    problems = () if right else ("what came is not what was sent",)
    rows = LITTLE * len(result["checksums"])
    return Sample(result["seconds"] / rows * 1e6, problems, cpu=result["cpu"] / rows * 1e6)


def peek(place: Place) -> Sides:
    """Look at the first 1,000."""
    grown = place.grown

    def turn(channel: str) -> Sample:
        return per_row(grown.ours.peek(channel=channel, count=LITTLE, times=3), 0)

    return Sides(partial(turn, "much"), partial(turn, "little"))


def receive(place: Place) -> Sides:
    """Take 1,000, and put as many back at the end."""
    grown = place.grown
    first = {"much": 0, "little": 0}
    last = {"much": place.sizes.grown, "little": LITTLE}

    def turn(channel: str) -> Sample:
        sample = per_row(grown.ours.receive(channel=channel, count=LITTLE, times=1), first[channel])
        grown.raw.fill(channel=channel, first=last[channel], count=LITTLE)
        first[channel] += LITTLE
        last[channel] += LITTLE
        return sample

    return Sides(partial(turn, "much"), partial(turn, "little"))


def replay(place: Place) -> Sides:
    """Read the last 1,000 stored events."""
    grown = place.grown

    def turn(channel: str, count: int) -> Sample:
        result = grown.ours.replay(channel=channel, count=LITTLE, start=f"seq:{count - LITTLE + 1}")
        return per_row(result, count - LITTLE)

    return Sides(partial(turn, "much", place.sizes.grown), partial(turn, "little", LITTLE))


def memory(place: Place) -> Sides:
    """How much memory the process has."""
    full, empty = place.grown.pid, place.pid
    assert full
    assert empty
    return Sides(lambda: Sample(resident(full)), lambda: Sample(resident(empty)))
