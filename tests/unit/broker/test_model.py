"""The engine does to queues what docs/protocol.md says, whatever comes after what.

Long walks of random verbs, each from a seed; a failure names the steps that led to it. They find more than a
search for short examples: a dead letter takes five steps before anything is done to it.
"""

import random

import pytest

from kubemq_nb.broker.engine import old_stream, transactions
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.old_stream import Asked, OldStream, settle_left
from kubemq_nb.broker.engine.transactions import Action, Consumer, Get
from tests.unit.broker.harness import BEGIN, Engine, draft, walked
from tests.unit.broker.model import Holder, Item, Model, Waiting

NAMES = ("orders", "bills", "dead")
STEPS = 400
MOMENT = 0.001  # passes before whatever is done, so that no two things fall due together
SETTLING = (*range(transactions.ACK_ALL, transactions.ACTIVE_OFFSETS), transactions.CLOSE_BY_CLIENT)


class Stream:
    """An older stream of the engine, and what it is by the model."""

    def __init__(self, engine):
        self.told = []
        self.holder = Holder()
        self.ended = False
        self.stream = OldStream(engine.queues, self.told.append, self._end)

    def _end(self):
        self.ended = True

    def ask(self, type, *, channel="", visibility=0, wait=0, sequence=0, modified=None):
        self.stream.ask(Asked("r", "reader", type, channel, visibility, wait, sequence, modified))


class Downstream:
    """A stream of transactions of the engine, and what each holds by the model."""

    def __init__(self, engine):
        self.consumer = Consumer(engine.queues)
        self.held = {}  # items by transaction; None: closed
        self.places = {}
        self.waiting: Waiting | None = None
        self.answers = {}

    def open(self):
        """The transactions that hold something, unless the stream waits: then nothing else is asked of it."""
        return [] if self.waiting else [transaction for transaction, items in self.held.items() if items]


