"""The two ways of a bounded replay, page by page and by the stream, bring the same."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.errors import KubeMQError
from kubemq_nb.messages import StartPosition
from kubemq_nb.rules import MAX_SENT_BYTES
from tests.conformance.client_support import event, event_bodies, sequences

COUNT = 4500  # three pages
FIRST = StartPosition.first()
pytestmark = pytest.mark.embedded_only


@pytest.fixture(scope="module")
def ways(both_ways):
    """A client that reads pages, and one that is told that there are none."""
    return [EventsStoreClient(way) for way in both_ways]


@pytest.fixture(scope="module")
def stored(ways):
    """A channel of many stored events; a time between two of them."""
    channel = f"kubemq-nb-test.pages.{uuid.uuid4().hex[:8]}"
    ways[0].send_stream(event(channel, number) for number in range(1, 2501))
    boundary = datetime.now(UTC)
    ways[0].send_stream(event(channel, number) for number in range(2501, COUNT + 1))
    return channel, boundary


def at(boundary, seconds):
    return boundary + timedelta(seconds=seconds)


ASKED = {
    "all": lambda _: {"start": FIRST},
    "to a sequence": lambda _: {"start": FIRST, "to": 3000},
    "to one behind the last": lambda _: {"start": FIRST, "to": COUNT + 7},
    "to none": lambda _: {"start": FIRST, "to": 0},
    "from a sequence": lambda _: {"start": StartPosition.at_sequence(2001)},
    "from behind the last": lambda _: {"start": StartPosition.at_sequence(COUNT + 100)},
    "an end before the start": lambda _: {"start": StartPosition.at_sequence(9), "to": 8},
    "one": lambda _: {"start": StartPosition.at_sequence(9), "to": 9},
    "the last": lambda _: {"start": StartPosition.last()},
    "the last, to one before it": lambda _: {"start": StartPosition.last(), "to": 5},
    "long ago": lambda _: {"start": StartPosition.ago(3600)},
    "from a time": lambda time: {"start": StartPosition.at_time(time)},
    "from a time to come": lambda time: {"start": StartPosition.at_time(at(time, 9999))},
    "to a time": lambda time: {"start": FIRST, "to": time},
    "to a time before all": lambda time: {"start": FIRST, "to": at(time, -9999)},
    "to a time to come": lambda time: {"start": FIRST, "to": at(time, 9999)},
    "between times": lambda time: {"start": StartPosition.at_time(at(time, -9999)), "to": time},
    "a few": lambda _: {"start": FIRST, "count": 3},
    "more than a page": lambda _: {"start": FIRST, "count": 2001},
    "just all": lambda _: {"start": FIRST, "count": COUNT},
    "more than all": lambda _: {"start": FIRST, "count": COUNT + 1},
    "just to the time": lambda time: {"start": FIRST, "to": time, "count": 2500},
}


@pytest.mark.rows("S-15")
@pytest.mark.parametrize("name", ASKED)
def test_both_ways_bring_the_same(stored, ways, name):
    channel, boundary = stored
    asked = ASKED[name](boundary)

    by_pages, by_stream = (way.replay(channel, **asked) for way in ways)

    assert sequences(by_pages.payloads) == sequences(by_stream.payloads)
    assert by_pages == by_stream


def test_both_ways_know_an_empty_channel(ways, channel):
    by_pages, by_stream = (way.replay(channel, start=FIRST, idle=0.2) for way in ways)

    assert by_pages == by_stream
    assert by_pages.end == "empty"


def test_both_ways_refuse_a_name_alike(ways):
    told = []
    for way in ways:
        with pytest.raises(KubeMQError) as caught:
            way.replay("a..b", start=FIRST)
        told.append(str(caught.value))

    assert told[0] == told[1]


def test_our_broker_is_read_by_pages(stored, connection):
    EventsStoreClient(connection).replay(stored[0], start=FIRST)

    assert connection.has_pages


def test_a_sink_gets_every_page_in_order(stored, ways):
    parts = []

    replay = ways[0].replay(stored[0], start=FIRST, sink=parts.append)

    assert replay.payloads == []
    assert sequences([payload for part in parts for payload in part]) == list(range(1, COUNT + 1))


def test_a_page_moves_nobodys_position(channel, ways):
    pages, stream = ways
    name = "reader-of-pages"
    stream.send_stream(event(channel, number) for number in range(1, 11))
    stream.replay(channel, start=FIRST, client_id=name)
    stream.send_stream([event(channel, 11)])
    pages.replay(channel, start=FIRST)

    rest = stream.replay(channel, start=FIRST, client_id=name)

    assert sequences(rest.payloads) == [11]


def test_a_large_event_is_asked_for_by_its_size_and_gets_the_time_for_it(ways, monkeypatch):
    channel = f"kubemq-nb-test.pages.{uuid.uuid4().hex[:8]}"
    pages, _ = ways
    monkeypatch.setattr(pages._connection, "timeout", 2.0)  # seconds, which are for 4 MB
    bodies = ["small", "x" * 12_000_000, "small again"]
    for body in bodies:
        pages.send(event(channel, body))
    granted = []
    wait_for = pages._connection.wait_for

    def noting(method, request, attempt, cancellation):
        granted.append(attempt.timeout)
        return wait_for(method, request, attempt, cancellation)

    monkeypatch.setattr(pages._connection, "wait_for", noting)

    found = pages.replay(channel, start=FIRST)

    assert event_bodies(found.payloads) == bodies
    assert granted == [2.0, 2.0, 8.0, 2.0]


def test_a_page_never_has_more_than_a_message_of_grpc_may_have(ways):
    channel = f"kubemq-nb-test.pages.{uuid.uuid4().hex[:8]}"
    pages, _ = ways
    sizes = [3_000_000, MAX_SENT_BYTES - 500]
    for size in sizes:
        pages.send(event(channel, "x" * size))

    found = pages.replay(channel, start=FIRST)

    assert [len(body) for body in event_bodies(found.payloads)] == sizes
