"""Places in the events store are what docs/protocol.md says, whatever comes after what.

Long walks of random verbs beside lists that say the same simply; a failure names the steps that led to it.
"""

import random

import pytest

from kubemq_nb.broker.engine import durable, events_store
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.events import Refused
from tests.unit.broker.harness import BEGIN, Engine, walked

CHANNELS = ("orders", "bills")
CLIENTS = ("u", "v", "x", "y", "z")
STEPS = 250


class Place:
    """How far a client, or a group, has read a channel: all before `start`, and what is in `done`."""

    def __init__(self, start):
        self.start = start
        self.done = set()
        self.held = set()

    def forget(self):
        """Nobody reads: only how far everything was read is remembered."""
        while self.start in self.done:
            self.start += 1
        self.done.clear()
        self.held.clear()


class Reading:
    """One reader of the engine, and the place that it reads by."""

    def __init__(self, reader, channel, place):
        self.reader = reader
        self.channel = channel
        self.place = place


class Walk:
    """Verbs of the events store on an engine and on lists, which have to say the same."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.engine = Engine()
        self.stored = {channel: [] for channel in CHANNELS}  # (id, time)
        self.places = {}
        self.readings = {}  # by client
        self.number = 0
        self.steps = []

    def step(self):
        """Do something; a moment passes before it."""
        self.engine.clock.advance(0.001)
        verbs, weights = zip(*VERBS.items(), strict=True)
        verb = self.random.choices(verbs, weights)[0]
        self.steps.append(verb.__name__)
        verb(self)

    def some(self, *values):
        """One of some values, which is told with the step."""
        value = self.random.choice(values)
        self.steps[-1] += f" {value!r}"
        return value

    def store(self):
        channel, count = self.some(*CHANNELS), self.some(1, 2, 6)
        ids = [f"e{self.number + n}" for n in range(count)]
        self.number += count

        assert self.engine.store_events(*((channel, id) for id in ids)) == [""] * count
        self.stored[channel] += [(id, self.engine.clock.now()) for id in ids]

    def subscribe(self):
        client, channel, group = self.some(*CLIENTS), self.some(*CHANNELS), self.some("", "", "g", "h")
        type = self.some(1, 2, 3, 4, 5, 6, 7)
        value = self.some(*self.values(type))
        if client in self.readings:
            with pytest.raises(Refused, match="clientID already registered"):
                self.engine.read(channel, client, group=group, type=type, value=value)
            return
        key = channel, group, "" if group else client
        if key not in self.places:
            self.places[key] = Place(self.first(channel, type, value))
        reader = self.engine.read(channel, client, group=group, type=type, value=value)
        self.readings[client] = Reading(reader, channel, self.places[key])

    def values(self, type):
        now = self.engine.clock.now()
        return {
            events_store.AT_SEQUENCE: (1, 4, 12),
            events_store.AT_TIME: (now + SECOND, now - SECOND // 3, now - 4 * SECOND),
            events_store.AT_TIME_DELTA: (1, 3, 100),
        }.get(type, (0,))

    def first(self, channel, type, value):
        """The sequence that a start position means."""
        stored = self.stored[channel]
        behind = len(stored) + 1
        since = {
            events_store.AT_TIME: value,
            events_store.AT_TIME_DELTA: self.engine.clock.now() - value * SECOND,
        }
        if type in since:
            return next((n for n, (_, at) in enumerate(stored, start=1) if at >= since[type]), behind)
        return {
            events_store.FIRST: 1,
            events_store.LAST: max(1, len(stored)),
            events_store.AT_SEQUENCE: min(value, behind),
        }.get(type, behind)

    def take(self):
        if not self.readings:
            return
        client = self.some(*self.readings)
        reading = self.readings[client]
        place, stored = reading.place, self.stored[reading.channel]
        # The first may only have begun to read a page.
        taken = [content.decode().split("#") for content in reading.reader.take() or reading.reader.take()]
        sequences = [int(sequence) for _, sequence in taken]
        waiting = [n for n in range(place.start, len(stored) + 1) if n not in place.done | place.held]

        assert sequences == waiting[: len(sequences)]
        assert bool(sequences) == bool(waiting)
        assert [id for id, _ in taken] == [stored[sequence - 1][0] for sequence in sequences]
        if sum(other.place is place for other in self.readings.values()) > 1:
            assert len(sequences) <= 1
        self.write(client, sequences)

    def write(self, client, sequences):
        """Write all that was taken, or a part of it, and leave in the middle."""
        reading = self.readings[client]
        written = self.some(len(sequences), len(sequences), self.random.randint(0, len(sequences)))
        reading.place.held |= {*sequences}
        if written:
            reading.reader.written(written)
        reading.place.done |= {*sequences[:written]}
        reading.place.held -= {*sequences[:written]}
        if written < len(sequences):
            reading.place.held -= {*sequences}
            self.part(client)

    def leave(self):
        if self.readings:
            self.part(self.some(*self.readings))

    def part(self, client):
        reading = self.readings.pop(client)
        self.engine.events_store.unsubscribe(reading.reader)
        if not any(other.place is reading.place for other in self.readings.values()):
            reading.place.forget()

    def time_passes(self):
        self.engine.clock.advance(self.some(0.05, 1, 3))

    def broker_stops(self):
        for client in list(self.readings):
            self.part(client)
        self.restart()

    def broker_is_killed(self):
        for reading in self.readings.values():  # what is taken and not written does not count
            reading.reader.take()
        self.engine.clock.advance(2 * durable.SAVE_AFTER / SECOND)  # by then places are stored
        self.readings.clear()
        self.restart()

    def restart(self):
        now = self.engine.clock.now()
        self.engine = self.engine.restarted()
        self.engine.clock.advance((now - BEGIN) / SECOND)
        for place in self.places.values():
            place.forget()


VERBS = {
    Walk.store: 6,
    Walk.subscribe: 5,
    Walk.take: 10,
    Walk.leave: 3,
    Walk.time_passes: 2,
    Walk.broker_stops: 0.2,
    Walk.broker_is_killed: 0.2,
}


@pytest.mark.parametrize("seed", range(25))
def test_places_are_what_the_page_says(seed, monkeypatch):
    monkeypatch.setattr(durable, "PAGE", 4)
    walked(Walk(seed), STEPS)
