"""The engine and the store without sockets and threads, and a ledger of what they acknowledged when.

The same seed makes the same traffic: plans are committed in groups that chance forms, by the committing code
of the broker, on the thread of the test.
"""

import hashlib
from collections import Counter
from itertools import count

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.delivery import AckAll, Receive
from kubemq_nb.broker.engine.events import Outgoing
from kubemq_nb.broker.engine.events_store import FIRST, EventsStore, Start
from kubemq_nb.broker.engine.old_stream import ACK, RECEIVE, REJECT, Asked, OldStream, settle_left
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Draft
from kubemq_nb.broker.engine.transactions import (
    ACK_ALL,
    ACK_RANGE,
    NACK_ALL,
    REQUEUE_ALL,
    Action,
    Consumer,
    Get,
)
from kubemq_nb.broker.storage.commits import Committer, release
from kubemq_nb.broker.storage.damage import FILE_NAME as DAMAGE_NAME
from kubemq_nb.broker.storage.rows import message_of
from kubemq_nb.broker.storage.sqlite import SqliteStore
from kubemq_nb.broker.storage.verbs import SELECT_MESSAGES
from tests.unit.broker.harness import FakeClock

QUEUES = ("orders", "jobs", "dead")
SCRATCH = "scratch"  # nobody receives from it
LOGS = ("stored", "audit")
SIZES = (40, 40, 300, 300, 300, 5_000, 30_000)


class Stepwise(Committer):
    """A committer whose groups are carried out when a test says so."""

    def __init__(self, open_store):
        self.waiting = []
        super().__init__(open_store, lambda _: None)

    def commit(self, plan):
        self.waiting.append(plan)

    def turn(self, size):
        """Carry out the next plans as one group, and release them."""
        group, self.waiting[:size] = self.waiting[:size], []
        release(self._carry_out(group))

    def close(self):
        self._leave_store()


class Ledger:
    """What was asked for and acknowledged, at which moment, by the ids of messages and events."""

    def __init__(self, moment=lambda: 0):
        self.moment = moment
        self.sent = {}  # id: when its sending was acknowledged
        self.leaving = {}  # id: when its removal was asked for
        self.gone = {}  # id: when its removal was acknowledged
        self.moved = set()  # those that may be anywhere in their queue
        self.logged = {}  # id of an event: when it was acknowledged
        self.errors = []

    def note(self, where, ids):
        for id in ids:
            where[id] = self.moment()

    def error(self, text):
        """Count an answer that says that something failed."""
        self.errors.append(text)


