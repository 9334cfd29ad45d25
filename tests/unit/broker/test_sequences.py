from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb.broker.engine.sequences import Sequences

NUMBERS = st.integers(0, 40)
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add all", "discard", "discard all", "take"]), NUMBERS), max_size=200
)


@given(STEPS)
def test_ranges_hold_what_a_set_would(steps):
    ranges, model = Sequences(), set()
    for verb, number in steps:
        if verb == "add" and number not in model:
            ranges.add(number)
            model.add(number)
        elif verb == "add all":
            new = [n for n in range(number, 2 * number, 1 + number % 3) if n not in model]
            ranges.add_all(new)
            model.update(new)
        elif verb == "discard":
            assert ranges.discard(number) == (number in model)
            model.discard(number)
        elif verb == "discard all":
            gone = range(number, number + number % 7, 1 + number % 2)
            ranges.discard_all(gone)
            model.difference_update(gone)
        elif verb == "take":
            taken = sorted(model)[: number % 5]
            assert ranges.take(number % 5) == taken
            model.difference_update(taken)

        assert list(ranges) == sorted(model)
        assert ranges.first(number) == sorted(model)[:number]
        assert len(ranges) == len(model)
        assert (number in ranges) == (number in model)


def test_a_million_in_order_is_one_range():
    assert Sequences([(1, 1_000_001)]).ranges() == [(1, 1_000_001)]
