"""Stored events between official clients and ours, from every position and under every name."""

import time
import uuid
from queue import Empty

import pytest

from kubemq_nb.errors import KubeMQError
from tests.conformance.support import eventually
from tests.official.client import PROBE
from tests.official.exchange import MESSAGE, bodies, fields, rows, said, sendable, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]


@pytest.fixture
def listening(theirs, channel):
    """Begins a subscription of theirs under a client id of its own."""
    begun = []

    def listen(**options):
        named = {"channel": channel, "client_id": f"reader-{time.time_ns()}"} | options
        begun.append(theirs.subscribe("subscribe_stored", **named))
        return begun[-1]

    yield listen
    for subscription in begun:
        subscription.end()


@pytest.fixture(scope="module")
def aged(ours):
    """A channel with two events that have some age by the time they are asked for."""
    channel = f"kubemq-nb-test.official.aged.{time.time_ns()}"
    ours.events_store.send(channel, rows=["old 1", "old 2"])
    return channel


@pytest.mark.rows("S-01", "S-10", "M-51")
def test_what_they_store_we_read(theirs, ours, channel):
    results = [theirs.send_stored(**sendable(theirs, channel=channel, **MESSAGE)) for _ in range(2)]

    stored = rows(ours.events_store.receive(channel))

    assert results == [{"id": MESSAGE["id"], "sent": True, "error": ""}] * 2
    assert [fields(row) for row in stored] == [said(theirs, channel=channel, **MESSAGE)] * 2
    assert [row["sequence"] for row in stored] == [1, 2]


@pytest.mark.rows("M-51")
def test_what_we_store_they_read(ours, listening, channel):
    ours.events_store.send(channel, **MESSAGE)

    event = listening(start="first").next()

    assert fields(event) == MESSAGE | {"channel": channel}
    assert event["sequence"] == 1


@pytest.mark.rows("S-02")
def test_their_stream_is_answered_and_kept_in_order(theirs, ours, channel):
    messages = [{"channel": channel, "id": f"id {n}", "body": b"%d" % n} for n in range(100)]

    results = theirs.stream_events(store=True, messages=messages)

    assert results == [{"id": message["id"], "sent": True, "error": ""} for message in messages]
    assert bodies(ours.events_store.receive(channel)) == bodies(messages)


@pytest.mark.rows("S-04", "S-05", "S-06", "S-09")
@pytest.mark.parametrize(
    ("start", "value", "read"),
    [("first", 0, [1, 2, 3, 4]), ("last", 0, [3, 4]), ("sequence", 2, [2, 3, 4]), ("sequence", 99, [4])],
)
def test_they_read_from_every_position_and_go_on_with_what_is_new(
    theirs, ours, listening, channel, start, value, read
):
    ours.events_store.send(channel, rows=["1", "2", "3"])

    subscription = listening(start=start, value=value)
    old = subscription.take(len(read) - 1) if read[0] < 4 else live(subscription, theirs, channel)
    theirs.send_stored(channel=channel, body=b"new")

    new = subscription.next()
    assert [event["sequence"] for event in old] == read[:-1]
    assert new["body"] == b"new"


@pytest.mark.rows("S-03")
def test_they_read_new_events_only(theirs, ours, listening, channel):
    ours.events_store.send(channel, "old")

    subscription = listening(start="new")
    live(subscription, theirs, channel)
    ours.events_store.send(channel, "new")

    assert subscription.next()["body"] == b"new"


@pytest.mark.rows("S-07")
def test_they_read_from_a_time(theirs, ours, listening, channel):
    """The Python SDK 4.1.5 sends seconds where nanoseconds are read: 1970, so it gets the whole history."""
    ours.events_store.send(channel, rows=["1", "2"])
    between = time.time_ns()
    ours.events_store.send(channel, "3")

    newest = theirs.name == "kubemq 4.1.5"
    subscription = listening(start="time", value=between / 1e9 if newest else between)

    expected = [1, 2, 3] if newest else [3]
    assert [event["sequence"] for event in subscription.take(len(expected))] == expected


@pytest.mark.rows("S-08")
def test_they_read_from_a_while_ago(theirs, ours, listening, aged):
    old = ours.events_store.receive(aged, start="first", to="seq:2")
    newest_old = old["timestamp"].iloc[-1].value
    wait_until(lambda: time.time_ns() - newest_old > 4e9)
    ours.events_store.send(aged, "new")

    its_age = int((time.time_ns() - newest_old) / 1e9)  # it is older when the broker looks
    event = listening(channel=aged, start="ago", value=its_age).next()

    assert event["sequence"] > 2


def test_a_client_id_goes_on_where_it_was(theirs, ours, listening, channel):
    """Whatever position it asks for: the broker remembers, as a KubeMQ server does."""
    me = f"remembered-{uuid.uuid4().hex}"
    ours.events_store.send(channel, rows=["1", "2"])
    first = theirs.subscribe("subscribe_stored", channel=channel, start="first", client_id=me)
    read_before = bodies(first.take(2))
    first.end()
    wait_until(lambda: is_free(me, ours, channel))
    ours.events_store.send(channel, rows=["3", "4"])

    def heard_again():
        """Nothing, until the broker has noticed that we have gone too; not every SDK tells of the error."""
        second = listening(start="first", client_id=me)
        try:
            item = second.items.get(timeout=5)
        except Empty:
            return []
        return [] if "error" in item else bodies([item, second.next()])

    assert read_before == [b"1", b"2"]
    assert eventually(heard_again, within=60) == [b"3", b"4"]


def test_a_client_id_cannot_listen_twice(ours, listening, channel):
    me = f"single-{uuid.uuid4().hex}"
    ours.events_store.send(channel, "1")
    first = listening(start="first", client_id=me)
    first.next()

    second = listening(start="first", client_id=me, channel=f"{channel}.other")

    assert "clientID already registered" in second.next()["error"]
    ours.events_store.send(channel, "2")
    assert first.next()["body"] == b"2"


@pytest.mark.rows("S-11")
def test_a_member_of_theirs_and_one_of_ours_share_the_position_of_a_group(theirs, ours, listening, channel):
    ours.events_store.send(channel, rows=[f"{n}" for n in range(50)])
    member = listening(start="first", group="readers")
    heard_by_them = bodies(member.take(50))
    feed = ours.events_store.receive(channel, start="first", group="readers", live=True)

    sent = [f"{n}" for n in range(50, 150)]
    ours.events_store.send(channel, rows=sent)

    wait_until(lambda: member.items.qsize() + feed.status().received >= len(sent))
    heard_by_us = bodies(feed.df)
    heard_by_them += bodies(member.take(len(sent) - len(heard_by_us)))
    assert sorted(heard_by_us + heard_by_them, key=int) == [b"%d" % n for n in range(150)]
    assert heard_by_us, "nothing came to our member"
    feed.stop()


def is_free(client_id, ours, channel):
    """Whether the broker has noticed that nobody listens under this client id any more."""
    try:
        ours.events_store.receive(f"{channel}.other", start="new", timeout=0.1, client_id=client_id)
    except KubeMQError:
        return False
    return True


def live(subscription, theirs, channel):
    """Wait until a subscription that reads nothing old is live."""
    subscription.live(lambda: theirs.send_stored(channel=channel, body=b"probe", metadata=PROBE))
    return []
