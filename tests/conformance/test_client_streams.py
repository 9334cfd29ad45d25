"""The client's streams: live when they say so, silent when closed, whole after an outage."""

import contextlib
import threading
from datetime import UTC, datetime

import pytest

from kubemq_nb._wire import codec
from kubemq_nb.broker import launcher
from kubemq_nb.client import subscription as subscription_module
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.client.requests import RequestsClient
from kubemq_nb.client.subscription import StateChange, Subscription
from kubemq_nb.errors import (
    DeadlineExceeded,
    InvalidMessage,
    OutcomeUnknown,
    SessionClosed,
    SubscriptionLost,
)
from kubemq_nb.messages import Request, Response, StartPosition
from tests.conformance.client_support import (
    LONG,
    ME,
    event,
    event_bodies,
    not_waiting,
    sequences,
)
from tests.conformance.support import PATIENCE, counting, eventually, interrupted

FIRST, NEW = StartPosition.first(), StartPosition.new()


@pytest.fixture
def events(connection):
    return EventsClient(connection)


@pytest.fixture
def store(connection):
    return EventsStoreClient(connection)


@pytest.fixture
def requests(connection):
    return RequestsClient(connection)


@pytest.fixture
def own_broker():
    """A broker that a test may stop, and a connection to it."""
    running = launcher.launch()
    connection = Connection(running.address, token=running.token(), keepalive=10)
    yield running, connection
    connection.close()
    running.stop()


def take(subscription, count):
    payloads = [subscription.next(PATIENCE) for _ in range(count)]
    assert None not in payloads
    return payloads


def test_what_is_sent_right_after_subscribing_arrives(events, channel):
    for attempt in range(20):
        with events.subscribe(channel, client_id=ME) as subscription:
            events.send(event(channel, attempt))

            assert event_bodies(take(subscription, 1)) == [str(attempt)]


def test_a_silent_subscription_closes_at_once(events, store, requests, channel):
    for subscription in (
        events.subscribe(channel, client_id=ME),
        store.subscribe(channel, start=NEW),
        requests.subscribe("query", channel, client_id=ME),
    ):
        with not_waiting():
            subscription.close()
            subscription.close()

        assert subscription.state == "closed"
        assert not subscription._thread.is_alive()


def test_an_error_of_its_own_ends_a_subscription_and_nobody_waits_for_it(connection, channel):
    class Impossible:
        kind, what = "events", "the subscription to what cannot be asked for"
        channel = "a"

        def open(self, _last, *, ours):
            raise ValueError("no room for it")

    with pytest.raises(SubscriptionLost, match="broke off: ValueError: no room for it"), not_waiting():
        Subscription(connection, Impossible(), keep=1)


def test_nothing_arrives_after_close_returns(events, channel):
    subscription = events.subscribe(channel, client_id=ME)
    subscription.close()
    received = subscription.received

    events.send(event(channel, "late"))
    with events.subscribe(channel, client_id=ME) as other:
        events.send(event(channel, "marker"))
        take(other, 1)

    assert subscription.received == received
    assert subscription.next(0) is None


def test_a_reader_that_waits_is_woken_by_close(events, channel):
    subscription = events.subscribe(channel, client_id=ME)
    read = []
    reader = threading.Thread(target=lambda: read.extend(subscription))
    reader.start()

    subscription.close()
    reader.join(PATIENCE)

    assert not reader.is_alive()
    assert read == []


def test_a_wait_for_the_next_payload_is_interrupted(events, channel):
    with events.subscribe(channel, client_id=ME) as subscription, interrupted():
        subscription.next(LONG)


def test_the_oldest_is_dropped_and_counted_when_nobody_reads(events, channel):
    with events.subscribe(channel, client_id=ME, keep=3) as subscription:
        events.send_stream(event(channel, number) for number in range(10))
        eventually(lambda: subscription.received == 10)

        assert subscription.dropped == 7
        assert event_bodies(subscription.drain()) == ["7", "8", "9"]


