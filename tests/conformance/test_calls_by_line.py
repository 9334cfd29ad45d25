"""Commands, queries and their answers by a stream that stays open, and each by a call: both do the same."""

import signal
import threading
from contextlib import closing, contextmanager

import pytest

from kubemq_nb._wire import codec
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.requests import RequestsClient
from kubemq_nb.errors import DeadlineExceeded, InvalidMessage, KubeMQError, OutcomeUnknown, RequestRejected
from kubemq_nb.messages import Request, Response
from tests.conformance.client_support import ME, not_waiting
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import PATIENCE, eventually

pytestmark = pytest.mark.embedded_only


@pytest.fixture
def ways(both_ways):
    """A client that has a line, and one that is told that there is none."""
    return tuple(map(RequestsClient, both_ways))


def is_open(client, kind="requests"):
    """Whether a line waits for its next call."""
    line = client._connection._lines.get(kind)
    return bool(line and line._idle and line._idle.is_open)


@contextmanager
def responder(client, channel, answer, *, kind="query"):
    """Answers requests in the background; what is raised by `reply` is kept in the list that it gives."""
    refused = []

    def follow():
        for payload in subscription:
            request = codec.decode_request(payload)
            try:
                client.reply(request, answer(request))
            except KubeMQError as error:
                refused.append(str(error))

    with client.subscribe(kind, channel, client_id="responder") as subscription:
        threading.Thread(target=follow, daemon=True).start()
        yield refused


ANSWERS = {
    "all fields": Response(
        executed=True, body=b"\x00\xff", metadata="note ü", tags={"k": "v", "l": "w"}, client_id="responder"
    ),
    "a refusal": Response(executed=False, error="gate C71 is taken", client_id="responder"),
    "a large one": Response(executed=True, body=b"x" * 3_000_000, client_id="responder"),
}
X = Response(executed=True, body=b"x", client_id="responder")


