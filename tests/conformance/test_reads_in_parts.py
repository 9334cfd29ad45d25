"""The two ways to peek and to receive, in parts and at once, bring the same."""

import signal
import threading
from contextlib import closing, nullcontext

import pytest

from kubemq_nb import frames
from kubemq_nb._wire import codec, queue_requests
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker.engine.parts import PART
from kubemq_nb.client.connection import PACE, Connection
from kubemq_nb.client.parts import UNCONFIRMED
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.client.transactions import ManyTransaction
from kubemq_nb.errors import BrokerUnavailable, KubeMQError
from kubemq_nb.messages import QueueMessage
from tests.conformance.client_support import ME, bodies, message, not_waiting
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import eventually

pytestmark = pytest.mark.embedded_only


@pytest.fixture(scope="module")
def ways(both_ways):
    """A client that reads in parts, and one that is told that there are none."""
    return [QueuesClient(way) for way in both_ways]


def fill(client, channel, sent):
    common = QueueMessage(channel=channel, client_id=ME)
    client.send_rows(common, {"body": sent, "tags": [{"number": str(number)} for number in range(len(sent))]})


def waiting(client, channel):
    return [(queue.waiting, queue.delivered, queue.bytes) for queue in client.info(channel)]


def numbered(count):
    return [b"%d" % number for number in range(count)]


MEGABYTE = bytes(10**6)
SENT = {
    "none": [],
    "one": [b"a"],
    "just a part": numbered(PART),
    "many": numbered(1000),
    "of some size": [bytes(20_000)] * 70,
    "of every size": [b"a", bytes(10**6), b"b", bytes(500_000), b"", b"c"],
    "larger than a look, beside many small ones": [MEGABYTE] * 6 + numbered(9000),
    "as large as a look, beside many small ones": [bytes(10**6 - 300)] * 4 + numbered(9000),
    "one larger than a look": [bytes(5 * 10**6), *numbered(9000)],
    "large": [MEGABYTE] * 10,
}


@pytest.mark.parametrize("count", [1, 100, PART, 1024])
@pytest.mark.parametrize("name", SENT)
def test_both_ways_peek_the_same(ways, channel, name, count):
    fill(ways[0], channel, SENT[name])
    asked = {"count": count, "wait": 0, "client_id": ME}

    in_parts, at_once = (way.peek(channel, **asked) for way in ways)

    assert in_parts == at_once
    assert len(waiting(ways[0], channel)) == bool(SENT[name])


@pytest.mark.parametrize("wait", [0, 1])
@pytest.mark.parametrize("sent", [0, 3, 500])
def test_both_ways_tell_what_a_look_does_not_show(ways, connection, channel, sent, wait):
    ways[0].send(message(channel, "later", delay=600))
    ways[0].send(message(channel, "held"))
    with closing(ManyTransaction.receive(connection, channel, count=1, wait=1, client_id=ME)):
        fill(ways[0], channel, numbered(sent))

        in_parts, at_once = (way.peek(channel, count=1024, wait=wait, client_id=ME) for way in ways)

    assert in_parts == at_once
    assert (in_parts.delayed, in_parts.held) == (1, 1)


@pytest.mark.parametrize("count", [1, PART, 1024, 20_000])
@pytest.mark.parametrize("name", SENT)
def test_both_ways_receive_the_same_and_leave_the_same(ways, channel, name, count):
    for way, to in zip(ways, (f"{channel}.parts", f"{channel}.whole"), strict=True):
        fill(way, to, SENT[name])
    asked = {"count": count, "wait": 0, "client_id": ME}

    in_parts = ways[0].receive(f"{channel}.parts", **asked)
    at_once = ways[1].receive(f"{channel}.whole", **asked)

    assert bodies_and_facts(in_parts) == bodies_and_facts(at_once)
    assert waiting(ways[0], f"{channel}.parts") == waiting(ways[0], f"{channel}.whole")


def bodies_and_facts(received):
    messages = [codec.decode_queue_message(payload) for payload in received.payloads]
    return [(m.body, m.tags, m.sequence) for m in messages], received.expired, received.cut, received.note


def test_frames_of_both_ways_are_equal(session, ways, channel):
    fill(ways[0], channel, [b'{"a": 1}', b"text", b"\xff", b""] * 100)
    in_parts = session.queues.peek(channel, count=1024)

    at_once = frames.queue_messages(
        ways[1].peek(channel, count=1024, wait=0, client_id=ME).payloads, **in_parts.attrs
    )

    assert in_parts.to_dict("list") == at_once.to_dict("list")
    assert in_parts.dtypes.to_dict() == at_once.dtypes.to_dict()
    assert in_parts.attrs == at_once.attrs


def test_our_broker_is_read_in_parts_as_they_come(ways, channel):
    fill(ways[0], channel, numbered(1000))
    for read in (ways[0].peek, ways[0].receive):
        parts = []

        received = read(channel, count=1000, wait=0, client_id=ME, sink=parts.append)

        assert len(parts) > 1
        assert received.payloads == []
        assert bodies(payload for part in parts for payload in part) == [str(n) for n in range(1000)]
    assert ways[0]._connection.has_parts


@pytest.mark.parametrize("way", [0, 1])
def test_a_sink_that_fails_loses_nothing(ways, channel, way):
    fill(ways[0], channel, numbered(1000))

    def fail(payloads):
        raise LookupError(len(payloads))

    with pytest.raises(LookupError):
        ways[way].receive(channel, count=1000, wait=0, client_id=ME, sink=fail)

    assert eventually(lambda: waiting(ways[0], channel)[0][:2] == (1000, 0))