@pytest.mark.rows("E-02")
def test_a_stream_of_events_tells_the_refused_and_sends_the_others(events, channel):
    with events.subscribe(channel, client_id=ME) as subscription:
        results = events.send_stream([event(channel, 1), event("bad name", 2), event(channel, 3)])

        assert [result.is_error for result in results] == [False, True, False]
        assert event_bodies(take(subscription, 2)) == ["1", "3"]


def test_what_an_iterable_gave_before_it_failed_is_sent(store, channel):
    def failing():
        yield event(channel, 1)
        yield event(channel, 2)
        raise LookupError

    with pytest.raises(LookupError):
        store.send_stream(failing())

    assert event_bodies(store.replay(channel, start=FIRST).payloads) == ["1", "2"]


@pytest.mark.rows("S-02")
def test_a_stream_of_stored_events_is_acknowledged_one_by_one_in_order(store, channel):
    told = []

    results = store.send_stream((event(channel, number) for number in range(2500)), progress=told.append)

    assert len(results) == 2500
    assert not any(result.is_error for result in results)
    assert told[-1] == 2500
    replay = store.replay(channel, start=FIRST)
    assert event_bodies(replay.payloads) == [str(number) for number in range(2500)]


@pytest.fixture
def ten(store, channel):
    """A channel of ten stored events; the time between the fifth and the sixth."""
    store.send_stream(event(channel, number) for number in range(1, 6))
    boundary = datetime.now(UTC)
    store.send_stream(event(channel, number) for number in range(6, 11))
    return boundary


@pytest.mark.parametrize(
    ("start", "to", "expected"),
    [
        (FIRST, None, range(1, 11)),
        (FIRST, 4, range(1, 5)),
        (FIRST, 99, range(1, 11)),
        (StartPosition.at_sequence(4), None, range(4, 11)),
        (StartPosition.at_sequence(4), 6, range(4, 7)),
        (StartPosition.at_sequence(6), 4, range(0)),
        (StartPosition.at_sequence(11), None, range(0)),
        (StartPosition.last(), None, range(10, 11)),
        (StartPosition.ago(3600), None, range(1, 11)),
    ],
)
def test_a_replay_ends_at_its_sequence_without_waiting(store, channel, ten, start, to, expected):
    with not_waiting():
        replay = store.replay(channel, start=start, to=to, idle=LONG)

    assert sequences(replay.payloads) == list(expected)
    assert (replay.complete, replay.end, replay.last) == (True, "sequence", 10)


@pytest.mark.rows("S-07")
def test_a_replay_begins_and_ends_at_a_time(store, channel, ten):
    before = store.replay(channel, start=FIRST, to=ten, idle=LONG)
    after = store.replay(channel, start=StartPosition.at_time(ten), idle=LONG)
    later = store.replay(channel, start=StartPosition.at_time(datetime(2200, 1, 1, tzinfo=UTC)), idle=LONG)

    assert sequences(before.payloads) == list(range(1, 6))
    assert (before.complete, before.end) == (True, "time")
    assert sequences(after.payloads) == list(range(6, 11))
    assert later.payloads == []


def test_a_replay_of_some_says_that_it_was_cut(store, channel, ten):
    replay = store.replay(channel, start=FIRST, count=3)

    assert sequences(replay.payloads) == [1, 2, 3]
    assert (replay.complete, replay.end, replay.last) == (False, "count", 10)


def test_a_count_that_is_just_met_is_no_cut(store, channel, ten):
    replay = store.replay(channel, start=FIRST, count=10)

    assert (replay.complete, replay.end) == (True, "sequence")


def test_an_empty_channel_is_told_after_the_idle_time(store, channel):
    replay = store.replay(channel, start=FIRST, idle=0.2)

    assert (replay.payloads, replay.complete, replay.end, replay.last) == ([], True, "empty", 0)


@pytest.mark.rows("S-15")
def test_the_same_replay_brings_the_same_again(store, channel, ten):
    first, second = (store.replay(channel, start=FIRST) for _ in range(2))

    assert first == second


