"""Reads in parts: what they find, what they hold, and where it goes when their reader does."""

import pytest

from kubemq_nb.broker.engine.parts import PART, PART_BYTES, Waiting
from kubemq_nb.broker.engine.plan import DeleteMessages, ReadMessages
from tests.unit.broker.harness import draft

COUNT = 3 * PART + 5
IDS = [f"m{number}" for number in range(COUNT)]
MOST = 10**9


class Read:
    """A reading that its reader goes through part by part."""

    def __init__(self, engine, channel, count=COUNT, *, wait=0, takes=True, most=MOST):
        self.reading = None
        self.error = None
        self.parts = []
        self.waiting = Waiting(
            engine.queues,
            engine.queues.get(channel),
            count=count,
            most=most,
            wait=wait,
            takes=takes,
            found=self._found,
        )

    def _found(self, reading):
        assert self.reading is None, "found twice"
        self.reading = reading

    def part(self):
        """Read the next part; its ids."""
        self.reading.read(self._read)
        return self.parts[-1] if self.parts else None

    def all(self):
        """Read every part; the ids."""
        while self.reading.left:
            self.part()
        return [id for part in self.parts for id in part]

    def acknowledged(self):
        """The answer to the acknowledgement."""
        answers = []
        self.reading.acknowledge(answers.append)
        return answers

    def _read(self, messages, error):
        self.error = error
        self.messages = messages
        self.parts.append([message.content.decode() for message in messages])


@pytest.mark.parametrize("takes", [True, False])
def test_parts_bring_everything_in_order(engine, takes):
    engine.send("orders", *IDS)

    read = Read(engine, "orders", takes=takes)

    assert read.all() == IDS
    assert [len(part) for part in read.parts] == [PART, PART, PART, 5]


def test_a_look_leaves_everything_where_it_is(engine):
    engine.send("orders", *IDS)

    Read(engine, "orders", takes=False).all()

    assert engine.there("orders") == IDS


@pytest.mark.parametrize("parts", [0, 1, 4])
def test_who_goes_before_acknowledging_leaves_everything_at_its_place(engine, parts):
    engine.send("orders", *IDS)
    read = Read(engine, "orders")
    for _ in range(parts):
        read.part()
    taken = engine.there("orders")

    read.reading.close()

    assert taken == []
    assert engine.there("orders") == IDS
    assert engine.queues.get("orders").delivered == 0


def test_a_part_that_comes_after_its_reader_has_gone_is_nobodys(engine):
    engine.send("orders", *IDS)
    read = Read(engine, "orders")
    engine.commits.hold_back()
    read.part()

    read.reading.close()
    engine.commits.let_go()

    assert read.parts == []
    assert engine.there("orders") == IDS


def test_what_is_acknowledged_is_gone_also_after_a_restart(engine):
    engine.send("orders", *IDS, "left")
    read = Read(engine, "orders")
    read.all()

    answers = read.acknowledged()
    read.reading.close()

    assert answers == [""]
    assert engine.there("orders") == ["left"]
    assert engine.restarted().there("orders") == ["left"]
    queue = engine.queues.get("orders")
    assert (queue.delivered, queue.bytes, len(queue.away)) == (COUNT, len("left"), 0)


def test_what_cannot_be_deleted_is_at_its_place_again(engine):
    engine.send("orders", *IDS)
    read = Read(engine, "orders")
    read.all()
    engine.commits.failing = "disk full"

    answers = read.acknowledged()
    engine.commits.failing = ""
    engine.clock.advance(2)

    assert answers == ["disk full"]
    assert engine.there("orders") == IDS


def test_what_cannot_be_read_is_told_and_at_its_place_again(engine):
    engine.send("orders", *IDS)
    read = Read(engine, "orders")
    read.part()
    engine.commits.failing = "the disk is gone"

    read.part()
    engine.commits.failing = ""

    assert (read.error, read.reading.left) == ("the disk is gone", 0)
    assert engine.there("orders") == IDS


def test_it_ends_before_a_message_that_does_not_fit(engine):
    engine.send("orders", *IDS)
    read = Read(engine, "orders")
    read.part()

    read.reading.stop_before(read.messages[3].sequence)

    assert read.reading.left == 0
    assert read.acknowledged() == [""]
    assert engine.there("orders") == IDS[3:]


