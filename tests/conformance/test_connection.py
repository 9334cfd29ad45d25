import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

import kubemq_nb
from kubemq_nb.broker.shared import start_of
from kubemq_nb.errors import BrokerUnavailable, InvalidChannel, KubeMQError, RequestRejected, SessionClosed
from tests.conformance.support import PATIENCE, eventually, through_events_store

BASE = ["id", "channel", "metadata", "body", "decoded", "tags", "client_id", "timestamp"]
MADE_BY_HAND = [("k", "v"), ("ünï", "çødé")]


@pytest.mark.rows("C-01", "M-02")
def test_a_session_connects_by_host_and_port(session, address):
    assert session.address == address
    assert session.ping().address == address


@pytest.mark.rows("C-01", "I-01", "M-01")
@pytest.mark.embedded_only
def test_without_an_address_a_broker_of_its_own_is_started(own, channel):
    own.queues.send(channel, "hello")

    assert own.embedded
    assert own.address.startswith("127.0.0.1:")
    assert list(own.queues.receive(channel)["body"]) == [b"hello"]


@pytest.mark.rows("C-02")
def test_ping_tells_host_version_start_and_uptime(session):
    server = session.ping()

    assert server.host
    assert isinstance(server.version, str)
    assert datetime(2020, 1, 1, tzinfo=UTC) < server.start_time <= datetime.now(UTC) + timedelta(seconds=2)
    assert timedelta(0) <= server.uptime < datetime.now(UTC) - server.start_time + timedelta(seconds=5)


@pytest.mark.rows("C-02")
def test_status_is_one_row_with_the_same(session):
    (line,) = session.status().to_dict("records")

    assert line["state"] == "live"
    assert line["server"].startswith(session.ping().host)
    assert line["client"] == session.client_id


@pytest.mark.embedded_only
def test_status_tells_what_a_named_store_holds(tmp_path):
    def told(session):
        return session.status().attrs["notes"]

    store = str(tmp_path / "lessons")
    with kubemq_nb.connect(store=store) as session:
        new = told(session)
        session.queues.send("orders", rows=["a", "b"])
        session.queues.send("orders", "later", delay=600)
        session.events_store.send("log", rows=["c"])
        filled = told(session)
        session.broker.restart()
        again = told(session)
        session.broker.reset()
        emptied = told(session)

    with kubemq_nb.connect(store=store) as session:
        opened = told(session)

    assert new == emptied == [f"the store {store} is new and empty"]
    assert filled == again == [f"the store {store} holds 2 channels, 4 messages"]
    assert opened == [f"the store {store} is empty"]


@pytest.mark.embedded_only
def test_status_of_a_private_broker_tells_of_no_store(own):
    assert own.status().attrs["notes"] == []


@pytest.mark.rows("C-03")
def test_a_dead_address_is_one_line_with_the_address(dead_address):
    with pytest.raises(BrokerUnavailable, match=dead_address) as caught:
        kubemq_nb.connect(dead_address)

    assert "\n" not in str(caught.value)
    assert caught.value.address == dead_address


@pytest.mark.rows("C-04")
def test_eight_threads_use_one_session_for_all_patterns_at_once(session, channel):
    responder = session.queries.respond(channel, echo=True)
    session.commands.respond(channel, echo=True)

    def work(number):
        mine = f"{channel}.{number}"
        for turn in range(10):
            body = {"thread": number, "turn": turn}
            session.queues.send(mine, body)
            session.events_store.send(mine, body)
            session.events.send(mine, body)
            assert session.queries.send(channel, body).json() == body
            assert session.commands.send(channel, body).executed
            assert session.queues.receive(mine)["decoded"].tolist() == [body]
        return session.events_store.receive(mine)["decoded"].tolist()

    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(work, range(8)))

    assert stored == [[{"thread": number, "turn": turn} for turn in range(10)] for number in range(8)]
    assert responder.errors == 0


@pytest.mark.rows("C-05", "M-38")
def test_a_closed_session_ends_its_jobs_and_says_that_it_is_closed(address, credentials, channel):
    session = kubemq_nb.connect(address, name="closing", **credentials)
    feed = session.events.receive(channel, live=True)

    session.close()
    session.close()

    assert feed.status().state == "stopped"
    assert session.closed
    for use in (
        session.ping,
        lambda: session.queues.peek(channel),
        lambda: session.events.send(channel, "x"),
    ):
        with pytest.raises(SessionClosed, match="closing was closed"):
            use()