def test_a_remembered_position_has_nothing_twice(store, channel, ten):
    name = channel.rpartition(".")[2]
    first = store.replay(channel, start=FIRST, client_id=name)
    second = store.replay(channel, start=FIRST, client_id=name, idle=1)

    assert sequences(first.payloads) == list(range(1, 11))
    assert (second.payloads, second.complete, second.end) == ([], True, "idle")


def test_a_replay_of_what_is_new_ends_by_its_count_or_timeout(store, channel):
    with counting(lambda body: store.send(event(channel, body))):
        counted = store.replay(channel, start=NEW, count=2, timeout=LONG)

    timed = store.replay(channel, start=NEW, timeout=0.3)

    one, next_one = map(int, event_bodies(counted.payloads))
    assert next_one == one + 1
    assert counted.end == "count"
    assert (timed.payloads, timed.end, timed.complete) == ([], "timeout", False)
    with pytest.raises(ValueError, match="count or a timeout"):
        store.replay(channel, start=NEW)


def test_a_replay_is_interrupted(store, channel):
    with interrupted():
        store.replay(channel, start=NEW, timeout=LONG)


def test_a_subscription_replays_and_goes_on(store, channel, ten):
    with store.subscribe(channel, start=StartPosition.at_sequence(9)) as subscription:
        store.send(event(channel, 11))

        assert sequences(take(subscription, 3)) == [9, 10, 11]


def test_two_subscriptions_of_one_client_read_the_same_channel(store, channel, ten):
    with store.subscribe(channel, start=FIRST) as one, store.subscribe(channel, start=FIRST) as two:
        assert sequences(take(one, 10)) == sequences(take(two, 10))


@contextlib.contextmanager
def answering(requests, kind, channel, response):
    def answer():
        for payload in subscription:
            requests.reply(codec.decode_request(payload), response)

    thread = threading.Thread(target=answer)
    with requests.subscribe(kind, channel, client_id=response.client_id) as subscription:
        thread.start()
        yield
    thread.join(PATIENCE)


def ask(channel, **changed):
    fields = {"kind": "query", "channel": channel, "body": b"?", "client_id": ME, "timeout": PATIENCE}
    return Request(**{**fields, **changed})


def test_a_request_is_answered(requests, channel):
    answer = Response(executed=True, body=b"!", client_id="responder")

    with answering(requests, "query", channel, answer):
        response = requests.send(ask(channel))

    assert (response.executed, response.body, response.client_id) == (True, b"!", "responder")
    assert response.elapsed > 0


def test_a_refusal_of_the_responder_is_an_answer(requests, channel):
    refusal = Response(executed=False, error="gate is taken", client_id=ME)

    with answering(requests, "command", channel, refusal):
        response = requests.send(ask(channel, kind="command"))

    assert (response.executed, response.error) == (False, "gate is taken")


@pytest.mark.rows("R-03")
def test_no_responder_is_told_after_the_timeout(requests, channel):
    with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s \(error 301\)") as caught:
        requests.send(ask(channel, timeout=0.3))

    assert caught.value.channel == channel


def test_a_request_is_interrupted(requests, channel):
    with interrupted():
        requests.send(ask(channel, timeout=LONG))


@pytest.mark.rows("R-10")
def test_an_answer_to_a_query_needs_something_to_say(requests, channel):
    with pytest.raises(InvalidMessage, match="body or metadata"):
        requests.reply(ask(channel, reply_channel="x"), Response(executed=True, client_id=ME))


def test_closing_the_channel_ends_what_lives_on_it(connect, channel):
    own = connect()
    subscription = EventsClient(own).subscribe(channel, client_id=ME)

    own.close()

    assert subscription.state == "closed"
    assert subscription.next(0) is None
    with pytest.raises(SessionClosed):
        EventsClient(own).subscribe(channel, client_id=ME)


@pytest.mark.embedded_only
def test_a_store_subscription_goes_on_after_a_restart_without_gap_or_repeat(own_broker):
    running, connection = own_broker
    store = EventsStoreClient(connection)
    changes = []
    with store.subscribe("a", start=FIRST, on_state=changes.append) as subscription:
        store.send_stream(event("a", number) for number in range(1, 6))
        assert sequences(take(subscription, 5)) == [1, 2, 3, 4, 5]

        running.restart()
        eventually(lambda: [change.state for change in changes][-1:] == ["live"])
        eventually(lambda: not store.send_stream([event("a", 6)])[0].is_error)

        assert sequences(take(subscription, 1)) == [6]
        assert subscription.reconnects == 1
    assert changes[0].state == "reconnecting"
    live = next(change for change in changes if change.state == "live")
    assert (live.after, live.note) == (5, "The stream continues after sequence 5.")


