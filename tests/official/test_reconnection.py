"""What official clients and ours live through when the broker restarts."""

import os
import signal

import pytest

from kubemq_nb.errors import KubeMQError
from tests.official import NAMES
from tests.official.client import PROBE, Refused
from tests.official.exchange import answered, bodies, fields, rows, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]


@pytest.fixture(scope="module")
def mortal():
    """A broker of this module's own, to be restarted."""
    from kubemq_nb.broker import launcher

    running = launcher.launch()
    yield running
    running.stop()


@pytest.fixture(params=NAMES)
def theirs(request, official_clients, mortal):
    """A fresh client: an older test's outage must not show in a newer one."""
    client = official_clients(request.param, mortal)
    yield client
    client.close()


@pytest.fixture
def ours(mortal):
    import kubemq_nb

    with kubemq_nb.connect(mortal.address, token_file=mortal.token_file, name="beside restarts") as session:
        yield session


@pytest.mark.rows("Q-03")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_what_they_sent_and_what_they_held_is_there_after_a_restart(theirs, ours, mortal, channel, end):
    theirs.send_batch(messages=[{"channel": channel, "body": body} for body in (b"held", b"waiting")])
    held = theirs.hold(channel=channel, wait=5)
    assert bodies(held["messages"]) == [b"held"]

    os.kill(mortal.pid, end)
    mortal.restart()

    came_back = rows(ours.queues.receive(channel, count=1, wait=5)) + rows(
        ours.queues.receive(channel, count=1, wait=5)
    )
    counts = {row["body"]: row["receive_count"] for row in came_back}
    assert counts == {b"waiting": 1, b"held": 1 if theirs.name == "kubemq 4.1.5" else 2}


def test_they_send_and_receive_again_after_a_restart(theirs, ours, mortal, channel):
    theirs.send_queue(channel=channel, body=b"before")

    mortal.restart()
    answered(lambda: send_again(theirs, "send_queue", channel), unanswered=Refused)
    ours.queues.send(channel, "ours")

    received = []
    while b"ours" not in received:
        received += answered(
            lambda: bodies(theirs.receive(channel=channel, count=1, wait=5)), unanswered=Refused
        )
    assert (received[0], received[-1]) == (b"before", b"ours")
    assert set(received[1:-1]) == {b"after"}, "what was sent again may have come twice, and nothing else"


@pytest.mark.rows("E-03")
def test_their_subscription_goes_on_after_a_restart(theirs, ours, mortal, channel):
    subscription = theirs.subscribe("subscribe_events", channel=channel)
    subscription.live(lambda: ours.events.send(channel, metadata=PROBE))

    mortal.restart()
    subscription = resumed(theirs, subscription, "subscribe_events", channel=channel)
    subscription.live(lambda: ours.events.send(channel, metadata=PROBE))
    ours.events.send(channel, "after")

    assert event_of(subscription)["body"] == b"after"
    subscription.end()


@pytest.mark.rows("S-13")
def test_their_reader_misses_no_stored_event_over_a_restart(theirs, ours, mortal, channel):
    place = {"channel": channel, "start": "first", "client_id": "reader"}
    reader = theirs.subscribe("subscribe_stored", **place)
    ours.events_store.send(channel, "before")
    read_before = reader.next()

    mortal.restart()
    ours.events_store.send(channel, "after")
    reader = resumed(theirs, reader, "subscribe_stored", **place)

    assert fields(read_before, "body", "sequence") == {"body": b"before", "sequence": 1}
    assert fields(event_of(reader), "body", "sequence") == {"body": b"after", "sequence": 2}
    reader.end()


def test_their_responder_answers_again_after_a_restart(theirs, ours, mortal, channel):
    place = {"kind": "commands", "channel": channel, "reply": {"executed": True}}
    responder = theirs.subscribe("respond", **place)
    answered(lambda: ours.commands.send(channel, "before", timeout=0.5), unanswered=KubeMQError)

    mortal.restart()
    responder = resumed(theirs, responder, "respond", **place)

    answer = answered(lambda: ours.commands.send(channel, "after", timeout=0.5), unanswered=KubeMQError)
    assert answer.executed
    responder.end()


def test_our_responder_answers_them_again_after_a_restart(theirs, ours, mortal, channel):
    responder = ours.queries.respond(channel, echo=True)

    mortal.restart()

    answer = answered(
        lambda: theirs.ask(kind="queries", timeout=1, channel=channel, body=b"again", metadata=""),
        unanswered=Refused,
    )
    assert answer["body"] == b"again"
    responder.stop()


def test_our_feed_shows_what_they_send_after_a_restart(theirs, ours, mortal, channel):
    feed = ours.events_store.receive(channel, start="first", live=True)
    theirs.send_stored(channel=channel, body=b"before")
    feed.wait(count=1, timeout=20)

    mortal.restart()
    answered(lambda: send_again(theirs, "send_stored", channel), unanswered=Refused)

    wait_until(lambda: b"after" in bodies(feed.df))
    assert bodies(feed.df)[0] == b"before"
    feed.stop()


def resumed(theirs, subscription, call, **options):
    """The subscription after a restart: the newest SDK resumes it by itself, the others say that it ended."""
    while "error" not in subscription.next():
        pass
    return subscription if theirs.name == "kubemq 4.1.5" else theirs.subscribe(call, **options)


def event_of(subscription):
    """The next event; the newest SDK tells of each attempt to connect again before it."""
    while "error" in (item := subscription.next()):
        pass
    return item


def send_again(theirs, call, channel):
    """Send what the newest SDK may refuse or lose while it connects again: it says so, or says nothing."""
    try:
        result = theirs.start(call, channel=channel, body=b"after", metadata="").result(3)
    except TimeoutError as error:
        raise Refused("no answer") from error
    if result["error"]:
        raise Refused(result["error"])
