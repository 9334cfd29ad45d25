"""The two ways to send many events, in batches and by the stream, do the same."""

import itertools
import uuid
from contextlib import closing

import pytest

from kubemq_nb._wire import codec
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.errors import BrokerUnavailable
from kubemq_nb.messages import Event, StartPosition
from tests.conformance.client_support import ME, event_bodies, numbered, sequences
from tests.conformance.strange_server import StrangeServer

FIRST = StartPosition.first()
BIG = b"x" * 3_000_000
pytestmark = pytest.mark.embedded_only


@pytest.fixture(scope="module")
def ways(both_ways):
    """A client that sends batches, and one that is told that there are none."""
    return tuple(map(EventsStoreClient, both_ways))


SENT = {
    "nothing": {"body": []},
    "one": {"body": [b"a"]},
    "three calls": {"body": numbered(2100)},
    "more bytes than one call takes": {"body": [BIG, b"a", BIG, BIG, b"b"]},
    "ids": {"body": numbered(3), "id": ["a", "b", "b"]},
    "metadata and tags, some of them": {
        "body": numbered(3),
        "metadata": ["m", None, "n"],
        "tags": [{"k": "v"}, None, {}],
    },
    "metadata alone": {"body": [b"", b""], "metadata": ["m", None]},
    "an empty one": {"body": [b"a", b"", b"c"]},
    "all of them empty": {"body": [b"", b""]},
    "an id that is no text": {"body": numbered(3), "id": ["a", "\ud800", "c"]},
    "a tag that is no text": {"body": numbered(3), "tags": [None, {"k": "\ud800"}, None]},
}
COMMON = {
    "as it is": {},
    "with metadata and tags": {"metadata": "common", "tags": {"of": "all"}},
    "without a client id": {"client_id": ""},
}


def live(way):
    """A client of live events over the same connection."""
    return EventsClient(way._connection)


def stored(client, channel):
    """What a channel holds, without ids and times."""
    found = [
        codec.decode_event(payload) for payload in client.replay(channel, start=FIRST, idle=0.2).payloads
    ]
    return [(each.body, each.metadata, dict(each.tags), each.sequence) for each in found]


@pytest.mark.rows("S-02", "C-14")
@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("name", SENT)
def test_both_ways_store_the_same_and_tell_the_same(ways, name, common):
    channels = [f"kubemq-nb-test.{uuid.uuid4().hex[:8]}" for _ in ways]

    told = [
        way.send_rows(Event(**({"channel": channel, "client_id": ME} | COMMON[common])), SENT[name]).columns
        for way, channel in zip(ways, channels, strict=True)
    ]

    given = SENT[name].get("id")
    for columns, channel in zip(told, channels, strict=True):
        assert set(columns["channel"]) <= {channel}
        if given and common != "without a client id":
            assert columns["id"] == given
    batch, stream = ({n: c for n, c in columns.items() if n not in ("id", "channel")} for columns in told)
    assert batch == stream
    assert stored(ways[0], channels[0]) == stored(ways[1], channels[1])


@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("name", SENT)
def test_both_ways_send_the_same_live_and_tell_the_same(ways, channel, name, common):
    told, came = [], []
    for way in map(live, ways):
        with way.subscribe(channel, client_id=ME) as listener:
            given = Event(**({"channel": channel, "client_id": ME} | COMMON[common]))
            told.append(way.send_rows(given, SENT[name]).columns)
            way.send(Event(channel=channel, client_id=ME, body=b"the end"))
            payloads = iter(lambda listener=listener: codec.decode_event(listener.next(10)), None)
            until = itertools.takewhile(lambda event: event.body != b"the end", payloads)
            came.append([(event.body, event.metadata, dict(event.tags)) for event in until])

    batch, stream = ({n: c for n, c in columns.items() if n != "id"} for columns in told)
    assert batch == stream
    assert came[0] == came[1]
    assert len(came[0]) == batch["sent"].count(True) if batch else not came[0]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((lambda way: way, name) for name in ["bad name", "a..b", "a/b", "gates.*", ""]),
        *((live, name) for name in ["bad name", "gates.*", ""]),
    ],
)
def test_both_ways_refuse_a_channel_alike(ways, kind, name):
    batch, stream = (
        kind(way).send_rows(Event(channel=name, client_id=ME), {"body": [b"a", b"b"]}).columns["error"]
        for way in ways
    )

    assert batch == stream
    assert all(batch)


def test_our_broker_gets_batches(session, channel):
    session.events_store.send(channel, rows=["a", "b"])

    assert session._link.ready().events_store._connection.has_batches


def test_a_subscriber_gets_all_of_a_batch_in_order(ways, channel):
    with ways[0].subscribe(channel, start=StartPosition.new()) as subscription:
        ways[0].send_rows(Event(channel=channel, client_id=ME), {"body": numbered(1500)})

        came = [subscription.next(10) for _ in range(1500)]

    assert event_bodies(came) == [str(number) for number in range(1500)]
    assert sequences(came) == list(range(1, 1501))


def test_progress_is_told_by_the_batch(ways, channel):
    told = []

    ways[0].send_rows(Event(channel=channel, client_id=ME), {"body": numbered(2100)}, progress=told.append)

    assert told == [1000, 2000, 2100]


@pytest.fixture
def strange():
    """A server that knows no batches of events, and a client of it."""
    server = StrangeServer()
    with closing(Connection(server.address)) as connection:
        yield server, EventsStoreClient(connection)
    server.stop()


def test_a_server_without_batches_gets_the_stream_and_is_asked_once(strange):
    server, client = strange
    got = []

    def answer(requests, _context):
        for request in requests:
            event = pb.Event.FromString(request)
            got.append(event.Body)
            yield pb.Result(EventID=event.EventID, Sent=True)

    server.on("SendEventsStream", answer)
    for part in ([b"a", b"b"], [b"c"]):
        results = client.send_rows(Event(channel="log", client_id=ME), {"body": part})
        assert results.columns["sent"] == [True] * len(part)

    assert got == [b"a", b"b", b"c"]
    assert not client._connection.has_batches


def test_a_batch_that_never_left_leaves_the_way_open():
    with closing(Connection("127.0.0.1:1")) as connection:
        client = EventsStoreClient(connection)

        with pytest.raises(BrokerUnavailable):
            client.send_rows(Event(channel="log", client_id=ME), {"body": [b"a"]})

        assert connection.has_batches