class Traffic:
    """A broker's engine on a store of its own, and people who use it."""

    def __init__(self, folder, connect, chance, ledger):
        self.ledger = ledger
        self._chance = chance
        self.clock = FakeClock()
        self.committer = Stepwise(lambda: SqliteStore(folder, connect=connect))
        content = self.committer.content
        numbers = count(max((channel.id for channel in content.channels), default=0) + 1)
        self.queues = Queues(self.clock, self.committer.commit, numbers.__next__)
        self.events = EventsStore(self.clock, self.committer.commit, numbers.__next__, lambda at, n: b"")
        self.queues.restore(content)
        self.events.restore(content)
        settle_left(self.queues, content.held)
        self._numbers = count(1)
        self._streams = []
        self._scratch = []

    def run(self, steps):
        """Let people do so many things, some at a time."""
        verbs = (
            *(self.send,) * 5,
            *(self.store_events,) * 3,
            self.send_later,
            self.receive,
            *(self.transact,) * 3,
            self.hold,
            self.read_events,
            self.fill_and_purge,
        )
        for _ in range(steps):
            for _ in range(self._chance.randint(1, 3)):
                self._chance.choice(verbs)()
            self.settle()
            self.clock.advance(self._chance.choice((0, 0, 0.2, 1.5)))
            self.settle()

    def settle(self):
        """Carry out all that waits."""
        while self.committer.waiting:
            self.committer.turn(self._chance.randint(1, 6))

    def close(self):
        self.committer.close()

    # What people do

    def send(self, queue=None, **policy):
        ids = self._ids(self._chance.randint(1, 5))
        queue = queue or self._chance.choice(QUEUES)
        if self._chance.random() < 0.3:
            policy |= {"max_receive_count": 2, "dead_letter": "dead"}
        drafts = [Draft(id, "sender", queue, False, content(id), digest(id), **policy) for id in ids]

        def reply(results):
            self.ledger.note(self.ledger.sent, [r.id for r in results if not r.error])
            for result in results:
                if result.error:
                    self.ledger.error(result.error)

        self.queues.send(drafts, reply)
        return ids

    def send_later(self):
        self.ledger.moved.update(self.send(delay=1))

    def receive(self):
        began = self.ledger.moment()
        self._under_way = Receive(
            self.queues,
            self.queues.get(self._chance.choice(QUEUES)),
            self._chance.randint(1, 4),
            self.clock.now(),
            lambda messages, _, error: self._received(began, messages, error),
        )
        self.clock.advance(0)

    def _received(self, began, messages, error):
        self._removed(began, [id_of(message.content) for message in messages], error)

    def transact(self):
        consumer, name = Consumer(self.queues), "transaction"
        self._streams.append(consumer)
        queue = self._chance.choice(QUEUES)
        get = Get("reader", queue, self._chance.randint(1, 5), 1, False)
        consumer.get(name, get, lambda messages, _, error: self._settle(consumer, messages, error))
        self.clock.advance(1)

    def _settle(self, consumer, messages, error):
        consumer.confirm()
        if error:
            self.ledger.error(error)
        if not messages:
            return
        kind = self._chance.choice((ACK_ALL, ACK_ALL, ACK_RANGE, NACK_ALL, REQUEUE_ALL, 0))
        ids = [id_of(message.content) for message in messages]
        began = self.ledger.moment()
        if kind == 0:  # goes away with them
            consumer.close()
            return
        if kind in (ACK_ALL, ACK_RANGE):
            messages = messages[: len(messages) if kind == ACK_ALL else 1]
            ids = ids[: len(messages)]
            self.ledger.note(self.ledger.leaving, ids)
        else:
            self.ledger.moved.update(ids)
        action = Action(kind, "transaction", [m.sequence for m in messages], "jobs")
        removes = ids if kind in (ACK_ALL, ACK_RANGE) else []
        consumer.settle(action, lambda error: self._removed(began, removes, error))

    def hold(self):
        stream = OldStream(self.queues, lambda told: self._told(stream, told), lambda: None)
        self._streams.append(stream)
        stream.ask(Asked("1", "reader", RECEIVE, self._chance.choice(QUEUES), 60, 1, 0, None))
        self.clock.advance(1)

    def _told(self, stream, told):
        if told.message is None:
            return
        id = id_of(told.message.content)
        kind = self._chance.choice((ACK, REJECT, 0, 0))
        self.ledger.moved.add(id)
        if kind == 0:
            if self._chance.random() < 0.5:
                stream.close()
            return
        if kind == ACK:
            self.ledger.note(self.ledger.leaving, [id])
        # Rejecting for the last time drops a message that has no dead-letter queue: nobody here does that.
        stream.ask(Asked("2", "reader", kind, told.channel, 0, 0, told.message.sequence, None))

    def fill_and_purge(self):
        began = self.ledger.moment()
        self._scratch.extend(self.send(SCRATCH))
        ids = list(self._scratch)  # with those that an earlier purge, which failed, has left
        self.settle()

        def purged(_, error):
            self._removed(began, ids, error)

        AckAll(self.queues, self.queues.get(SCRATCH), self.clock.now(), purged)
        self.clock.advance(0)

    def store_events(self):
        channel = self._chance.choice(LOGS)
        for id in self._ids(self._chance.randint(1, 4)):

            def reply(error, id=id):
                if error:
                    self.ledger.error(error)
                else:
                    self.ledger.note(self.ledger.logged, [id])

            self.events.send(Outgoing(id, "sender", channel, False, True, content(id)), reply)

    def read_events(self):
        start = Start(f"reader-{next(self._numbers)}", self._chance.choice(LOGS), "", FIRST, 0)
        reader = self.events.subscribe(start, lambda: None)
        for _ in range(3):
            reader.take()
            self.settle()
        self.events.unsubscribe(reader)

    def _removed(self, began, ids, error):
        if error:
            self.ledger.error(error)
            return
        for id in ids:
            self.ledger.leaving.setdefault(id, began)
        self.ledger.note(self.ledger.gone, ids)

    def _ids(self, number):
        return [f"m{next(self._numbers):06d}-{self._chance.choice(SIZES)}" for _ in range(number)]