class Walk:
    """Verbs of queues on an engine and on the model, which have to hold the same after each."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.engine = Engine()
        self.model = Model(BEGIN)
        self.streams = []
        self.downstreams = [Downstream(self.engine), Downstream(self.engine)]
        self.number = 0
        self.steps = []

    def step(self):
        """Do something; a moment passes before it."""
        self.pass_time(MOMENT)
        verbs, weights = zip(*VERBS.items(), strict=True)
        verb = self.random.choices(verbs, weights)[0]
        self.steps.append(verb.__name__)
        verb(self)
        self.settle_waits()
        self.compare()

    def some(self, *values):
        """One of some values, which is told with the step."""
        value = self.random.choice(values)
        self.steps[-1] += f" {value!r}"
        return value

    def policy(self):
        return {
            "expiration": self.some(0, 0, 0, 2, 9),
            "delay": self.some(0, 0, 0, 1, 4),
            "max_receive_count": self.some(0, 1, 1, 2),
            "dead_letter": self.some("", "dead", "dead", "orders"),
        }

    def item(self, policy):
        self.number += 1
        return Item(
            f"m{self.number}",
            expiration=policy["expiration"],
            most=policy["max_receive_count"] or 1024,
            dead_letter=policy["dead_letter"],
        )

    def pass_time(self, seconds):
        self.model.pass_to(self.model.now + round(seconds * SECOND))
        self.engine.clock.advance(seconds)
        self.settle_waits()

    def settle_waits(self):
        """What a Get collected is held by its transaction, once it is over."""
        for downstream in self.downstreams:
            waiting = downstream.waiting
            if waiting and waiting.over:
                transaction = f"t{len(downstream.held)}"
                downstream.held[transaction] = {item.sequence: item for item in waiting.taken} or None
                downstream.places[transaction] = waiting.place
                downstream.waiting = None
                assert downstream.answers[transaction] == [item.id for item in waiting.taken]

    # Unary calls

    def send(self):
        name, policy = self.some(*NAMES), self.policy()
        item = self.item(policy)
        self.model.send(name, item, policy["delay"])

        assert [result.error for result in self.engine.send(name, item.id, **policy)] == [""]

    def receive(self):
        name, limit = self.some(*NAMES), self.some(1, 2, 4)
        reading = self.engine.receive(name, limit, wait=0)
        taken, expired = self.model.take(self.model.place(name), limit)
        self.engine.clock.advance(0)

        assert (reading.ids, reading.expired) == ([item.id for item in taken], expired)

    def peek(self):
        name, limit = self.some(*NAMES), self.some(1, 2, 4)
        reading = self.engine.peek(name, limit, wait=0)
        seen, expired = self.model.look(self.model.place(name), limit)
        self.engine.clock.advance(0)

        assert (reading.ids, reading.expired) == ([item.id for item in seen], expired)

    def ack_all(self):
        name = self.some(*NAMES)
        answers = self.engine.ack_all(name, wait=0)
        ready = self.model.place(name).ready
        gone = len(ready)
        ready.clear()
        self.engine.clock.advance(0)

        assert answers == [gone]

    def time_passes(self):
        self.pass_time(self.some(0.2, 1, 3))

    # Older streams

    def stream_receives(self):
        name, visibility, wait = self.some(*NAMES), self.some(2, 9, 60), self.some(1, 4)
        stream = Stream(self.engine)
        self.streams.append(stream)
        self.model.receive(stream.holder, name, visibility, wait)
        stream.ask(old_stream.RECEIVE, channel=name, visibility=visibility, wait=wait)

    def open_stream(self):
        streams = [stream for stream in self.streams if not stream.holder.ended]
        return self.random.choice(streams) if streams else None

    def stream_acts(self):
        stream = self.open_stream()
        if stream is None:
            return
        type, target, visibility = self.some(2, 3, 3, 4, 5, 6), self.some(*NAMES), self.some(1, 5)
        holder, item = stream.holder, stream.holder.item
        new = modified = None
        if type == old_stream.EXTEND:
            holder.ends_at = self.model.now + visibility * SECOND
        elif type == old_stream.MODIFY:
            policy = self.policy()
            new = self.item(policy)
            modified = draft(target, new.id, **policy)
        sequence = item.sequence if item else 1
        stream.ask(type, channel=target, visibility=visibility, sequence=sequence, modified=modified)
        if item is None or type == old_stream.EXTEND:
            assert bool(stream.told[-1].error) == (type != old_stream.EXTEND)
            return
        self.model.end(holder)
        if type == old_stream.REJECT:
            self.model.give_back(holder.place, item)
        elif type == old_stream.RESEND:
            self.model.resend(item, target)
        elif new:
            self.model.send(target, new, policy["delay"])

    def stream_leaves(self):
        stream = self.open_stream()
        if stream is not None:
            self.model.leave(stream.holder)
            stream.stream.close()
            stream.ended = True

    # Transactions

    def downstream_gets(self):
        downstream = self.random.choice(self.downstreams)
        if downstream.waiting:
            return
        name, limit, wait = self.some(*NAMES), self.some(1, 2, 4), self.some(1, 3)
        transaction = f"t{len(downstream.held)}"

        def answered(messages, _, error):
            downstream.answers[transaction] = error or [message.content.decode() for message in messages]

        downstream.waiting = self.model.wait(name, limit, wait)
        downstream.consumer.get(transaction, Get("reader", name, limit, wait * 1000, False), answered)

    def downstream_acts(self):
        downstream = self.random.choice(self.downstreams)
        if not (open := downstream.open()):
            return
        transaction, type, target = self.some(*open), self.some(*SETTLING), self.some(*NAMES)
        items, place = downstream.held[transaction], downstream.places[transaction]
        sequences = self.random.choices([*items, 10_000], k=self.some(1, 2, 3))
        settled = sorted(items)
        if type in transactions.RANGES:
            bad = [n for n, s in enumerate(sequences) if s not in items or s in sequences[:n]]
            settled = sequences[: bad[0]] if bad else sequences
        answers = []
        downstream.consumer.settle(Action(type, transaction, sequences, target), answers.append)

        assert bool(answers[0]) == (type in transactions.RANGES and settled != sequences)
        gone = [items.pop(sequence) for sequence in settled]
        if not items:
            downstream.held[transaction] = None
        self.apply(type, place, gone, target)

    def apply(self, type, place, gone, target):
        if type == transactions.CLOSE_BY_CLIENT:
            self.model.put_back(place, gone)
        for item in gone:
            if type in (transactions.NACK_ALL, transactions.NACK_RANGE):
                self.model.give_back(place, item)
            elif type in (transactions.REQUEUE_ALL, transactions.REQUEUE_RANGE):
                self.model.resend(item, target)

    def downstream_leaves(self):
        downstream = self.downstreams.pop(0)
        self.downstreams.append(Downstream(self.engine))
        if downstream.waiting:
            self.model.abandon(downstream.waiting)
        for transaction, items in downstream.held.items():
            if items:
                self.model.put_back(downstream.places[transaction], list(items.values()))
        downstream.consumer.close()

    # The broker

    def broker_restarts(self):
        self.engine = self.engine.restarted()
        self.engine.clock.advance((self.model.now - BEGIN) / SECOND)
        for downstream in self.downstreams:
            for transaction, items in downstream.held.items():
                downstream.places[transaction].ready |= items or {}
        held = [(stream.holder.place, stream.holder.item) for stream in self.streams if stream.holder.item]
        self.model.restart()
        ids = {queue.name: queue.id for queue in self.engine.queues}
        for place, item in sorted(held, key=lambda each: (ids[each[0].name], each[1].sequence)):
            self.model.give_back(place, item)
        settle_left(self.engine.queues, self.engine.content.held)
        self.streams.clear()
        self.downstreams = [Downstream(self.engine), Downstream(self.engine)]

    # What both hold

    def compare(self):
        rows = {(m.queue, m.sequence): m for m in self.engine.commits.store.messages()}
        for name, place in self.model.places.items():
            queue = self.engine.queues.get(name)
            there = [item_of(rows[queue.id, sequence]) for sequence in queue.ready]
            assert there == [place.ready[sequence] for sequence in sorted(place.ready)]
            assert queue.waiting() == self.model.alive(place)
        for stream in self.streams:
            assert stream.ended == stream.holder.ended
            if stream.holder.item is not None:
                seen = [told.message.content.decode() for told in stream.told if told.message]
                assert seen == [stream.holder.item.id]


VERBS = {
    Walk.send: 10,
    Walk.receive: 2,
    Walk.peek: 2,
    Walk.ack_all: 0.3,
    Walk.time_passes: 2,
    Walk.stream_receives: 5,
    Walk.stream_acts: 7,
    Walk.stream_leaves: 2,
    Walk.downstream_gets: 4,
    Walk.downstream_acts: 7,
    Walk.downstream_leaves: 1,
    Walk.broker_restarts: 0.5,
}


def item_of(message):
    """A stored message as the model has it."""
    return Item(
        message.content.decode(),
        message.sequence,
        message.receive_count,
        message.expiration,
        message.expires_at,
        message.max_receive_count,
        message.dead_letter,
        message.rerouted_from,
    )


@pytest.mark.parametrize("seed", range(25))
def test_queues_are_what_the_page_says(seed):
    walked(Walk(seed), STEPS)
