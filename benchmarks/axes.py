"""What growth is measured along: messages held, clients, size of bodies, number of channels."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import growth, load
from benchmarks.curves import Curve, Tell, curve, measure
from benchmarks.place import FULL, Place, embedded, fill_store
from benchmarks.samples import Sample, Turn
from benchmarks.stores import IN_QUEUE, brokers, fill_channels, memory, name_of, started, stores

A_ROW, TIME, MEMORY = "us/row", "ms", "MB"
LITTLE = growth.LITTLE  # rows a peek, receive or batch


@dataclass(frozen=True)
class Reach:
    """How far each axis goes."""

    rounds: int
    messages: tuple[int, ...]
    clients: tuple[int, ...]
    bodies: tuple[int, ...]
    channels: tuple[int, ...]
    rows: int  # sent or received by all clients together


WIDE = Reach(
    5,
    (1000, 10_000, 100_000, 1_000_000),
    (1, 2, 4, 8, 16, 32, 64),
    (100, 1000, 10_000, 100_000, 1_000_000),
    (1, 10, 100, 1000, 10_000),
    1280,
)
QUICK = Reach(
    3, (1000, 10_000, 100_000), (1, 4, 16, 64), (100, 1000, 10_000, 100_000), (1, 10, 100, 1000), 640
)
TINY = Reach(1, (1000,), (2,), (100,), (2,), 20)


@contextmanager
def messages(reach: Reach) -> Iterator[list[Curve]]:
    """Brokers whose stores hold so many messages in a queue, and as many events."""
    with stores({count: partial(fill_store, count=count) for count in reach.messages}) as folders:
        starts = curve("start of the broker", TIME, each(folders, started))
        measure([starts], reach.rounds)
        with brokers(folders) as places:
            queues = {at: Deep(place, at) for at, place in places.items()}
            curves = [
                curve("peek 1,000", A_ROW, each(queues, Deep.peek)),
                curve("send 1,000", A_ROW, each(queues, Deep.send)),
                curve("receive 1,000", A_ROW, each(queues, Deep.receive)),
                curve("replay the last 1,000", A_ROW, each(queues, Deep.replay)),
                curve("replay all", A_ROW, each(queues, Deep.replay_all)),
            ]
            measure(curves, reach.rounds)
            held = curve("memory of the broker", MEMORY, each(places, memory))
            measure([held], reach.rounds)
            yield [*curves, starts, held]


class Deep:
    """A queue of so many messages: what is taken at its head is put back at its end."""

    def __init__(self, place: Place, count: int) -> None:
        self._side = place.ours
        self._count = count
        self._first = 0
        self._last = count

    def peek(self) -> Sample:
        """Look at the first of them."""
        return growth.per_row(self._side.peek(channel="much", count=LITTLE, times=3), self._first)

    def send(self) -> Sample:
        """Send more; the frame is not a part of it."""
        result = self._side.send(channel="much", first=self._last, count=LITTLE)
        self._last += LITTLE
        right = len(result["sent"]) == LITTLE
        return Sample(result["seconds"] / LITTLE * 1e6, () if right else ("not all were sent",))

    def receive(self) -> Sample:
        """Take as many as were sent."""
        result = self._side.receive(channel="much", count=LITTLE, times=1)
        self._first += LITTLE
        return growth.per_row(result, self._first - LITTLE)

    def replay(self) -> Sample:
        """Read the last stored events."""
        first = self._count - LITTLE
        return growth.per_row(
            self._side.replay(channel="much", count=LITTLE, start=f"seq:{first + 1}"), first
        )

    def replay_all(self) -> Sample:
        """Read all stored events."""
        result = self._side.replay(channel="much", count=self._count)
        right = result["checksums"] == [load.expected(0, self._count)]
        problems = () if right else ("what came is not what was stored",)
        return Sample(result["seconds"] / self._count * 1e6, problems)


@contextmanager
def clients(reach: Reach) -> Iterator[list[Curve]]:
    """So many clients at once on connections of their own, for the same work together."""
    with embedded(FULL) as place:
        crowds = {at: Crowd(place, at, reach.rows) for at in reach.clients}
        curves = [
            curve("send one by one", A_ROW, each(crowds, Crowd.send)),
            curve("the same to a bare grpc.aio", A_ROW, each(crowds, Crowd.send_bare)),
            curve("send batches of 100", A_ROW, each(crowds, Crowd.send_batches)),
            curve("receive 100 a call", A_ROW, each(crowds, Crowd.receive)),
        ]
        measure(curves, reach.rounds)
        yield curves


class Crowd:
    """Some clients of one broker."""

    def __init__(self, place: Place, clients: int, rows: int) -> None:
        self._place = place
        self._clients = clients
        self._each = max(1, rows // clients)

    def send(self) -> Sample:
        """Send one after another."""
        return self._send(self._place.address)

    def send_bare(self) -> Sample:
        """The same where nothing is done with it."""
        return self._send(self._place.bare.address())

    def _send(self, address: str) -> Sample:
        result = self._place.raw.send_each(
            address=address, channel="one-by-one", clients=self._clients, count=self._each
        )
        problems = (f"{result['refused']} were refused",) if result["refused"] else ()
        return Sample(result["seconds"] / self._each / self._clients * 1e6, problems)

    def send_batches(self) -> Sample:
        """Send a hundred at a time."""
        return self._batches(self._place.channel("batches"))

    def receive(self) -> Sample:
        """Take a hundred at a time from one queue."""
        channel, count = self._place.channel("receive"), max(1, self._each // 10)
        expected = count * self._clients * 100
        self._place.raw.fill(channel=channel, first=0, count=expected)
        result = self._place.raw.receive_each(
            address=self._place.address, channel=channel, clients=self._clients, count=count, rows=100
        )
        problems = () if result["received"] == expected else (f"{result['received']} of {expected} came",)
        return Sample(result["seconds"] / expected * 1e6, problems)

    def _batches(self, channel: str) -> Sample:
        count = max(1, self._each // 10)
        expected = count * self._clients * 100
        result = self._place.raw.send_batches_each(
            address=self._place.address, channels=[channel], clients=self._clients, count=count, rows=100
        )
        held = self._place.raw.waiting(channel=channel)
        problems = () if result["sent"] == held == expected else (f"{held} of {expected} are held",)
        return Sample(result["seconds"] / expected * 1e6, problems)


@contextmanager
def bodies(reach: Reach) -> Iterator[list[Curve]]:
    """Messages whose bodies have so many bytes."""
    with embedded(FULL) as place:
        sized = {size: Bodies(place, size) for size in reach.bodies}
        curves = [
            curve("send", A_ROW, each(sized, Bodies.send)),
            curve("peek", A_ROW, each(sized, Bodies.peek)),
            curve("receive", A_ROW, each(sized, Bodies.receive)),
            curve("replay", A_ROW, each(sized, Bodies.replay)),
        ]
        measure(curves, reach.rounds)
        yield curves


class Bodies:
    """A queue and stored events with bodies of one size: as many as a peek shows, a thousand at most."""

    def __init__(self, place: Place, size: int) -> None:
        self._place = place
        self._size = size
        self._count = max(1, min(LITTLE, 3_600_000 // size))
        self._expected = load.expected(0, self._count, size)
        self._channel = f"bodies.{size}"
        arguments = {"channel": self._channel, "first": 0, "count": self._count, "size": size}
        place.raw.fill(**arguments)
        place.raw.store(**arguments)

    def send(self) -> Sample:
        """Send a frame."""
        channel = self._place.channel("bodies")
        result = self._place.ours.send(channel=channel, first=0, count=self._count, size=self._size)
        kept = self._place.raw.drain(channel=channel, count=self._count)
        return self._sample({**result, "checksums": [kept]})

    def peek(self) -> Sample:
        """Look at them."""
        return self._sample(self._place.ours.peek(channel=self._channel, count=self._count, times=3))

    def receive(self) -> Sample:
        """Take them; the same are put back."""
        result = self._place.ours.receive(channel=self._channel, count=self._count, times=1)
        self._place.raw.fill(channel=self._channel, first=0, count=self._count, size=self._size)
        return self._sample(result)

    def replay(self) -> Sample:
        """Read the events."""
        return self._sample(self._place.ours.replay(channel=self._channel, count=self._count))

    def _sample(self, result: dict[str, Any]) -> Sample:
        right = set(result["checksums"]) == {self._expected}
        rows = self._count * len(result["checksums"])
        return Sample(result["seconds"] / rows * 1e6, () if right else ("what came is not what was sent",))


@contextmanager
def channels(reach: Reach) -> Iterator[list[Curve]]:
    """Brokers that have so many queues of ten messages."""
    with stores({count: partial(fill_channels, count=count) for count in reach.channels}) as folders:
        starts = curve("start of the broker", TIME, each(folders, started))
        measure([starts], reach.rounds)
        with brokers(folders) as places:
            wide = {at: Wide(place, at) for at, place in places.items()}
            curves = [
                curve("send 1,000, over all queues", A_ROW, each(wide, Wide.send)),
                curve("receive 10 from one queue", A_ROW, each(wide, Wide.receive)),
                curve("peek 10 of one queue", A_ROW, each(wide, Wide.peek)),
            ]
            lists = curve("list all channels", TIME, each(wide, Wide.list))
            held = curve("memory of the broker", MEMORY, each(places, memory))
            measure([*curves, lists], reach.rounds)
            measure([held], reach.rounds)
            yield [*curves, starts, lists, held]


class Wide:
    """Many queues: work on some of them, or on all."""

    def __init__(self, place: Place, count: int) -> None:
        self._place = place
        self._count = count

    def send(self) -> Sample:
        """Send a batch, one message to each queue and then around."""
        names = [name_of(number) for number in range(min(self._count, LITTLE))]
        result = self._place.raw.send_batches_each(
            address=self._place.address, channels=names, clients=1, count=1, rows=LITTLE
        )
        right = result["sent"] == LITTLE
        return Sample(result["seconds"] / LITTLE * 1e6, () if right else ("not all were sent",))

    def peek(self) -> Sample:
        """Look at what the last queue holds."""
        result = self._place.ours.peek(channel=name_of(self._count), count=IN_QUEUE, times=10)
        return self._sample(result, 10 * IN_QUEUE)

    def receive(self) -> Sample:
        """Take it, and put it back."""
        channel = name_of(self._count)
        result = self._place.ours.receive(channel=channel, count=IN_QUEUE, times=1)
        self._place.raw.fill(channel=channel, first=0, count=IN_QUEUE)
        return self._sample(result, IN_QUEUE)

    def list(self) -> Sample:
        """List all."""
        result = self._place.ours.list_channels(times=3)
        right = set(result["found"]) == {self._count + 1}
        return Sample(result["seconds"] / 3 * 1e3, () if right else ("not all were listed",))

    def _sample(self, result: dict[str, Any], rows: int) -> Sample:
        right = set(result["checksums"]) == {load.expected(0, IN_QUEUE)}
        return Sample(result["seconds"] / rows * 1e6, () if right else ("what came is not what was sent",))


def each(things: dict[int, Any], turn: Callable[[Any], Sample]) -> list[tuple[int, Turn]]:
    """The same turn at every point of an axis."""
    return [(at, partial(turn, thing)) for at, thing in things.items()]


Axis = Callable[[Reach], AbstractContextManager[list[Curve]]]
AXES: dict[str, Axis] = {"messages": messages, "clients": clients, "bodies": bodies, "channels": channels}


def grow(reach: Reach, names: list[str], tell: Tell) -> list[tuple[str, Curve]]:
    """Measure along these axes; `tell` hears of each curve when its axis is done."""
    found = []
    for name in names:
        with AXES[name](reach) as curves:
            for one in curves:
                tell(name, one)
                found.append((name, one))
    return found