@pytest.mark.rows("C-05")
@pytest.mark.embedded_only
def test_no_broker_outlives_its_process_however_that_ends():
    code = (
        "import kubemq_nb, sys, time; kq = kubemq_nb.connect(); kq.events.receive('x', live=True);"
        "print(kq.broker.start()['pid'][0], flush=True); sys.stdin.readline()"
    )
    for end in (lambda process: process.stdin.close(), lambda process: process.send_signal(signal.SIGKILL)):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            pid = int(process.stdout.readline())
            end(process)
            process.wait(PATIENCE)

        eventually(lambda pid=pid: start_of(pid) is None)


@pytest.mark.rows("C-06")
def test_the_client_id_is_unique_and_visible_unless_it_is_given(address, credentials, session, other):
    assert session.client_id
    assert session.client_id != other.client_id
    with kubemq_nb.connect(address, name="named", client_id="me", **credentials) as named:
        assert named.client_id == "me"


@pytest.mark.rows("C-06")
def test_a_call_may_use_another_client_id(session, channel):
    session.queues.send(channel, "mine")
    session.queues.send(channel, "another's", client_id="somebody")

    assert list(session.queues.receive(channel)["client_id"]) == [session.client_id, "somebody"]


@pytest.mark.rows("C-07")
def test_a_given_id_is_kept_and_told_to_both_sides(session, channel, through):
    arrived = through(session, channel, "x", id="my-id-17")

    assert arrived.result.id == "my-id-17"
    assert arrived.row.id == "my-id-17"


@pytest.mark.rows("C-07")
def test_an_id_that_is_left_out_is_a_uuid_known_to_both_sides(session, channel, through):
    arrived = through(session, channel, "x")

    assert str(uuid.UUID(arrived.result.id)) == arrived.result.id == arrived.row.id


@pytest.mark.rows("C-08")
@pytest.mark.parametrize("metadata", ["", "note", "grüße 東京 🚀 'quoted' \"twice\""])
def test_metadata_arrives_as_it_was_sent(session, channel, through, metadata):
    assert through(session, channel, "x", metadata=metadata).row.metadata == metadata


@pytest.mark.rows("C-09")
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (bytes(range(256)), bytes(range(256))),
        (bytes(range(256)) * 4096, bytes(range(256)) * 4096),
        ("grüße", "grüße".encode()),
        ({"a": [1, None, "ü"]}, '{"a": [1, null, "ü"]}'.encode()),
        ([1, {"b": 2}], b'[1, {"b": 2}]'),
    ],
    ids=["every byte", "1 MiB", "text", "dict", "list"],
)
def test_a_body_arrives_byte_for_byte(session, channel, through, body, sent):
    assert through(session, channel, body).row.body == sent


@pytest.mark.rows("C-10")
@pytest.mark.parametrize("tags", [dict(MADE_BY_HAND), MADE_BY_HAND], ids=["dict", "pairs"])
def test_tags_arrive_as_they_were_sent(session, channel, through, tags):
    assert through(session, channel, "x", tags=tags).row.tags == dict(MADE_BY_HAND)


@pytest.mark.rows("C-11")
@pytest.mark.parametrize("pattern", ["queues", "commands", "queries"])
def test_the_receiver_sees_who_sent(session, channel, pattern):
    from tests.conformance.support import PATTERNS

    arrived = PATTERNS[pattern](session, channel, "x", client_id="the-sender")

    assert arrived.row.client_id == "the-sender"


@pytest.mark.rows("C-12")
def test_every_pattern_has_the_same_first_columns(session, channel, through):
    row = through(session, channel, "x").row

    assert list(row.index[: len(BASE)]) == BASE
    assert row.timestamp.tzinfo is not None


@pytest.mark.rows("C-13")
@pytest.mark.parametrize("pattern", ["events", "events_store"])
def test_members_of_a_group_share_and_groups_and_loners_get_all(session, channel, pattern):
    listen = getattr(session, pattern)
    members = [
        listen.receive(channel, live=True, group="g", client_id=f"{channel[-8:]}-{n}") for n in range(2)
    ]
    others = [listen.receive(channel, live=True, group="h"), listen.receive(channel, live=True)]

    listen.send(channel, rows=[f"e{number}" for number in range(40)])

    assert all(feed.wait(count=40, timeout=PATIENCE) for feed in others)
    eventually(lambda: sum(feed.status().received for feed in members) >= 40)
    wanted = sorted(f"e{number}".encode() for number in range(40))
    assert sorted(body for feed in members for body in feed.df["body"]) == wanted
    assert [sorted(feed.df["body"]) for feed in others] == [wanted, wanted]


@pytest.mark.rows("C-13")
@pytest.mark.parametrize("pattern", ["commands", "queries"])
def test_members_of_a_group_share_the_requests(session, channel, pattern):
    ask = getattr(session, pattern)
    members = [ask.respond(channel, reply="x", group="g", client_id=f"member-{n}") for n in range(2)]
    other = ask.respond(channel, reply="x", group="h", client_id="other")

    for number in range(20):
        ask.send(channel, f"r{number}")

    assert other.wait(count=20, timeout=PATIENCE)
    eventually(lambda: sum(member.received for member in members) >= 20)
    wanted = sorted(f"r{number}".encode() for number in range(20))
    assert sorted(body for member in members for body in member.df["body"]) == wanted


