"""Transactions of official clients and ours on the same queues."""

import pytest

from tests.official.exchange import MESSAGE, bodies, fields, rows, said, sendable

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

OLD_STREAM = pytest.mark.parametrize("theirs", ["kubemq 2.3.0", "kubemq-js 1.2.3"], indirect=True)


@pytest.mark.rows("T-02", "T-03", "M-51")
def test_what_they_hold_we_do_not_see_and_their_ack_removes_it(theirs, ours, channel):
    ours.queues.send(channel, rows=["held", "next"])

    held = theirs.hold(channel=channel, wait=5)
    seen_meanwhile = ours.queues.receive(channel, count=1)
    theirs.settle(held=held["held"], how="ack", sequence=held["messages"][0]["sequence"])
    theirs.send_queue(channel=channel, body=b"last")

    assert bodies(held["messages"]) == [b"held"]
    assert bodies(seen_meanwhile) == [b"next"]
    assert bodies(ours.queues.receive(channel, count=1)) == [b"last"]


def test_what_we_hold_they_do_not_see_and_our_ack_removes_it(theirs, ours, channel):
    theirs.send_batch(messages=[{"channel": channel, "body": body} for body in (b"held", b"next")])

    with ours.queues.transaction(channel) as transaction:
        seen_meanwhile = theirs.receive(channel=channel, count=1, wait=5)
        transaction.ack()
    ours.queues.send(channel, "last")

    assert bodies(transaction.df) == [b"held"]
    assert bodies(seen_meanwhile) == [b"next"]
    assert bodies(theirs.receive(channel=channel, count=1, wait=5)) == [b"last"]


@pytest.mark.rows("T-04")
def test_what_they_reject_we_receive_with_a_higher_count(theirs, ours, channel):
    ours.queues.send(channel, **MESSAGE)

    held = theirs.hold(channel=channel, wait=5)
    theirs.settle(held=held["held"], how="reject", sequence=held["messages"][0]["sequence"])

    (row,) = rows(ours.queues.receive(channel, count=1, wait=5))
    assert fields(row) == MESSAGE | {"channel": channel}
    assert (row["receive_count"], row["sequence"]) == (2, 2)


def test_what_we_reject_they_receive_with_a_higher_count(theirs, ours, channel):
    theirs.send_queue(**sendable(theirs, channel=channel, **MESSAGE))

    with ours.queues.transaction(channel) as transaction:
        transaction.reject()

    (message,) = theirs.receive(channel=channel, count=1, wait=5)
    assert fields(message) == said(theirs, channel=channel, **MESSAGE)
    assert (message["receive_count"], message["sequence"]) == (2, 2)


@pytest.mark.rows("T-07")
def test_what_they_send_on_to_another_queue_we_receive_there(theirs, ours, channel):
    ours.queues.send(channel, **MESSAGE)

    held = theirs.hold(channel=channel, wait=5)
    how = "requeue" if theirs.name == "kubemq 4.1.5" else "resend"
    theirs.settle(held=held["held"], how=how, to=f"{channel}.other")

    (row,) = rows(ours.queues.receive(f"{channel}.other", count=1, wait=5))
    assert fields(row) == MESSAGE | {"channel": f"{channel}.other"}
    assert fields(row, "receive_count", "client_id", "rerouted") == {
        "receive_count": 1,
        "client_id": "ours",
        "rerouted": False,
    }
    assert ours.queues.peek(channel, wait=0).empty


def test_what_we_send_on_to_another_queue_they_receive_there(theirs, ours, channel):
    theirs.send_queue(**sendable(theirs, channel=channel, **MESSAGE))

    with ours.queues.transaction(channel) as transaction:
        transaction.resend(f"{channel}.other")

    (message,) = theirs.receive(channel=f"{channel}.other", count=1, wait=5)
    assert fields(message) == said(theirs, channel=f"{channel}.other", **MESSAGE)
    assert theirs.peek(channel=channel, count=1, wait=1) == []