def test_large_messages_come_in_parts_of_fewer(engine):
    bodies = [str(number) * (PART_BYTES // 3) for number in range(7)]
    engine.send("orders", *bodies)

    read = Read(engine, "orders")

    assert read.all() == bodies
    assert [len(part) for part in read.parts] == [2, 2, 2, 1]


def test_damaged_ones_are_passed_over_and_forgotten(engine):
    engine.send("orders", *IDS)
    damaged = [2, PART, COUNT]  # the last one of a part, and the last of all
    for sequence in damaged:
        engine.commits.store.apply([[DeleteMessages(1, [(sequence, sequence + 1)])]])
    sound = [id for number, id in enumerate(IDS, 1) if number not in damaged]
    read = Read(engine, "orders")

    assert read.all() == sound
    assert read.acknowledged() == [""]
    queue = engine.queues.get("orders")
    assert (len(queue.ready), len(queue.away)) == (0, 0)


def test_damaged_ones_do_not_go_back(engine):
    engine.send("orders", *IDS)
    engine.commits.store.apply([[DeleteMessages(1, [(2, 3)])]])
    read = Read(engine, "orders")
    read.part()

    read.reading.close()

    queue = engine.queues.get("orders")
    assert (queue.waiting(), len(queue.away)) == (COUNT - 1, 0)


def test_others_get_none_of_what_is_being_read(engine):
    engine.send("orders", *IDS)
    first = Read(engine, "orders", PART + 1)
    second = Read(engine, "orders")

    assert (first.all(), second.all()) == (IDS[: PART + 1], IDS[PART + 1 :])


def test_it_waits_for_the_first_message_only(engine):
    read = Read(engine, "orders", wait=5000)
    before = read.reading

    engine.send("orders", "a")
    engine.send("orders", "b")

    assert before is None
    assert read.all() == ["a"]


def test_without_a_wait_nothing_is_told_soon(engine):
    read = Read(engine, "orders")

    engine.clock.advance(0)

    assert read.reading.left == 0
    assert engine.queues.get("orders").waiters == []


def test_a_wait_that_ends_without_a_message_has_taken_nothing(engine):
    read = Read(engine, "orders", wait=1000)
    engine.clock.advance(1)

    engine.send("orders", "a")

    assert read.reading.left == 0
    assert engine.there("orders") == ["a"]


@pytest.mark.parametrize("sent", [(), ("a",)])
def test_who_goes_while_waiting_leaves_everything(engine, sent):
    read = Read(engine, "orders", wait=5000)
    engine.send("orders", *sent)  # it may be found already, and not told yet

    read.waiting.cancel()
    engine.send("orders", "b")

    assert engine.there("orders") == [*sent, "b"]


@pytest.mark.parametrize("takes", [True, False])
def test_of_what_is_large_nothing_is_read_or_taken(engine, takes):
    engine.send("orders", *["x" * 100] * 10)

    few, many = (Read(engine, "orders", count, takes=takes, most=500) for count in (5, 6))

    assert (few.reading.is_large, few.reading.left) == (False, 5)
    assert (many.reading.is_large, many.reading.left) == ((False, 5) if takes else (True, 0))


@pytest.mark.parametrize("takes", [True, False])
def test_expired_ones_before_the_last_are_removed_and_counted(engine, takes):
    engine.queues.send([draft("orders", "a", expiration=1)], lambda _: None)
    engine.send("orders", "b")
    engine.queues.send([draft("orders", "c", expiration=1)], lambda _: None)
    engine.clock.advance(2)

    read = Read(engine, "orders", takes=takes)

    assert (read.reading.expired, read.all()) == (1, ["b"])
    assert engine.commits.store.apply([[ReadMessages(1, [1])]]) == [[[]]]


@pytest.mark.parametrize("takes", [True, False])
def test_expired_ones_are_nothing_to_who_does_not_wait(engine, takes):
    engine.queues.send([draft("orders", "a", expiration=1)], lambda _: None)
    engine.clock.advance(2)

    read = Read(engine, "orders", takes=takes)
    engine.clock.advance(0)

    assert (read.reading.expired, read.all()) == (0, [])