@pytest.mark.rows("C-14")
@pytest.mark.parametrize("pattern", ["events", "events_store"])
def test_events_are_sent_one_by_one_and_as_a_stream(session, channel, pattern):
    events = getattr(session, pattern)
    feed = events.receive(channel, live=True)

    events.send(channel, "alone")
    sent = events.send(channel, rows=[f"e{number}" for number in range(50)])

    assert feed.wait(count=51, timeout=PATIENCE)
    assert list(feed.df["body"]) == [b"alone", *(f"e{number}".encode() for number in range(50))]
    assert len(sent) == 50
    assert sent["sent"].all()


@pytest.mark.rows("C-15")
def test_a_refusal_of_the_server_is_one_typed_error_with_its_number(session, channel):
    with pytest.raises(RequestRejected) as caught:
        session.queues.send(channel, "")

    assert caught.value.number == 110
    assert isinstance(caught.value, KubeMQError)
    assert caught.value.channel == channel


@pytest.mark.rows("C-15")
@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a\n", "a.", "*", "a.>"])
def test_a_bad_channel_is_refused_before_it_can_harm_a_server(session, name):
    for send in (session.queues.send, session.events.send, session.events_store.send, session.commands.send):
        with pytest.raises(InvalidChannel) as caught:
            send(name, "x")
        assert "\n" not in str(caught.value)


@pytest.mark.rows("C-15")
def test_in_a_batch_a_refusal_is_the_error_of_its_row(session, channel):
    result = session.queues.send(channel, rows=["good", b""])

    assert list(result["sent"]) == [True, False]
    assert result["error"][0] is None
    assert "110" in result["error"][1]


def test_two_sessions_of_one_name_do_not_live_side_by_side(address, credentials):
    first = kubemq_nb.connect(address, name="again", **credentials)

    second = kubemq_nb.connect(address, name="again", **credentials)

    assert not second.closed
    with pytest.raises(SessionClosed, match="a later one took its name"):
        first.ping()
    second.close()


def test_a_token_is_found_by_environment_and_file_and_never_shown(
    address, credentials, monkeypatch, tmp_path
):
    token = credentials["token_file"].read_text() if credentials else "any"
    (tmp_path / "token").write_text(token)
    monkeypatch.setenv("MY_TOKEN", token.strip())

    for way in ({"token_env": "MY_TOKEN"}, {"token_file": tmp_path / "token"}):
        with kubemq_nb.connect(address, name="tokens", **way) as session:
            assert session.queues.peek("kubemq-nb-test.tokens", wait=0) is not None
            shown = repr(session) + session.status().to_string() + json.dumps(session.queues.peek("x").attrs)
            assert token.strip() not in shown


def test_address_and_token_are_found_in_the_environment(address, credentials, monkeypatch):
    monkeypatch.setenv("KUBEMQ_ADDRESS", address)
    if credentials:
        monkeypatch.setenv("KUBEMQ_AUTH_TOKEN", credentials["token_file"].read_text())

    with kubemq_nb.connect() as session:
        assert (session.address, session.name, session.embedded) == (address, address, False)
        assert session.queues.peek("kubemq-nb-test.environment", wait=0).empty


def test_an_address_of_the_environment_is_named_where_nothing_answers(monkeypatch):
    monkeypatch.setenv("KUBEMQ_ADDRESS", "127.0.0.1:1")

    with pytest.raises(BrokerUnavailable, match="the server running that KUBEMQ_ADDRESS names"):
        kubemq_nb.connect()
    with pytest.raises(BrokerUnavailable) as told:
        kubemq_nb.connect("127.0.0.1:1")

    assert "KUBEMQ_ADDRESS" not in str(told.value)


def test_a_connection_that_only_looks_says_so(address, credentials):
    with kubemq_nb.connect(address, name="looking", read_only=True, **credentials) as looking:
        assert looking.status()["access"].iloc[0].startswith("read-only, ")


@pytest.mark.embedded_only
def test_a_named_store_is_shared_by_those_who_name_it(channel, tmp_path):
    store = tmp_path / "store"
    with (
        kubemq_nb.connect(store=store, name="one") as one,
        kubemq_nb.connect(store=store, name="two") as two,
    ):
        one.queues.send(channel, "shared")

        assert one.address == two.address
        assert list(two.queues.peek(channel)["body"]) == [b"shared"]