@pytest.mark.rows("R-01", "R-02", "R-05", "R-06")
@pytest.mark.parametrize("kind", ["command", "query"])
@pytest.mark.parametrize("name", ANSWERS)
def test_both_ways_bring_the_same_answer(ways, channel, name, kind):
    told = []
    for way in ways:
        with responder(way, channel, lambda request: ANSWERS[name], kind=kind):
            for number in range(3):  # by a line that is opened, and by one that is there
                asked = Request(kind=kind, channel=channel, body=b"?", id=f"q{number}", client_id=ME)
                answer = way.send(asked)
                told.append((answer.id, answer.executed, answer.error, answer.body, answer.metadata))
                told.append((dict(answer.tags), answer.client_id, answer.channel, answer.cache_hit))

    by_line, by_call = told[: len(told) // 2], told[len(told) // 2 :]
    assert by_line == by_call


def test_one_way_has_a_line_for_requests_and_one_for_answers(ways, channel):
    for way in ways:
        with responder(way, channel, lambda request: ANSWERS["all fields"]):
            way.send(Request(kind="query", channel=channel, body=b"?", client_id=ME))

    assert [is_open(way) for way in ways] == [True, False]
    assert [is_open(way, "responses") for way in ways] == [True, False]


@pytest.mark.rows("R-07")
def test_both_ways_ask_the_same(ways, channel):
    seen = []
    asked = Request(
        kind="query",
        channel=channel,
        body=b"\x00",
        id="asked",
        metadata="m",
        tags={"k": "v"},
        client_id=ME,
        timeout=7.5,
    )
    for way in ways:
        with responder(
            way,
            channel,
            lambda request: seen.append(request) or X,
        ):
            way.send(asked)

    fields = ("kind", "id", "body", "metadata", "client_id", "timeout", "channel")
    assert [getattr(seen[0], name) for name in fields] == [getattr(seen[1], name) for name in fields]
    assert dict(seen[0].tags) == dict(seen[1].tags) == {"k": "v"}


@pytest.mark.rows("R-08")
def test_an_answer_kept_by_the_broker_comes_by_both_ways(ways, channel):
    asked = Request(
        kind="query", channel=channel, body=b"?", client_id=ME, cache_key=channel, cache_ttl=60, id="again"
    )
    with responder(ways[0], channel, lambda request: X):
        assert not ways[0].send(asked).cache_hit

    hits = [way.send(asked) for way in ways]

    assert [(hit.cache_hit, hit.body, hit.id) for hit in hits] == [(True, b"x", "again")] * 2


REFUSED = {
    "nobody answers": ({"timeout": 0.2}, DeadlineExceeded),
    "no client id": ({"client_id": ""}, RequestRejected),
    "a cache key without a time": ({"cache_key": "k"}, InvalidMessage),
}


@pytest.mark.rows("R-03", "R-09")
@pytest.mark.parametrize("name", REFUSED)
def test_both_ways_refuse_alike_and_go_on(ways, channel, name, monkeypatch):
    monkeypatch.setattr("kubemq_nb.client.checks.check_request", lambda request: None)  # the broker is asked
    fields, error = REFUSED[name]
    told = []
    for way in ways:
        with responder(way, f"{channel}.up", lambda request: X):
            with pytest.raises(error) as caught:
                way.send(
                    Request(**{"kind": "query", "channel": channel, "body": b"?", "client_id": ME} | fields)
                )
            told.append((str(caught.value), caught.value.reason))
            there = Request(kind="query", channel=f"{channel}.up", body=b"?", client_id=ME)
            assert way.send(there).body == b"x"

    assert told[0] == told[1]


def test_an_answer_that_the_broker_refuses_is_told_alike(ways, channel):
    told = []
    for way in ways:
        answer = Response(executed=True, body=b"x", client_id="")
        with responder(way, channel, lambda request, answer=answer: answer) as refused:
            with pytest.raises(DeadlineExceeded):
                way.send(Request(kind="query", channel=channel, body=b"?", client_id=ME, timeout=0.3))
            told.append(eventually(lambda refused=refused: refused[:]))

    assert told[0] == told[1]


def test_requests_at_once_do_not_wait_for_each_other(ways, channel):
    client = ways[0]
    together = threading.Barrier(2)
    answers = {}

    def ask(name):
        asked = Request(kind="query", channel=channel, body=name.encode(), client_id=ME, timeout=PATIENCE)
        answers[name] = client.send(asked).body

    def answer(request):
        return Response(executed=True, body=request.body, client_id="responder")

    def follow(subscription):
        request = codec.decode_request(subscription.next(PATIENCE))
        together.wait(PATIENCE)
        client.reply(request, answer(request))

    with client.subscribe("query", channel, client_id="responder") as subscription:
        threads = [threading.Thread(target=follow, args=(subscription,), daemon=True) for _ in range(2)]
        threads += [threading.Thread(target=ask, args=(name,), daemon=True) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)

    assert answers == {"a": b"a", "b": b"b"}


def test_what_comes_after_an_interrupt_is_given_to_nobody(ways, channel):
    client = ways[0]
    go_on = threading.Event()
    asked = []

    def answer(request):
        if not asked:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            go_on.wait(PATIENCE)
        asked.append(request.body)
        return Response(executed=True, body=request.body, client_id="responder")

    def request(body):
        return Request(kind="query", channel=channel, body=body, client_id=ME, timeout=60)

    with responder(client, channel, answer):
        with pytest.raises(KeyboardInterrupt), not_waiting():
            client.send(request(b"first"))
        go_on.set()
        eventually(lambda: asked == [b"first"])

        assert client.send(request(b"second")).body == b"second"


def test_a_broker_that_was_started_again_is_asked_anew(own):
    client = own._link.ready().requests
    for _ in range(2):
        own.queries.respond("q", lambda request: request.body)
        assert eventually(lambda: own.queries.send("q", "x").text) == "x"
        assert is_open(client)
        own._link.embedded.restart()


@pytest.fixture
def strange():
    """A server that says that it is ours, and a client of it."""
    server = StrangeServer()
    server.on("SendEventsBatch", lambda _request, _context: pb.QueueMessagesBatchResponse())
    with closing(Connection(server.address, timeout=1.0)) as connection:
        yield server, RequestsClient(connection)
    server.stop()


ASKED = Request(kind="query", channel="q", body=b"?", client_id=ME, timeout=0.1)


def answered(body):
    return pb.Response(Executed=True, Body=body)


def test_a_server_that_knows_no_lines_gets_calls_and_is_asked_once(strange):
    server, client = strange
    server.on("SendRequest", lambda _request, _context: answered(b"x"))

    assert [client.send(ASKED).body for _ in range(2)] == [b"x"] * 2

    assert len(server.calls["SendRequest"]) == 2
    assert len(server.calls["SendEventsBatch"]) == 1
    assert not client._connection.has_lines


def test_a_server_that_is_not_ours_is_not_asked_for_a_line(strange):
    server, client = strange
    server._answers.pop("SendEventsBatch")
    opened = []
    server.on("SendRequestsByLine", lambda requests, _context: opened.append(1) or iter(()))
    server.on("SendRequest", lambda _request, _context: answered(b"x"))

    assert client.send(ASKED).body == b"x"
    assert opened == []


def test_an_answer_that_is_late_is_given_to_nobody(strange):
    server, client = strange
    late = threading.Event()

    def answer(requests, _context):
        for request in requests:
            body = pb.Request.FromString(request).Body
            if body == b"slow":
                late.wait(PATIENCE)
            yield answered(body)

    server.on("SendRequestsByLine", answer)
    slow = Request(kind="query", channel="q", body=b"slow", client_id=ME, timeout=0.1)

    with pytest.raises(OutcomeUnknown, match=r"within 1\.1 s"):
        client.send(slow)
    late.set()

    assert client.send(ASKED).body == b"?"


def test_a_line_that_cannot_be_opened_in_time_says_so_and_not_that_the_outcome_is_open(ways, monkeypatch):
    client, _ = ways
    client._connection.hang_up()

    def too_late():
        raise DeadlineExceeded("no answer within 1 s", timeout=1)

    monkeypatch.setattr(client._connection, "entry", too_late)

    with pytest.raises(DeadlineExceeded, match=r"^no answer within 1 s$"):
        client.send(ASKED)


@pytest.mark.parametrize("good", [0, 1])
def test_a_line_that_ends_without_an_answer_leaves_the_outcome_open(strange, good):
    server, client = strange

    def answer(requests, _context):
        for _ in range(good):
            next(requests)
            yield answered(b"x")
        next(requests)

    server.on("SendRequestsByLine", answer)
    for _ in range(good):
        client.send(ASKED)

    with pytest.raises(OutcomeUnknown):
        client.send(ASKED)


def test_a_closed_connection_has_no_line(ways, channel, connect):
    connection = connect()
    client = RequestsClient(connection)
    with responder(client, channel, lambda request: X):
        client.send(Request(kind="query", channel=channel, body=b"?", client_id=ME))
    line = connection._lines["requests"]._idle

    connection.close()

    eventually(lambda: not line.is_open)