def content(id):
    """What a message holds: its id, then bytes that follow from it."""
    size = int(id.rpartition("-")[2])
    filler = hashlib.sha256(id.encode()).digest()
    return (id.encode() + b"|" + filler * (size // len(filler) + 1))[: size + len(id) + 1]


def digest(id):
    return hashlib.md5(content(id)).digest()


def id_of(found):
    """The id in what was found, "" when it is not what was sent."""
    id = bytes(found).partition(b"|")[0].decode("ascii", "replace")
    try:
        return id if content(id) == bytes(found) else ""
    except ValueError:
        return ""


class Found:
    """What a store holds, read with the product's store on Python's SQLite.

    Attributes:
        queues: The ids in each queue, in order; "" stands for a message that is not what was sent.
        logs: The sequences and ids in each log, in order.
        places: The channel and sequence of each id; a delayed message has a number and no channel.
        told: What the store says is damaged.
    """

    def __init__(self, folder):
        store = SqliteStore(folder)
        try:
            self._read(store)
        finally:
            store.close()
        damage = folder / DAMAGE_NAME
        self.told = damage.read_text().splitlines() if damage.exists() else []

    def _read(self, store):
        content = store.load()
        names = {channel.id: channel.name for channel in content.channels}
        self.queues, self.logs, self.places = {}, {}, {}
        for id, held in content.queues.items():
            for start, stop in held.ranges:
                found = store.apply([[plan.ReadMessages(id, range(start, stop))]])[0][0]
                self.queues.setdefault(names[id], []).extend(id_of(message.content) for message in found)
                self.places |= {id_of(m.content): (names[id], m.sequence) for m in found}
        # Delayed messages have no verb that reads them before they are due.
        rows = store._connection.execute(SELECT_MESSAGES, (0, 1 << 40))
        delayed = {item.number for item in content.delayed}
        waiting = [found for found in map(message_of, rows) if found and found.sequence in delayed]
        self.queues["delayed"] = [id_of(message.content) for message in waiting]
        self.places |= {id_of(message.content): ("", message.sequence) for message in waiting}
        for channel in content.channels:
            if channel.kind == "events_store":
                found = store.apply([[plan.ReadEvents(channel.id, 1, 1 << 30, 1 << 40)]])[0][0]
                self.logs[channel.name] = [(event.sequence, id_of(event.content)) for event in found]
                self.places |= {id_of(e.content): (channel.name, e.sequence) for e in found}
        self.last_sequences = {channel.name: channel.last_sequence for channel in content.channels}

    def ids(self):
        """How often each id of a message is there."""
        return Counter(id for ids in self.queues.values() for id in ids)

    def events(self):
        """How often each id of an event is there."""
        return Counter(id for log in self.logs.values() for _, id in log)


class Verdict:
    """What a disk holds, beside what the ledger says it must hold at some moment."""

    def __init__(self, ledger, found, moment):
        messages, events = found.ids(), found.events()
        there = {id for id, at in ledger.sent.items() if at <= moment}
        leaving = {id for id, at in ledger.leaving.items() if at <= moment}
        gone = {id for id, at in ledger.gone.items() if at <= moment}
        logged = {id for id, at in ledger.logged.items() if at <= moment}
        self.lost = (there - leaving - messages.keys()) | (logged - events.keys())
        self.duplicated = {id for id, times in (messages + events).items() if times > 1 and id}
        self.wrong = [""] * (messages[""] + events[""])
        self.returned = gone & messages.keys()
        self.disordered = [
            name
            for name, ids in found.queues.items()
            if name != "delayed" and not ascending([id for id in ids if id not in ledger.moved])
        ]
        self.gaps = [
            name for name, log in found.logs.items() if [n for n, _ in log] != list(range(1, len(log) + 1))
        ]

    def holds(self):
        return not (self.lost or self.duplicated or self.broken())

    def broken(self):
        """What is wrong beside losses and duplicates."""
        return [*self.wrong, *self.returned, *self.disordered, *self.gaps]


def ascending(ids):
    return ids == sorted(ids)
