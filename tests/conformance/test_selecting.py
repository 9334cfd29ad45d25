"""Conditions, fields and decoders on the reads that leave messages where they are."""

import gzip
import json

import pytest

from kubemq_nb.magics import grammar
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.words import split
from tests.conformance.support import eventually


@pytest.fixture
def orders(session, channel):
    """Five orders in a queue; the last is compressed."""
    for number in range(4):
        session.queues.send(channel, {"id": number, "total": 10 * number}, tags={"day": str(number % 2)})
    session.queues.send(channel, gzip.compress(json.dumps({"id": 4, "total": 40}).encode()))
    return channel


@pytest.mark.rows("M-10", "M-11")
def test_a_peek_shows_what_matches_and_leaves_all_in_the_queue(session, orders):
    frame = session.queues.peek(orders, where='body.total > 5 and tags.day == "1"', fields="total,tags.day")

    assert frame["total"].tolist() == [10, 30]
    assert frame["tags.day"].tolist() == ["1", "1"]
    assert (frame.attrs["count"], frame.attrs["read"]) == (2, 5)
    assert len(session.queues.peek(orders)) == 5


@pytest.mark.rows("M-12")
def test_a_decoder_is_for_the_decoded_column_and_the_body_stays(session, orders):
    frame = session.queues.peek(orders, where="body.total == 40", decode="auto")

    assert frame["decoded"].tolist() == [{"id": 4, "total": 40}]
    assert frame["body"][0].startswith(b"\x1f\x8b")


def test_a_wrong_condition_is_refused_before_anything_is_read(session, orders):
    with pytest.raises(ValueError, match="where, column 1: no column totl"):
        session.events.receive(orders, where="totl > 1", timeout=30)


@pytest.mark.rows("M-10", "M-11")
def test_stored_events_are_filtered_as_they_are_read_again(session, channel):
    session.events_store.send(channel, rows=[{"n": number} for number in range(10)])

    frame = session.events_store.receive(channel, where="body.n >= 8 or sequence == 1", fields="n")

    assert frame["n"].tolist() == [0, 8, 9]
    assert frame.attrs["complete"]
    assert frame.attrs["last_sequence"] == 10


def test_a_feed_holds_what_matches_and_counts_the_others(session, channel):
    session.events_store.send(channel, rows=[{"n": number} for number in range(10)])

    feed = session.events_store.receive(channel, start="first", live=True, where="body.n > 6", fields="n")

    assert feed.wait(count=3, timeout=20)
    assert feed.df["n"].tolist() == [7, 8, 9]
    assert feed.tail(1)["n"].tolist() == [9]
    assert eventually(lambda: feed.df.attrs["passed_over"] == 7)
    feed.stop()


@pytest.mark.rows("M-10")
def test_live_events_are_filtered(session, channel):
    feed = session.events.receive(channel, live=True, where='"late" in metadata')
    session.events.send(channel, "a", metadata="late")
    session.events.send(channel, "b", metadata="early")
    session.events.send(channel, "c", metadata="late again")

    assert feed.wait(count=2, timeout=20)
    assert feed.df["decoded"].tolist() == ["a", "c"]
    feed.stop()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("queues receive orders -n 5 --where body.total>10", "use queues peek --where"),
        ("queues transaction orders --where late", "use queues peek --where"),
        ("queues peek orders --where body.total > 10", "quote a condition that has spaces"),
    ],
)
def test_a_condition_out_of_place_is_answered_in_one_line(line, answer):
    words = split(line)
    command, length = grammar.find(words, COMMANDS)

    with pytest.raises(grammar.UsageError, match=answer):
        grammar.parse(command, words[length:], str)
