"""Tokens: where they are found, how they change under a session, and where they never go."""

import subprocess
import sys

import grpc
import pytest

import kubemq_nb
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.client.tokens import Token
from kubemq_nb.errors import AuthenticationFailed
from kubemq_nb.messages import QueueMessage
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import eventually

ELSEWHERE = "192.0.2.1:50000"  # of a network that is nobody's


class Guard:
    """Lets in who shows the token of now, and counts who was turned away."""

    def __init__(self, server, token):
        self.token = token
        self.refused = 0
        self._server = server

    def on(self, method, answer):
        def guarded(request, context):
            self._check(context)
            return answer(request, context)

        def guarded_stream(request, context):
            self._check(context)
            yield from answer(request, context)

        streams = method in {"SubscribeToEvents", "QueuesDownstream"}
        self._server.on(method, guarded_stream if streams else guarded)

    def _check(self, context):
        if dict(context.invocation_metadata()).get("authorization") != self.token:
            self.refused += 1
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "")


@pytest.fixture
def server():
    server = StrangeServer()
    yield server
    server.stop()


@pytest.fixture
def guard(server):
    guard = Guard(server, "first")
    guard.on("QueuesInfo", lambda _request, _context: pb.QueuesInfoResponse())
    guard.on(
        "SendQueueMessage",
        lambda request, _context: pb.SendQueueMessageResult(
            MessageID=pb.QueueMessage.FromString(request).MessageID
        ),
    )
    guard.on("SendQueueMessagesBatch", batch)
    guard.on(
        "ReceiveQueueMessages",
        lambda *_: pb.ReceiveQueueMessagesResponse(Messages=[pb.QueueMessage(Body=b"x")]),
    )
    guard.on("SubscribeToEvents", lambda *_: iter([pb.EventReceive(EventID="1")]))
    return guard


def batch(request, _context):
    sent = pb.QueueMessagesBatchRequest.FromString(request).Messages
    return pb.QueueMessagesBatchResponse(Results=[{"MessageID": each.MessageID} for each in sent])


@pytest.fixture(params=["file", "variable"])
def place(request, tmp_path, monkeypatch):
    """A place for a token: what `connect` is told of it, and how to put another one there."""
    if request.param == "file":
        file = tmp_path / "token"
        file.touch(0o600)

        def put(token):
            file.write_text(f"{token}\n")

        put("first")
        return {"token_file": file}, put
    monkeypatch.setenv("SOME_TOKEN", "first")
    return {"token_env": "SOME_TOKEN"}, lambda token: monkeypatch.setenv("SOME_TOKEN", token)


def of(*read):
    """A token whose value is each of these in turn, then the last."""
    left = list(read)
    return Token(lambda: left.pop(0) if len(left) > 1 else left[0])


def message(body="x"):
    return QueueMessage(channel="a", body=body.encode(), client_id="me")


USES = {
    "a send": lambda channel: QueuesClient(channel).send(message()),
    "a batch": lambda channel: QueuesClient(channel).send_batch([message(), message()]),
    "a peek": lambda channel: QueuesClient(channel).peek("a", count=1, wait=0, client_id="me"),
    "a subscription": lambda channel: EventsClient(channel).subscribe("a", client_id="me").close(),
}


@pytest.mark.rows("M-40")
@pytest.mark.parametrize("use", USES)
def test_a_new_token_is_found_by_whatever_is_done_next(server, guard, place, use):
    given, put = place
    with kubemq_nb.connect(server.address, **given) as kq:
        put("second")
        guard.token = "second"

        USES[use](kq._link.connection)
        refused = guard.refused
        USES[use](kq._link.connection)

    assert (refused, guard.refused) == (1, 1)


def test_a_new_token_that_the_server_does_not_take_yet_harms_nothing(server, guard, place):
    given, put = place
    with kubemq_nb.connect(server.address, **given) as kq:
        put("second")

        for use in USES.values():
            use(kq._link.connection)

        guard.token = "second"
        for use in USES.values():
            use(kq._link.connection)


def test_a_refused_call_is_made_again_once_and_only_with_another_token(server, guard):
    connection = Connection(server.address, token=of("old", "older", "oldest"))

    with pytest.raises(AuthenticationFailed):
        connection.call(connection.stub.queues_info, pb.QueuesInfoRequest(), connection.attempt("it"))
    assert guard.refused == 2

    same = Connection(server.address, token=of("old"))
    with pytest.raises(AuthenticationFailed):
        same.call(same.stub.queues_info, pb.QueuesInfoRequest(), same.attempt("it"))
    assert guard.refused == 3
    connection.close()
    same.close()


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.PERMISSION_DENIED]
)
def test_nothing_that_may_have_been_done_is_made_again(server, code):
    def fail(_request, context):
        context.abort(code, "Socket closed")

    server.on("SendQueueMessage", fail)
    connection = Connection(server.address, token=of("old", "new"))

    with pytest.raises(kubemq_nb.KubeMQError):
        QueuesClient(connection).send(message())

    assert len(server.calls["SendQueueMessage"]) == 1
    connection.close()