@pytest.mark.rows("M-43")
@pytest.mark.embedded_only
def test_a_live_subscription_goes_on_after_a_restart_and_tells_the_gap(own_broker):
    running, connection = own_broker
    events = EventsClient(connection)
    changes = []
    with events.subscribe("a", client_id=ME, on_state=changes.append) as subscription:
        running.halt()
        eventually(lambda: changes and changes[-1].state == "reconnecting")
        running.restart()
        eventually(lambda: changes[-1].state == "live")

        events.send(event("a", "again"))

        assert event_bodies(take(subscription, 1)) == ["again"]
    told = [change.note for change in changes if change.state == "live"]
    assert told == ["Events are not stored: what was sent in this gap is not here."]


@pytest.mark.embedded_only
def test_a_subscription_is_live_as_soon_as_its_broker_is_there_again(own_broker, monkeypatch):
    running, connection = own_broker
    changes = []

    def pause_long(change):  # from the next attempt on, which finds nobody
        changes.append(change.state)
        if changes.count("reconnecting") == 1:
            monkeypatch.setattr(subscription_module, "FIRST_PAUSE", LONG)
            monkeypatch.setattr(subscription_module, "LONGEST_PAUSE", LONG)

    with EventsClient(connection).subscribe("a", client_id=ME, on_state=pause_long) as live:
        running.halt()
        eventually(lambda: changes.count("reconnecting") == 2)

        with not_waiting():
            running.restart()
            eventually(lambda: live.state == "live", within=LONG)


class Nowhere:
    """A connection on which somebody answers a ping, and ends each stream at once."""

    closed = False

    def attempt(self, *_, **__):
        return None

    def adopt(self, _):
        return None

    def ping(self):
        return None

    def is_ours(self):
        return False

    def guarded(self, _):
        return contextlib.nullcontext()


class Ended:
    """A source whose stream was live once, and ends at once from then on."""

    kind, channel, what = "events", "news", "the subscription to news"

    def __init__(self):
        self.opened = 0

    def open(self, _, *, ours):
        self.opened += 1
        return Stream([b""] if self.opened == 1 else [])

    def resumed(self, _):
        return StateChange(state="live")


class Stream(list):
    """A stream of these payloads."""

    def initial_metadata(self):
        return ()

    def is_active(self):
        return bool(self)

    def cancel(self):
        return None


def test_a_subscription_tries_again_however_long_an_outage_is(monkeypatch):
    monkeypatch.setattr(subscription_module, "FIRST_PAUSE", 1e-9)
    monkeypatch.setattr(subscription_module, "LONGEST_PAUSE", 1e-6)
    source = Ended()

    with Subscription(Nowhere(), source, keep=1) as live:
        eventually(lambda: source.opened > 1100)

    assert live.error is None


@pytest.mark.embedded_only
def test_a_subscription_that_reconnects_closes_at_once(own_broker):
    running, connection = own_broker
    subscription = EventsClient(connection).subscribe("a", client_id=ME)
    running.halt()
    eventually(lambda: subscription.state == "reconnecting")

    with not_waiting(4.0):
        subscription.close()

    assert subscription.state == "closed"


@pytest.mark.embedded_only
def test_a_request_whose_broker_dies_is_of_unknown_outcome(own_broker):
    running, connection = own_broker
    requests = RequestsClient(connection)
    with requests.subscribe("command", "a", client_id=ME) as subscription:
        stopper = threading.Thread(target=lambda: (subscription.next(PATIENCE), running.halt()))
        stopper.start()

        with pytest.raises(OutcomeUnknown, match="look before sending again"):
            requests.send(ask("a", kind="command"))
        stopper.join()
