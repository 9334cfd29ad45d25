import pytest

from kubemq_nb.session.rate import Rate


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_history_is_one_figure_a_full_second(clock):
    rate = Rate(clock)
    rate.add(3)
    clock.now += 1
    rate.add(2)
    rate.add(2)
    clock.now += 2

    assert rate.history() == (3.0, 4.0, 0.0)


def test_the_history_is_a_minute_at_most(clock):
    rate = Rate(clock)
    rate.add(5)

    clock.now += 1000

    assert rate.history() == (0.0,) * 60


def test_the_rate_is_that_of_the_last_seconds(clock):
    rate = Rate(clock)
    for _ in range(10):
        rate.add(50)
        clock.now += 1

    assert rate.now() == pytest.approx(50)


def test_the_rate_falls_to_nothing_when_nothing_comes(clock):
    rate = Rate(clock)
    rate.add(50)

    clock.now += 10

    assert rate.now() == 0