def test_a_place_that_became_empty_or_unreadable_keeps_the_token_in_use(server, guard, tmp_path):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("first")
    with kubemq_nb.connect(server.address, token_file=file) as kq:
        for spoil in (lambda: file.write_text(""), lambda: file.write_bytes(b"\xff"), file.unlink):
            spoil()

            USES["a subscription"](kq._link.connection)
            USES["a send"](kq._link.connection)
    assert guard.refused == 0


@pytest.mark.embedded_only
def test_a_session_and_its_feed_go_on_when_the_broker_comes_back_with_another_token(tmp_path, serve, channel):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("first")
    first = serve("--token-file", file)
    with kubemq_nb.connect(first.address, token_file=file) as kq:
        feed = kq.events.receive(channel, live=True)
        file.write_text("second")
        first.process.terminate()
        first.process.wait()

        serve("--token-file", file, "--address", first.address)
        eventually(lambda: kq.status()["state"].tolist() == ["live"])

        kq.queues.send(channel, "x")
        assert list(kq.queues.receive(channel)["body"]) == [b"x"]
        assert wait_until_heard(kq, feed, channel)


def wait_until_heard(kq, feed, channel):
    """Events are for those who listen: send until one is heard."""
    for _ in range(100):
        kq.events.send(channel, "x")
        if feed.wait(count=1, timeout=0.2):
            return True
    return False


def test_a_wrong_token_is_named_by_its_place(server, guard, place):
    given, put = place
    put("wrong")
    (where,) = given.values()

    with pytest.raises(AuthenticationFailed) as caught:
        kubemq_nb.connect(server.address, **given)

    assert str(caught.value) == (
        f"{server.address} refused the token of {where}. Give another with --token-env or --token-file."
    )


def test_a_missing_token_is_told_apart_from_a_wrong_one(server, guard):
    with pytest.raises(AuthenticationFailed) as caught:
        kubemq_nb.connect(server.address)

    assert str(caught.value) == (f"{server.address} wants a token. Give it with --token-env or --token-file.")


def test_the_variable_that_needs_no_naming_is_found_and_renewed(server, guard, monkeypatch):
    monkeypatch.setenv("KUBEMQ_AUTH_TOKEN", " first\n")
    with kubemq_nb.connect(server.address) as kq:
        monkeypatch.setenv("KUBEMQ_AUTH_TOKEN", "second")
        guard.token = "second"

        assert kq.queues.peek("a").shape[0] == 1
        assert kq.status()["access"].tolist() == ["token in KUBEMQ_AUTH_TOKEN"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the token file {file}, which was to hold the token, is empty"),
        (b" \n", "the token file {file}, which was to hold the token, is empty"),
        (b"\xff\xfe", "the token file {file} holds no text"),
        (b"a\nb", "The token holds characters that no header can carry (line breaks, or not ASCII)."),
        (
            "gr\u00fcn".encode(),
            "The token holds characters that no header can carry (line breaks, or not ASCII).",
        ),
    ],
)
def test_a_file_that_holds_no_token_is_refused_without_being_shown(tmp_path, content, told):
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(ValueError) as caught:
        kubemq_nb.connect("127.0.0.1:50000", token_file=file)

    assert str(caught.value) == told.format(file=file)


def test_a_variable_and_a_file_exclude_each_other(tmp_path):
    with pytest.raises(TypeError, match="not both"):
        kubemq_nb.connect("127.0.0.1:50000", token_env="A", token_file=tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o600])
def test_a_token_file_that_others_may_read_is_a_warning(server, guard, tmp_path, caplog, mode):
    file = tmp_path / "token"
    file.write_text("first")
    file.chmod(mode)

    kubemq_nb.connect(server.address, token_file=file).close()

    told = f"{file} can be read by others on this machine; `chmod 600 {file}` keeps it yours."
    assert [record.getMessage() for record in caplog.records] == ([] if mode == 0o600 else [told])


@pytest.mark.parametrize(
    "address", [ELSEWHERE, "broker.example.com:50000", "x.localhost:50000", "0.0.0.0:50000"]
)
def test_a_token_does_not_leave_this_machine_in_clear(place, address):
    given, _ = place

    with pytest.raises(AuthenticationFailed) as caught:
        kubemq_nb.connect(address, **given)

    assert str(caught.value) == (
        f"The token would travel in clear to {address}. Nothing was sent."
        " Give --tls, or --ca for an authority of your own, or --insecure if you mean it."
    )


def test_the_magic_refuses_that_too_unless_it_is_told_so(place, shell, capsys):
    given, _ = place
    ((name, value),) = given.items()
    line = f"%kubemq connect {ELSEWHERE} --{name.replace('_', '-')} {value}"

    shell.run_cell(line)

    assert capsys.readouterr().out.startswith(
        "AuthenticationFailed: The token would travel in clear to 192.0.2.1"
    )
    Connection(ELSEWHERE, token="first", insecure=True).close()


def test_with_tls_a_token_may_leave(files):
    Connection(ELSEWHERE, token="first", ca=files.ca).close()


def test_a_broker_that_others_reach_says_what_that_means(tmp_path):
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", tmp_path, "--no-auth"]
    with subprocess.Popen(
        [*command, "--address", "0.0.0.0:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.terminate()
        told = process.stderr.read()

    assert told.splitlines() == [
        "WARNING: whatever is sent to 0.0.0.0 can be read on the way; --cert and --key end that",
        "WARNING: everybody who reaches 0.0.0.0 is let in",
    ]