@OLD_STREAM
@pytest.mark.rows("T-08")
def test_what_they_modify_we_receive_modified(theirs, ours, channel):
    ours.queues.send(channel, "before")

    held = theirs.hold(channel=channel, wait=5)
    changed = {"channel": f"{channel}.other", "body": b"after", "metadata": "changed"}
    theirs.settle(held=held["held"], how="modify", message=changed)

    (row,) = rows(ours.queues.receive(f"{channel}.other", count=1, wait=5))
    assert fields(row, "body", "metadata", "channel") == changed
    assert ours.queues.peek(channel, wait=0).empty


@OLD_STREAM
@pytest.mark.rows("T-05", "T-06")
def test_what_they_extend_stays_hidden_when_what_they_do_not_extend_has_come_back(theirs, ours, channel):
    ours.queues.send(channel, rows=["extended", "not extended"])

    extended = theirs.hold(channel=channel, wait=5, visibility=2)
    theirs.settle(held=extended["held"], how="extend", visibility=60)
    theirs.hold(channel=channel, wait=5, visibility=2)

    (row,) = rows(ours.queues.receive(channel, count=1, wait=15))
    assert fields(row, "body", "receive_count") == {"body": b"not extended", "receive_count": 2}
    sequence = extended["messages"][0]["sequence"]
    theirs.settle(held=extended["held"], how="ack", sequence=sequence)
    assert ours.queues.peek(channel, wait=0).empty


@pytest.mark.rows("T-11")
@pytest.mark.parametrize(
    ("name", "receive_count"), [("kubemq 4.1.5", 1), ("kubemq 2.3.0", 2), ("kubemq-js 1.2.3", 2)]
)
def test_what_a_vanished_client_held_comes_back_to_us(
    name, receive_count, official_clients, broker, ours, channel
):
    """The older stream counts a disconnect as a delivery, the newer does not: as on a KubeMQ server."""
    ours.queues.send(channel, **MESSAGE)
    passing = official_clients(name, broker, "passing")
    passing.hold(channel=channel, wait=5)

    passing.close()

    (row,) = rows(ours.queues.receive(channel, count=1, wait=10))
    assert fields(row) == MESSAGE | {"channel": channel}
    assert row["receive_count"] == receive_count


@pytest.mark.rows("T-13")
def test_they_settle_each_message_of_one_poll_in_its_own_way(newest, ours, channel):
    ours.queues.send(channel, rows=["ack", "reject", "requeue", "none"])

    held = newest.hold(channel=channel, count=4, wait=5)
    settle = {message["body"]: message["sequence"] for message in held["messages"]}
    newest.settle(held=held["held"], how="ack", sequence=settle[b"ack"])
    newest.settle(held=held["held"], how="requeue", sequence=settle[b"requeue"], to=f"{channel}.other")
    newest.settle(held=held["held"], how="reject", sequence=settle[b"reject"])
    newest.settle(held=held["held"], how="close")

    assert bodies(ours.queues.receive(f"{channel}.other", count=1, wait=5)) == [b"requeue"]
    came_back = rows(ours.queues.receive(channel, count=2, wait=5))
    assert [(row["body"], row["receive_count"]) for row in came_back] == [(b"none", 1), (b"reject", 2)]


@pytest.mark.parametrize(
    ("how", "left"), [("ack", []), ("reject", [b"a", b"b", b"c"]), ("close", [b"a", b"b", b"c"])]
)
def test_they_settle_all_messages_of_one_poll(newest, ours, channel, how, left):
    ours.queues.send(channel, rows=["a", "b", "c"])

    held = newest.hold(channel=channel, count=3, wait=5)
    newest.settle(held=held["held"], how=how)
    came_back = newest.hold(channel=channel, count=3, wait=1)

    assert bodies(held["messages"]) == [b"a", b"b", b"c"]
    assert bodies(came_back["messages"]) == left


def test_what_they_acknowledge_on_arrival_is_gone(newest, ours, channel):
    ours.queues.send(channel, rows=["a", "b"])

    held = newest.hold(channel=channel, count=2, wait=5, auto_ack=True)

    assert bodies(held["messages"]) == [b"a", b"b"]
    assert ours.queues.peek(channel, wait=0).empty
