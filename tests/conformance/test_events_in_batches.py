"""The two ways to listen to events, in batches and one by one, bring the same."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from kubemq_nb._wire import codec
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.errors import KubeMQError
from kubemq_nb.messages import Event, StartPosition
from tests.conformance.client_support import ME, event, event_bodies, not_waiting, numbered, sequences
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import PATIENCE, eventually

FIRST, NEW = StartPosition.first(), StartPosition.new()
COUNT = 2500
LARGE = 1_500_000  # bytes; more than a batch has
pytestmark = pytest.mark.embedded_only


def take(subscription, count):
    payloads = [subscription.next(PATIENCE) for _ in range(count)]
    assert None not in payloads
    return payloads


def sent_by_rows(client, channel, bodies):
    client.send_rows(Event(channel=channel, client_id=ME), {"body": bodies})


SENT = {
    "one": [b"a"],
    "many": numbered(COUNT),
    "some larger than a batch": [b"a", b"x" * LARGE, b"b", b"y" * LARGE, b"z" * LARGE, b"c"],
    "many of some size": [bytes([number % 256]) * 20_000 for number in range(200)],
}


@pytest.mark.parametrize("pattern", ["{}", "{}.*", "{}.>"])
@pytest.mark.parametrize("name", SENT)
def test_listeners_of_both_ways_get_the_same(both_ways, channel, name, pattern):
    to = channel if pattern == "{}" else f"{channel}.one"
    clients = [EventsClient(way) for way in both_ways]
    with ExitStack() as opened:
        listeners = [
            opened.enter_context(client.subscribe(pattern.format(channel), client_id=ME))
            for client in clients
        ]
        sent_by_rows(clients[0], to, SENT[name])

        batches, stream = (take(listener, len(SENT[name])) for listener in listeners)

    assert batches == stream
    assert [codec.decode_event(payload).body for payload in batches] == SENT[name]


def test_members_of_a_group_share_in_either_way(both_ways, channel):
    with ExitStack() as opened:
        clients = [EventsClient(way) for way in both_ways]
        members = [
            opened.enter_context(client.subscribe(channel, client_id=f"{ME}-{number}", group="workers"))
            for number, client in enumerate(clients)
        ]
        alone = opened.enter_context(clients[0].subscribe(channel, client_id=ME))
        sent_by_rows(clients[0], channel, numbered(200))
        take(alone, 200)
        EventsClient(both_ways[0]).send(event(channel, "last"))
        assert eventually(lambda: sum(member.received for member in members) == 201)

        shares = [event_bodies(member.drain()) for member in members]

    assert all(shares)
    assert sorted(body for share in shares for body in share) == sorted([*map(str, range(200)), "last"])


STARTS = {
    "first": FIRST,
    "last": StartPosition.last(),
    "a sequence": StartPosition.at_sequence(1234),
    "long ago": StartPosition.ago(3600),
}


@pytest.mark.parametrize("start", STARTS)
def test_both_ways_read_a_store_from_the_same_place_and_go_on(both_ways, channel, start):
    clients = [EventsStoreClient(way) for way in both_ways]
    sent_by_rows(clients[0], channel, numbered(COUNT))
    first = {"last": COUNT, "a sequence": 1234}.get(start, 1)
    with ExitStack() as opened:
        readers = [opened.enter_context(client.subscribe(channel, start=STARTS[start])) for client in clients]
        before = [take(reader, COUNT - first + 1) for reader in readers]
        sent_by_rows(clients[1], channel, numbered(700))

        batches, stream = ([*came, *take(reader, 700)] for came, reader in zip(before, readers, strict=True))

    assert batches == stream
    assert sequences(batches) == list(range(first, COUNT + 701))


def test_a_position_counts_what_was_delivered_in_either_way(both_ways, channel):
    clients = [EventsStoreClient(way) for way in both_ways]
    names = ("in-batches", "one-by-one")
    sent_by_rows(clients[0], channel, numbered(COUNT))
    with ExitStack() as opened:
        readers = [
            opened.enter_context(client.subscribe(channel, start=FIRST, client_id=name))
            for name, client in zip(names, clients, strict=True)
        ]
        for reader in readers:
            take(reader, COUNT)
        # The next one comes when all before it is counted; it may be under way still when the reader leaves.
        sent_by_rows(clients[0], channel, [b"the next"])
        for reader in readers:
            take(reader, 1)
    sent_by_rows(clients[0], channel, [b"after"])

    for name, client in zip(names, clients, strict=True):
        with client.subscribe(channel, start=FIRST, client_id=name) as reader:
            assert sequences(take(reader, 1))[0] in (COUNT + 1, COUNT + 2)


def test_a_patient_reader_gets_all_and_keeps_no_more_than_asked(both_ways, channel):
    client = EventsStoreClient(both_ways[0])
    sent_by_rows(client, channel, numbered(COUNT))
    with client.subscribe(channel, start=FIRST, keep=10, patient=True) as reader:
        held, came = 0, []
        for _ in range(COUNT):
            came += take(reader, 1)
            held = max(held, len(reader._buffer))

    assert held <= 10
    assert sequences(came) == list(range(1, COUNT + 1))


def test_the_oldest_are_dropped_and_counted_in_a_batch_too(both_ways, channel):
    client = EventsClient(both_ways[0])
    with client.subscribe(channel, client_id=ME, keep=3) as listener:
        with client.subscribe(channel, client_id=ME) as other:
            sent_by_rows(client, channel, numbered(100))
            take(other, 100)
        assert eventually(lambda: listener.received == 100)

        assert event_bodies(listener.drain()) == ["97", "98", "99"]
        assert listener.dropped == 97


def test_a_batch_wakes_as_many_readers_as_it_has_events(both_ways, channel):
    client = EventsClient(both_ways[0])
    with client.subscribe(channel, client_id=ME) as listener, ThreadPoolExecutor(3) as readers:
        taken = [readers.submit(listener.next, PATIENCE) for _ in range(3)]
        eventually(lambda: len(listener._arrived._waiters) == 3)

        sent_by_rows(client, channel, [b"a", b"b", b"c"])

        with not_waiting():
            came = sorted(event_bodies([each.result() for each in taken]))
    assert came == ["a", "b", "c"]


@pytest.mark.usefixtures("nothing_settles")
@pytest.mark.parametrize("channel_name", ["bad name", "a..b", ".a"])
def test_both_ways_refuse_a_name_alike(both_ways, channel_name):
    told = []
    for way in both_ways:
        with pytest.raises(KubeMQError) as caught:
            EventsClient(way).subscribe(channel_name, client_id=ME)
        told.append(str(caught.value))

    assert told[0] == told[1]


def test_a_silent_subscription_in_batches_closes_at_once(both_ways, channel):
    for listener in (
        EventsClient(both_ways[0]).subscribe(channel, client_id=ME),
        EventsStoreClient(both_ways[0]).subscribe(channel, start=NEW),
    ):
        with not_waiting():
            listener.close()

        assert not listener._thread.is_alive()
    assert both_ways[0].has_batches


def test_another_server_is_asked_once_and_streams():
    server = StrangeServer()
    server.on(
        "SubscribeToEvents", lambda *_: iter([pb.EventReceive(EventID=f"{uuid.uuid4()}", Body=b"a")] * 2)
    )
    try:
        with closing(Connection(server.address)) as connection:
            with EventsClient(connection).subscribe("gates", client_id=ME) as listener:
                assert event_bodies(take(listener, 2)) == ["a", "a"]
            assert not connection.has_batches
    finally:
        server.stop()
