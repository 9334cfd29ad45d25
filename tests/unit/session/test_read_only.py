"""A session that only looks, profiles, channel management, counts, and many commands at once."""

import contextlib
import inspect
from functools import cached_property

import pytest
from IPython.core.error import UsageError

import kubemq_nb
from kubemq_nb.errors import NotSupported, RequestRejected
from kubemq_nb.session import profiles
from kubemq_nb.session.queue import Queue

CHANGING = {
    "Queues.send": lambda kq, ch: kq.queues.send(ch, "x"),
    "Queues.receive": lambda kq, ch: kq.queues.receive(ch),
    "Queues.ack_all": lambda kq, ch: kq.queues.ack_all(ch),
    "Queues.transaction": lambda kq, ch: kq.queues.transaction(ch),
    "Queue.send": lambda kq, ch: kq.queues.named(ch).send("x"),
    "Queue.receive": lambda kq, ch: kq.queues.named(ch).receive(),
    "Queue.ack_all": lambda kq, ch: kq.queues.named(ch).ack_all(),
    "Queue.transaction": lambda kq, ch: kq.queues.named(ch).transaction(),
    "Events.send": lambda kq, ch: kq.events.send(ch, "x"),
    "EventsStore.send": lambda kq, ch: kq.events_store.send(ch, "x"),
    "Commands.send": lambda kq, ch: kq.commands.send(ch, "x"),
    "Commands.respond": lambda kq, ch: kq.commands.respond(ch, echo=True),
    "Queries.send": lambda kq, ch: kq.queries.send(ch, "x"),
    "Queries.respond": lambda kq, ch: kq.queries.respond(ch, echo=True),
    "Channels.create": lambda kq, ch: kq.channels.create("queues", ch),
    "Channels.delete": lambda kq, ch: kq.channels.delete("queues", ch),
    "Broker.stop": lambda kq, _: kq.broker.stop(),
    "Broker.restart": lambda kq, _: kq.broker.restart(),
    "Broker.reset": lambda kq, _: kq.broker.reset(),
}
"""Refused whatever is given."""

NOTICED = {
    "Events.receive": [("group", lambda kq, ch, **who: kq.events.receive(ch, count=1, timeout=0.1, **who))],
    "Events.subscribe": [("group", lambda kq, ch, **who: kq.events.subscribe(ch, print, **who))],
    "EventsStore.receive": [
        (argument, lambda kq, ch, **who: kq.events_store.receive(ch, **who))
        for argument in ("group", "client_id")
    ],
    "EventsStore.subscribe": [
        (argument, lambda kq, ch, **who: kq.events_store.subscribe(ch, print, **who))
        for argument in ("group", "client_id")
    ],
}
"""Refused with an argument that others would notice."""

LOOKING = {
    *("Queues.peek", "Queues.named", "Queue.peek", "Channels.list", "Channels.stats", "Broker.start"),
    *("Broker.damage", "Channels.figures", "Session.begin", "Session.ui"),
    *("Session.ping", "Session.status", "Session.connections", "Session.use", "Session.close"),
    *("Session.jobs", "Session.open_jobs", "Session.stop", "Session.stats", "Session.run"),
    "EventsStore.scrub",
    *("Session.pause", "Session.resume", "Session.clear", "Session.filter", "Session.retry"),
    *("Session.restart", "Session.line", "Session.replaced"),
}
"""Harmless: they look, or act on this session and its own jobs alone."""