@pytest.mark.embedded_only
def test_another_session_of_the_process_needs_no_token_for_its_broker(own, channel):
    with kubemq_nb.connect(own.address, name="beside") as beside:
        beside.queues.send(channel, "x")

        assert not beside.embedded
        assert len(own.queues.receive(channel)) == 1


def test_an_address_and_a_store_exclude_each_other(address):
    with pytest.raises(TypeError, match="not both"):
        kubemq_nb.connect(address, store="lessons")


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda kq, channel: kq.queues.send(channel, "x", metadata=5), "metadata is text, not 5"),
        (lambda kq, channel: kq.events.send(channel, "x", id=5), "id is text, not 5"),
        (lambda kq, channel: kq.queries.send(7, "x"), "channel is text, not 7"),
        (lambda kq, channel: kq.queues.send(channel, 5), "a body is bytes"),
        (lambda kq, channel: kq.queues.send(channel, "x", tags={"k": 1}), "a tag is text to text"),
        (
            lambda kq, channel: kq.queues.peek(channel, wait="3s"),
            "seconds as a number or a timedelta, not '3s'",
        ),
        (lambda kq, channel: kq.events.subscribe(channel, "print"), "a handler is a function"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_sent(session, channel, use, words):
    with pytest.raises(TypeError, match=words):
        use(session, channel)


def test_a_missing_variable_or_file_is_named(address):
    with pytest.raises(ValueError, match="variable NO_SUCH_TOKEN"):
        kubemq_nb.connect(address, token_env="NO_SUCH_TOKEN")
    with pytest.raises(ValueError, match="/no/such/token cannot be read"):
        kubemq_nb.connect(address, token_file="/no/such/token")


def test_channels_lists_what_was_used(session, channel):
    session.queues.send(channel, "x")
    through_events_store(session, f"{channel}.stored", "x")

    listed = session.channels.list(filter=channel)

    assert {("queues", channel), ("events_store", f"{channel}.stored")} <= set(
        zip(listed["kind"], listed["channel"], strict=True)
    )
    queues = session.channels.list("queues", channel)
    assert list(queues["kind"]) == ["queues"]
    assert list(queues["waiting"]) == [1]


@pytest.mark.rows("M-42")
def test_sessions_are_found_by_name_and_one_is_in_use(session, other):
    from kubemq_nb.session import registry

    assert registry.current() is other
    assert session.use(session.name) is session
    assert registry.current() is session
    assert set(session.connections()["connection"]) >= {session.name, "other"}
    with pytest.raises(SessionClosed, match="no connection nowhere is open"):
        session.use("nowhere")


@pytest.fixture
def dead_address():
    import socket

    with socket.socket() as taken:  # bound and not listening: nobody else gets this port meanwhile
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.rows("M-38")
def test_jobs_are_listed_and_stopped_by_number(session, channel):
    feed = session.events.receive(channel, live=True)
    responder = session.queries.respond(channel, echo=True)

    listed = session.jobs()
    session.stop(feed.id)

    assert list(listed["kind"]) == ["events", "queries"]
    assert session.open_jobs() == [responder]
    session.stop("all")
    assert session.open_jobs() == []


@pytest.mark.embedded_only
def test_a_private_broker_that_dies_is_started_again_with_what_it_had(own, channel, caplog):
    own.queues.send(channel, "kept")
    pid = int(own.broker.start()["pid"][0])

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: _peeked(own, channel) == [b"kept"])
    assert int(own.broker.start()["pid"][0]) != pid
    assert sum("started again" in record.message for record in caplog.records) == 1


def _peeked(session, channel):
    try:
        return list(session.queues.peek(channel)["body"])
    except KubeMQError:
        return None


@pytest.mark.embedded_only
def test_the_broker_can_be_stopped_started_and_reset(own, channel):
    own.queues.send(channel, "kept")

    assert list(own.broker.stop()["state"]) == ["stopped"]
    with pytest.raises(BrokerUnavailable, match="`%kubemq broker start` starts it again with its store"):
        own.queues.peek(channel)
    assert list(own.broker.start()["state"]) == ["running"]
    assert eventually(lambda: _peeked(own, channel)) == [b"kept"]
    assert own.broker.reset()["address"][0] == own.address
    eventually(lambda: _peeked(own, channel) == [])


def test_a_session_on_another_server_does_not_stop_it(session):
    with pytest.raises(kubemq_nb.NotSupported, match="not ours to stop"):
        session.broker.stop()


def test_progress_is_told_of_long_sends(session, channel):
    told = []
    session.progress = lambda done, total: told.append((done, total))

    session.queues.send(channel, rows=[f"m{n}" for n in range(2500)])

    assert told[-1] == (2500, 2500)
    assert threading.current_thread() is threading.main_thread()
