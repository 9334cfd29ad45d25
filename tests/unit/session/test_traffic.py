"""Rates and lines out of counts that only grow."""

from kubemq_nb.session.channels import Figures
from kubemq_nb.session.traffic import BUCKET, POINTS, Traffic

ORDERS = ("queues", "orders")


def figures(sent, delivered=0, waiting=0, channel="orders"):
    return Figures(kind="queues", channel=channel, sent=sent, delivered=delivered, waiting=waiting)


def looked(*counts, every=2.0):
    """Traffic after looks in which one queue had these counts."""
    traffic = Traffic(every)
    for place, sent in enumerate(counts):
        traffic.take([figures(sent)], at=100 + place * every, time=place * every)
    return traffic


def test_a_first_look_knows_no_rate():
    traffic = looked(1000)

    assert traffic.rates(ORDERS) == (0.0, 0.0)
    assert traffic.passed == 0


def test_a_rate_is_the_growth_over_the_last_looks():
    assert looked(0, 10, 20, 30).rates(ORDERS) == (5.0, 0.0)
    assert looked(0, 1000, 1000, 1000, 1000, 1000).rates(ORDERS) == (0.0, 0.0)


def test_the_whole_is_the_sum_of_the_channels():
    traffic = Traffic(2.0)
    for at, (first, second) in enumerate([(0, 0), (4, 2)]):
        traffic.take([figures(first), figures(second, second, 7, channel="b")], at=at * 2, time=at * 2)

    assert traffic.total() == (3.0, 1.0)
    assert traffic.moments[-1] == (2, 3.0, 1.0, 7)
    assert traffic.passed == 6


def test_a_broker_that_counts_from_zero_again_makes_no_negative_rate():
    assert looked(1000, 6).rates(ORDERS) == (3.0, 0.0)


def test_a_channel_that_comes_and_one_that_goes_change_nothing_else():
    traffic = Traffic(2.0)
    traffic.take([figures(5)], at=0, time=0)
    traffic.take([figures(8, channel="new")], at=2, time=2)

    assert traffic.rates(("queues", "new")) == (4.0, 0.0)


def test_a_line_has_a_point_for_each_ten_seconds_and_at_most_five_minutes_of_them():
    looks = int(BUCKET / 2) * (POINTS + 5)

    line = list(looked(*range(0, 20 * (looks + 1), 20)).line(ORDERS))

    assert len(line) == POINTS
    assert set(line) == {10.0}


def test_the_lines_of_channels_that_are_gone_are_forgotten():
    traffic = looked(*range(20))
    traffic.take([figures(1, channel="other")], at=1000, time=1000)

    assert list(traffic.line(ORDERS)) == []
