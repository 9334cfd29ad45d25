"""What is kept of messages that were looked at."""

import pytest

from kubemq_nb.broker.engine.plan import Message
from kubemq_nb.broker.storage.looks import MOST_BYTES, Looks
from kubemq_nb.broker.storage.rows import key

QUEUE = 3
QUARTER = bytes(MOST_BYTES // 4 - 1000)


@pytest.fixture
def looks():
    return Looks()


def keep(looks, *sequences, content=b"m"):
    made = [Message(QUEUE, sequence, content, bytes(16), 1, 0, 0, 0, 1024, "", "") for sequence in sequences]
    looks.add([key(QUEUE, sequence) for sequence in sequences], made)
    return made


def test_all_or_nothing_is_found_of_one_queue(looks):
    made = keep(looks, 1, 2, 3)

    assert looks.find(QUEUE, [2, 3]) == made[1:]
    assert looks.find(QUEUE, [3, 4]) is None
    assert looks.find(QUEUE + 1, [2]) is None


def test_what_was_kept_longest_goes_when_there_is_too_much(looks):
    made = [keep(looks, number, content=QUARTER)[0] for number in range(1, 13)]

    assert looks.find(QUEUE, range(1, 5)) is None
    assert looks.find(QUEUE, [1]) is None
    assert looks.find(QUEUE, range(5, 13)) == made[4:]


def test_more_than_one_half_holds_is_not_kept(looks):
    kept = keep(looks, 1)

    keep(looks, 2, content=bytes(MOST_BYTES))

    assert looks.find(QUEUE, [2]) is None
    assert looks.find(QUEUE, [1]) == kept


@pytest.mark.parametrize("stop", [4, 1 << 39])
def test_what_is_deleted_is_forgotten_in_both_halves(looks, stop):
    keep(looks, 1, 2, content=QUARTER)
    keep(looks, 3, 4, content=QUARTER)
    keep(looks, 5, 6, content=QUARTER)

    looks.forget(key(QUEUE, 2), key(QUEUE, stop))

    found = [number for number in range(1, 7) if looks.find(QUEUE, [number])]
    assert found == ([1, 4, 5, 6] if stop == 4 else [1])
