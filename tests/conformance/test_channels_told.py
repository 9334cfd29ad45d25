"""What is told of channels, by a server that tells all and by one that tells only its queues."""

from datetime import timedelta

import grpc
import pandas as pd
import pytest

import kubemq_nb
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.errors import NotSupported
from tests.conformance.strange_server import StrangeServer

NOT_TOLD = ["messages", "waiting", "delayed", "first_sequence", "last_sequence", "bytes"]


def no_responder(_request, context):
    context.abort(grpc.StatusCode.INTERNAL, "Error 301: timeout for request message")


def refused(_request, context):
    context.abort(grpc.StatusCode.INTERNAL, "Error 310: no such channel")


def counts(_request, _context):
    orders = pb.QueueInfo(
        Name="orders", Messages=5, Bytes=120, FirstSequence=3, LastSequence=7, Sent=7, Delivered=2, Waiting=4
    )
    empty = pb.QueueInfo(Name="empty")
    return pb.QueuesInfoResponse(Info=pb.QueuesInfo(TotalQueue=2, Queues=[orders, empty]))


@pytest.fixture(params=[no_responder, refused, None], ids=["no responder", "refused", "no requests at all"])
def plain(request):
    """A session on a server that has no management of channels, but counts its queues."""
    server = StrangeServer()
    server.on("QueuesInfo", counts)
    server.on("SendEvent", lambda *_: pb.Result(EventID="1", Sent=True))
    if request.param:
        server.on("SendRequest", request.param)
    with kubemq_nb.connect(server.address, name="plain") as session:
        yield session
    server.stop()


@pytest.mark.parametrize("ask", ["list", "stats"])
def test_a_server_that_tells_its_queues_alone_is_asked_for_them_and_the_rest_is_missing(plain, ask):
    plain.events.send("gates", "x")

    told = getattr(plain.channels, ask)()

    assert list(zip(told["channel"], told["kind"], strict=True)) == [
        ("gates", "events"),
        ("empty", "queues"),
        ("orders", "queues"),
    ]
    gates, empty, orders = (row for _, row in told.iterrows())
    known = ["messages", "waiting", "first_sequence", "last_sequence", "bytes"]
    assert orders[known].tolist() == [5, 4, 3, 7, 120]
    assert empty[known].tolist() == [0, 0, 0, 0, 0]
    assert gates[NOT_TOLD].isna().all()
    assert pd.isna(orders["delayed"])
    assert pd.isna(orders["last_activity"])
    assert gates["last_activity"] > pd.Timestamp.now("UTC") - timedelta(minutes=1)
    assert told.attrs["complete"] is False
    assert told.attrs["note"].startswith("This server tells only its queues")


def test_queues_alone_are_told_in_full(plain):
    assert plain.channels.list("queues").attrs["complete"] is True
    assert plain.stats("orders")["waiting"].tolist() == [4]


def test_channels_of_such_a_server_are_not_managed(plain):
    with pytest.raises(NotSupported, match="has no channel management"):
        plain.channels.create("queues", "orders")


@pytest.mark.embedded_only
def test_the_embedded_broker_tells_all(session, channel):
    session.queues.send(channel, rows=["a", "b", "c"])
    session.queues.send(channel, "later", delay=3600)
    session.queues.receive(channel, count=1)
    session.events_store.send(channel, rows=["x", "y"])
    session.events.send(channel, "z")

    with session.queues.transaction(channel):
        (figures,) = (each for each in session.channels.figures("queues") if each.channel == channel)
        told = session.channels.list(filter=channel).set_index("kind")

    assert (figures.messages, figures.waiting, figures.delayed, figures.held) == (2, 1, 1, 1)
    assert told.index.tolist() == ["events", "events_store", "queues"]
    queue = told.loc["queues"]
    assert queue[["messages", "waiting", "delayed"]].tolist() == [2, 1, 1]
    assert queue[["first_sequence", "last_sequence"]].tolist() == [2, 3]
    assert told.loc["events_store", "messages"] == 2
    assert told["last_activity"].notna().all()
    assert told.attrs["complete"] is True


@pytest.mark.rows("M-26")
@pytest.mark.embedded_only
def test_a_session_that_did_not_start_the_broker_is_told_the_sequences_of_stored_events(other, channel):
    other.events_store.send(channel, rows=["x", "y", "z"])

    told = other.stats(channel)

    assert not other.embedded
    assert told[["first_sequence", "last_sequence"]].to_numpy().tolist() == [[1, 3]]
    assert told.attrs["note"] == ""


@pytest.mark.rows("M-26")
def test_a_server_that_does_not_tell_the_sequences_of_stored_events_is_said_not_to(plain):
    plain.events_store.send("audit", "x")

    told = plain.stats()

    audit = told.set_index("channel").loc["audit"]
    assert audit[["first_sequence", "last_sequence"]].isna().all()
    assert "does not tell sequences of stored events" in told.attrs["note"]


@pytest.mark.embedded_only
def test_a_queue_that_was_only_looked_for_is_none(session, channel):
    session.queues.peek(channel, wait=0)

    assert session.channels.list(filter=channel)["channel"].tolist() == []
    session.queues.send(channel, "x")
    assert session.channels.list(filter=channel)["channel"].tolist() == [channel]
