import pytest

from kubemq_nb.widgets.tail import ROWS, Tail


@pytest.fixture
def tail():
    return lambda source: Tail(source, line=lambda row: row["id"])


def test_two_looks_are_laid_end_to_end(filled, tail):
    source = filled()
    rows = tail(source.feed)

    source.put(b"a", b"b")
    rows.advance()
    source.put(b"c")
    rows.advance()
    rows.advance()

    assert list(rows) == [(1, "id-1"), (2, "id-2"), (3, "id-3")]


def test_only_the_newest_rows_are_kept(filled, tail):
    source = filled()
    rows = tail(source.feed)

    source.put(*[b"x"] * (2 * ROWS + 7))
    rows.advance()

    assert [number for number, _ in rows] == list(range(ROWS + 8, 2 * ROWS + 8))


def test_rows_keep_their_numbers_when_the_client_dropped_some(filled, tail):
    source = filled()
    rows = tail(source.feed)
    source.put(b"a")
    rows.advance()

    source.stream.dropped = 5
    source.put(b"b")
    rows.advance()

    assert list(rows) == [(1, "id-1"), (2, "id-2")]


def test_what_the_feed_no_longer_holds_is_let_go(filled, tail):
    source = filled(keep=2)
    rows = tail(source.feed)
    source.put(b"a", b"b")
    rows.advance()

    source.put(b"c")
    rows.advance()

    assert [number for number, _ in rows] == [2, 3]


def test_a_cleared_feed_leaves_no_row(filled, tail):
    source = filled()
    rows = tail(source.feed)
    source.put(b"a")
    rows.advance()

    source.feed.clear()
    rows.advance()

    assert list(rows) == []


def test_a_search_looks_through_all_that_is_held_and_then_at_what_comes(filled, tail):
    source = filled()
    rows = tail(source.feed)
    source.put(b"to BQN", *[b"to IAH"] * (ROWS + 1))
    rows.advance()

    source.feed.filter("bqn")
    rows.advance()
    source.put(*[b"to IAH"] * ROWS, b"to BQN", *[b"to IAH"] * ROWS)
    rows.advance()

    assert [number for number, _ in rows] == [1, 2 * ROWS + 3]


def test_a_search_during_a_pause_shows_nothing_that_came_after_it(filled, tail):
    source = filled()
    rows = tail(source.feed)
    source.put(b"to BQN")
    rows.advance()

    source.feed.pause()
    source.put(b"to BQN")
    rows.advance()
    source.feed.filter("BQN")
    rows.advance()

    assert [number for number, _ in rows] == [1]
