"""A live table in a kernel while another process sends."""

from statistics import quantiles
from typing import Any

from benchmarks import load
from benchmarks.place import Place
from benchmarks.samples import Sample, Sides

IDLE, BUSY = 5500, 2200  # messages sent a second: a tenth above the goals
BESIDE = 2000  # the same beside short cells


def table(place: Place, *, rate: int, busy: bool) -> Sides:
    """Send at a rate; the table is to show the last message soon, and its feed to hold every one."""
    count = rate * place.sizes.live
    sent: dict[str, Any] = {}

    def ours() -> Sample:
        channel = place.channel("live")
        place.kernel.watch(channel=channel, keep=count)
        if busy:
            place.kernel.be_busy(seconds=place.sizes.live + 1)
        sent.update(place.raw.send_events(channel=channel, count=count, rate=rate))
        shown = place.kernel.shown(count=count)
        place.kernel.forget()
        right = shown["checksum"] == load.expected(0, count) and not shown["dropped"]
        problems = () if right else (f"of {count} events {shown['newest']} were shown, or not as they were",)
        late = max(0.0, shown["at"] - sent["ended"])
        return Sample(count / (count / sent["rate"] + late), problems)

    def other() -> Sample:
        if not sent:
            ours()
        return Sample(sent["rate"])

    return Sides(ours, other)


def cells(place: Place) -> Sides:
    """Short cells, with a table that gets 2,000 messages a second and without."""
    count = place.sizes.cells

    def without() -> Sample:
        return Sample(slowest(place.kernel.cells(count=count)))

    def beside() -> Sample:
        channel, seconds = place.channel("live"), max(1, place.sizes.live)
        place.kernel.watch(channel=channel, keep=BESIDE * seconds)
        sent = place.raw.start("send_events", channel=channel, count=BESIDE * seconds, rate=BESIDE)
        times = place.kernel.cells(count=count)
        sent()
        shown = place.kernel.shown(count=BESIDE * seconds)
        place.kernel.forget()
        right = shown["checksum"] == load.expected(0, BESIDE * seconds)
        return Sample(slowest(times), () if right else ("the feed lost events",))

    return Sides(beside, without)


def slowest(times: list[float]) -> float:
    """The 99th of 100, in milliseconds."""
    return quantiles(times, n=100)[98] * 1000