def verbs(session):
    """Every public method of a session and of what it offers."""
    late = [name for name, each in inspect.getmembers(type(session)) if isinstance(each, cached_property)]
    offered = [getattr(session, name) for name in (*vars(session), *late) if not name.startswith("_")]
    kinds = {type(session), Queue, *(type(each) for each in offered if hasattr(each, "_link"))}
    return {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.fixture
def onlooker(address, credentials):
    with kubemq_nb.connect(address, name="onlooker", read_only=True, **credentials) as session:
        yield session


@pytest.fixture
def written():
    """Write the profiles of this run's user; gone afterwards."""
    profiles.file().parent.mkdir(parents=True, exist_ok=True)
    yield profiles.file().write_text
    profiles.file().unlink(missing_ok=True)


def test_of_every_method_it_is_said_whether_a_read_only_session_has_it(session):
    said = {*CHANGING, *NOTICED, *LOOKING}

    assert verbs(session) == said, "say here what it does, and mark it with `changes` or `changes_with`"


@pytest.mark.rows("M-41")
@pytest.mark.parametrize("change", CHANGING.values(), ids=CHANGING)
def test_a_read_only_session_refuses_what_sends_takes_or_destroys(onlooker, session, channel, change):
    session.queues.send(channel, "precious")

    with pytest.raises(RequestRejected, match=r"onlooker is read-only and refuses .*: nothing was done"):
        change(onlooker, channel)

    assert onlooker.queues.peek(channel)["body"].tolist() == [b"precious"]


@pytest.mark.parametrize(
    ("argument", "read"),
    [pytest.param(*each, id=f"{verb}-{each[0]}") for verb, reads in NOTICED.items() for each in reads],
)
def test_a_read_that_others_notice_is_refused_and_says_what_to_leave_out(
    onlooker, session, channel, argument, read
):
    session.events_store.send(channel, "kept")
    told = rf"onlooker is read-only and refuses \w+ with a {argument}: .*Leave out {argument} to look"

    with pytest.raises(RequestRejected, match=told):
        read(onlooker, channel, **{argument: "workers"})

    read(onlooker, channel)
    onlooker.stop("all")


def test_looking_read_only_moves_no_position_that_is_remembered(onlooker, session, channel):
    session.events_store.send(channel, rows=["a", "b"])
    with contextlib.suppress(RequestRejected):
        onlooker.events_store.receive(channel, group="workers")
    onlooker.events_store.receive(channel)

    assert session.events_store.receive(channel, group="workers")["body"].tolist() == [b"a", b"b"]


@pytest.mark.rows("M-41")
def test_a_read_only_session_reads(onlooker, session, channel):
    session.events_store.send(channel, "kept")

    assert onlooker.events_store.receive(channel)["body"].tolist() == [b"kept"]
    assert channel in onlooker.channels.list()["channel"].tolist()


@pytest.mark.rows("M-42")
def test_a_profile_says_what_the_call_leaves_out(address, credentials, written):
    token = "".join(f'token_file = "{file}"\n' for file in credentials.values())
    written(f'[lesson]\naddress = "{address}"\n{token}read_only = true\n')

    with kubemq_nb.connect(profile="lesson", client_id="me") as session:
        assert (session.name, session.client_id, session.address) == ("lesson", "me", address)
        with pytest.raises(RequestRejected, match="read-only"):
            session.queues.send("x", "y")
    assert profiles.names() == ["lesson"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no profile lesson in .*; there are: none"),
        ("[lesson]\ntoken = 'secret'\n", "the profile lesson holds a token: name its place by token_env"),
        ("[lesson]\ncolour = 'red'\n", "the profile lesson has colour; there may be address"),
        ("[lesson]\ninsecure = 'yes'\n", "insecure of the profile lesson is bool"),
        ("lesson = 5\n", "is no table"),
        ("[lesson", "cannot be read"),
    ],
)
def test_a_wrong_profile_is_told_without_its_secret(written, text, told):
    written(text)

    with pytest.raises(ValueError, match=told) as caught:
        kubemq_nb.connect(profile="lesson")

    assert "secret" not in str(caught.value)


@pytest.mark.embedded_only
def test_a_channel_is_made_listed_and_deleted(session, channel):
    made = session.channels.create("queues", channel)
    session.queues.send(channel, "x")
    deleted = session.channels.delete("queues", channel)

    assert made["channel"].tolist() == [channel]
    assert len(deleted) == 0
    assert channel not in session.channels.list("queues")["channel"].tolist()


@pytest.mark.embedded_only
def test_a_wrong_channel_is_refused_with_the_brokers_reason(session, channel):
    with pytest.raises(RequestRejected, match=f"refuses delete-channel of {channel}: there is no channel"):
        session.channels.delete("queues", channel)


def test_a_server_without_channel_management_says_so(session, channel):
    session.channels._answers = False

    with pytest.raises(NotSupported, match="has no channel management"):
        session.channels.create("queues", channel)


@pytest.mark.rows("M-26")
@pytest.mark.embedded_only
def test_stats_tell_counts_sequences_and_activity():
    with kubemq_nb.connect(name="stats") as session:
        session.queues.send("both", rows=["a", "b"])
        session.queues.receive("both", count=1)
        session.events_store.send("both", rows=["a", "b", "c"])
        session.events_store.send("other", "x")

        told = session.stats("both").set_index("kind")

    assert sorted(told.index) == ["events_store", "queues"]
    columns = ["first_sequence", "last_sequence"]
    assert told.loc["events_store", columns].tolist() == [1, 3]
    assert told.loc["queues", "waiting"] == 1
    assert told.loc["queues", "last_sequence"] == 2
    assert told["last_activity"].notna().all()


def test_many_commands_run_in_order_and_give_their_results(session, channel):
    variables = {"body": {"n": 1}}

    results = session.run(
        f"""
        # a lesson
        queues send {channel} {{{{body}}}}
        %kubemq queues peek {channel} -o seen
        """,
        variables,
    )

    assert len(results) == 2
    assert variables["seen"]["decoded"].tolist() == [{"n": 1}]


def test_the_first_error_ends_many_commands_and_names_its_line(session, channel):
    with pytest.raises(UsageError) as caught:
        session.run(f"queues send {channel} one\nqueues sned {channel} two\nqueues send {channel} three")

    assert "(in line 2: queues sned kubemq-nb-test." in str(caught.value)
    assert session.queues.peek(channel)["body"].tolist() == [b"one"]