def test_an_interrupt_between_two_parts_gives_everything_back(ways, channel):
    fill(ways[0], channel, numbered(1000))
    came, going_on = threading.Event(), threading.Event()

    def hold_up(_):
        if not came.is_set():
            came.set()
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        going_on.wait(60)

    with pytest.raises(KeyboardInterrupt), not_waiting():
        ways[0].receive(channel, count=1000, wait=0, client_id=ME, sink=hold_up)
    going_on.set()

    assert eventually(lambda: waiting(ways[0], channel)[0][:2] == (1000, 0))
    assert bodies(ways[0].peek(channel, count=3, wait=0, client_id=ME).payloads) == ["0", "1", "2"]


def test_an_interrupt_of_the_acknowledgement_is_too_late(ways, channel, monkeypatch):
    fill(ways[0], channel, numbered(1000))
    connection = ways[0]._connection
    acknowledge = connection.start

    def interrupting(*call):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        return acknowledge(*call)

    monkeypatch.setattr(connection, "start", interrupting)
    received = ways[0].receive(channel, count=1000, wait=0, client_id=ME)
    monkeypatch.undo()

    assert (len(received.payloads), received.note) == (1000, "")
    assert waiting(ways[0], channel)[0][:2] == (0, 1000)


@pytest.mark.parametrize("failure", [None, LookupError("of the frame")])
def test_what_is_done_meanwhile_comes_when_all_is_here_and_stops_nothing(ways, channel, failure):
    fill(ways[0], channel, numbered(1000))
    parts, seen = [], []

    def meanwhile():
        seen.append(sum(map(len, parts)))
        if failure:
            raise failure

    with pytest.raises(LookupError) if failure else nullcontext():
        ways[0].receive(channel, count=1000, wait=0, client_id=ME, sink=parts.append, meanwhile=meanwhile)

    assert seen == [1000]
    assert waiting(ways[0], channel) == [(0, 1000, 0)]


def test_a_connection_that_breaks_between_two_parts_loses_nothing(ways, connect, channel):
    fill(ways[0], channel, numbered(1000))
    breaking = connect()

    def cut(_):
        breaking.close()

    with pytest.raises(KubeMQError):
        QueuesClient(breaking).receive(channel, count=1000, wait=0, client_id=ME, sink=cut)

    assert eventually(lambda: waiting(ways[0], channel)[0][:2] == (1000, 0))


def read_by_hand(connection, channel):
    request = queue_requests.in_parts(
        channel, count=1000, wait=0, is_peek=False, client_id=ME, most=PACE, fitting=PACE
    )
    stream = connection.stub.read_queue_in_parts(request, metadata=connection.entry())
    while not (part := queue_requests.read_part(next(stream))).IsLast:
        pass
    return stream, queue_requests.arrived(part.Transaction)


def test_what_is_not_acknowledged_goes_back_with_its_stream(ways, connection, channel):
    fill(ways[0], channel, numbered(300))
    stream, arrived = read_by_hand(connection, channel)
    held = waiting(ways[0], channel)[0][0]

    stream.cancel()

    assert held == 0
    assert eventually(lambda: waiting(ways[0], channel)[0][:2] == (300, 0))
    with pytest.raises(KubeMQError):
        connection.call(connection.stub.acknowledge_parts, arrived, connection.attempt("the receipt"))
    assert waiting(ways[0], channel)[0][:2] == (300, 0)


def test_an_acknowledgement_counts_once_and_ends_the_stream(ways, connection, channel):
    fill(ways[0], channel, numbered(300))
    stream, arrived = read_by_hand(connection, channel)

    connection.call(connection.stub.acknowledge_parts, arrived, connection.attempt("the receipt"))

    assert list(stream) == []
    assert waiting(ways[0], channel) == [(0, 300, 0)]
    with pytest.raises(KubeMQError):
        connection.call(connection.stub.acknowledge_parts, arrived, connection.attempt("the receipt"))


def test_a_receipt_that_is_not_confirmed_is_a_note(ways, channel, monkeypatch):
    fill(ways[0], channel, numbered(300))
    connection = ways[0]._connection

    def refused(method, request, attempt):
        raise BrokerUnavailable("gone", address="")

    monkeypatch.setattr(connection, "start", refused)
    received = ways[0].receive(channel, count=300, wait=0, client_id=ME)
    monkeypatch.undo()

    assert (len(received.payloads), received.note) == (300, UNCONFIRMED)
    assert eventually(lambda: waiting(ways[0], channel)[0][:2] == (300, 0))


@pytest.mark.parametrize("read", ["peek", "receive"])
def test_a_message_sent_into_a_long_wait_ends_it(ways, channel, read):
    timer = threading.Timer(0.3, fill, (ways[1], channel, [b"late"]))
    timer.start()

    with not_waiting():
        received = getattr(ways[0], read)(channel, count=500, wait=60, client_id=ME)

    timer.join()
    assert bodies(received.payloads) == ["late"]


@pytest.mark.parametrize("read", ["peek", "receive"])
def test_both_ways_refuse_a_name_alike(ways, read):
    told = []
    for way in ways:
        assert getattr(way, read)("a..b", count=1, wait=0, client_id=ME).payloads == []
        with pytest.raises(KubeMQError) as caught:
            getattr(way, read)("a..b", count=1, wait=1, client_id=ME)
        told.append(str(caught.value))

    assert told[0] == told[1]


def test_another_server_is_asked_once():
    server = StrangeServer()
    server.on("QueuesInfo", lambda *_: pb.QueuesInfoResponse())
    try:
        with closing(Connection(server.address)) as connection:
            received = QueuesClient(connection).peek("orders", count=3, wait=0, client_id=ME)

            assert received.payloads == []
            assert not connection.has_parts
    finally:
        server.stop()
