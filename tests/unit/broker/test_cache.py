"""Answers kept of queries, in a bounded memory."""

import pytest

from kubemq_nb.broker.engine.cache import LIMIT, LIMIT_BYTES, Cache
from tests.unit.broker.harness import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def cache(clock):
    return Cache(clock)


def test_an_answer_is_kept_for_its_time(cache, clock):
    cache.keep("prices", "a", b"1", ttl=5)
    clock.advance(4)
    before = cache.get("prices", "a")
    clock.advance(1)

    assert (before, cache.get("prices", "a"), cache.get("prices", "b")) == (b"1", None, None)


def test_the_oldest_answers_go_when_there_are_too_many(cache):
    for number in range(LIMIT + 1):
        cache.keep("prices", str(number), b"x", ttl=5)

    assert (cache.get("prices", "0"), cache.get("prices", "1")) == (None, b"x")


def test_the_oldest_answers_go_when_they_are_too_large_together(cache):
    half = bytes(LIMIT_BYTES // 2)
    for key in ("first", "again", "again", "last"):
        cache.keep("prices", key, half, ttl=5)

    assert cache.get("prices", "first") is None
    assert cache.get("prices", "again") is cache.get("prices", "last") is half


def test_one_answer_that_is_larger_than_all_may_be_is_not_kept(cache):
    cache.keep("prices", "large", bytes(LIMIT_BYTES + 1), ttl=5)
    cache.keep("prices", "small", b"x", ttl=5)

    assert (cache.get("prices", "large"), cache.get("prices", "small")) == (None, b"x")


def test_what_is_over_goes_although_nobody_asks_for_it(cache, clock):
    cache.keep("prices", "a", b"1", ttl=1)
    clock.advance(1)
    cache.keep("prices", "b", b"22", ttl=1)

    assert list(cache._kept) == [("prices", "b")]
    assert cache._bytes == 2
