"""Live events between official clients and ours."""

import pytest

from tests.official.client import PROBE
from tests.official.exchange import MESSAGE, bodies, fields, rows, said, sendable, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]


@pytest.fixture
def listening(theirs, ours):
    """Begins a subscription of theirs and returns when it is live."""
    begun = []

    def listen(channel, *, speak_on=None, **options):
        subscription = theirs.subscribe("subscribe_events", channel=channel, **options)
        begun.append(subscription)
        return subscription.live(lambda: ours.events.send(speak_on or channel, metadata=PROBE))

    yield listen
    for subscription in begun:
        subscription.end()


@pytest.mark.rows("E-07", "M-51")
def test_what_they_send_we_receive(theirs, ours, channel):
    feed = ours.events.receive(channel, live=True)

    theirs.send_event(**sendable(theirs, channel=channel, **MESSAGE))

    feed.wait(count=1, timeout=20)
    (row,) = rows(feed.df)
    assert fields(row) == said(theirs, channel=channel, **MESSAGE)
    feed.stop()


@pytest.mark.rows("M-51")
def test_what_we_send_they_receive(ours, listening, channel):
    subscription = listening(channel)

    ours.events.send(channel, **MESSAGE)

    assert fields(subscription.next()) == MESSAGE | {"channel": channel}


@pytest.mark.rows("E-02")
def test_their_stream_of_events_arrives_in_order(theirs, ours, channel):
    feed = ours.events.receive(channel, live=True)
    messages = [{"channel": channel, "body": b"%d" % n} for n in range(200)]

    streaming = theirs.start("stream_events", store=False, messages=messages)

    feed.wait(count=200, timeout=20)
    assert bodies(feed.df) == bodies(messages)
    streaming.result(20)
    feed.stop()


def test_our_stream_of_events_arrives_in_order(ours, listening, channel):
    subscription = listening(channel)

    ours.events.send(channel, rows=[f"{n}" for n in range(200)])

    assert bodies(subscription.take(200)) == [b"%d" % n for n in range(200)]


@pytest.mark.rows("E-10")
@pytest.mark.parametrize(("pattern", "matches"), [("*", ["a"]), (">", ["a", "a.b"]), ("*.b", ["a.b"])])
def test_wildcards_match_the_same_on_either_side(theirs, ours, listening, channel, pattern, matches):
    subscription = listening(f"{channel}.{pattern}", speak_on=f"{channel}.{matches[0]}")
    feed = ours.events.receive(f"{channel}.{pattern}", live=True)

    for name in ("a", "a.b"):
        theirs.send_event(channel=f"{channel}.{name}", body=b"theirs")
        ours.events.send(f"{channel}.{name}", "ours")
    last = f"{channel}.{matches[-1]}"
    ours.events.send(last, "last")

    expected = [(f"{channel}.{name}", body) for name in matches for body in (b"theirs", b"ours")]
    heard = [(event["channel"], event["body"]) for event in subscription.take(len(expected) + 1)]
    assert heard == [*expected, (last, b"last")]
    feed.wait(count=len(heard), timeout=20)
    assert [(row["channel"], row["body"]) for row in rows(feed.df)] == heard
    feed.stop()


@pytest.mark.rows("C-13", "E-06")
def test_a_member_of_theirs_and_one_of_ours_share_the_events_of_a_group(theirs, ours, listening, channel):
    member = listening(channel, group="workers")
    feed = ours.events.receive(channel, group="workers", live=True)
    sent = [f"{n}" for n in range(100)]

    ours.events.send(channel, rows=sent)

    wait_until(lambda: len(member.heard()) + feed.status().received >= len(sent))
    heard_by_us = bodies(feed.df)
    heard_by_them = bodies(member.take(len(sent) - len(heard_by_us)))
    assert sorted(heard_by_us + heard_by_them, key=int) == [text.encode() for text in sent]
    assert heard_by_us, "nothing came to our member"
    assert heard_by_them, "nothing came to their member"
    feed.stop()


def test_every_group_and_every_lone_subscriber_gets_every_event(ours, listening, channel):
    subscriptions = [
        listening(channel, group=group, client_id=f"member{number}")
        for number, group in enumerate(["workers", "writers", ""])
    ]

    ours.events.send(channel, rows=["a", "b", "c"])

    for subscription in subscriptions:
        assert bodies(subscription.take(3)) == [b"a", b"b", b"c"]


def test_a_subscription_that_they_end_gets_nothing_more(theirs, ours, channel):
    ending = theirs.subscribe("subscribe_events", channel=channel, client_id="ending")
    ending.live(lambda: ours.events.send(channel, metadata=PROBE))
    staying = theirs.subscribe("subscribe_events", channel=channel, client_id="staying")
    staying.live(lambda: ours.events.send(channel, metadata=PROBE))

    ending.end()
    wait_until(lambda: not reaches(ours, channel, ending, staying))
    ours.events.send(channel, "after the end")

    assert staying.next()["body"] == b"after the end"
    assert all(item.get("metadata") == PROBE or "error" in item for item in list(ending.items.queue))
    staying.end()


def reaches(ours, channel, ending, staying):
    """Whether of several probes that have come to one subscription one has come to the other too."""
    before = ending.items.qsize()
    for _ in range(5):  # it may be later there
        staying.live(lambda: ours.events.send(channel, metadata=PROBE))
    return ending.items.qsize() > before
