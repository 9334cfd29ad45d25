"""Queues between an official client and ours: what one side sends, the other reads, whatever the policy."""

import pytest

from tests.official.exchange import MESSAGE, bodies, fields, rows, said, sendable, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

POLICY = {"expiration": 600, "max_receive_count": 3, "dead_letter": "kubemq-nb-test.official.dead"}


@pytest.mark.rows("C-07", "C-08", "C-09", "C-10", "C-11", "M-51")
def test_what_they_send_we_receive(theirs, ours, channel):
    result = theirs.send_queue(**sendable(theirs, channel=channel, **MESSAGE, **POLICY))

    (row,) = rows(ours.queues.receive(channel, count=1))

    assert (result["id"], result["error"]) == (MESSAGE["id"], "")
    assert fields(row) == said(theirs, channel=channel, **MESSAGE)
    assert fields(row, *POLICY) == POLICY
    assert row["client_id"] == "theirs"
    assert row["expiration_at"].timestamp() == pytest.approx(result["expiration_at"], abs=1e-3)


@pytest.mark.rows("M-51")
def test_what_we_send_they_receive(theirs, ours, channel):
    result = ours.queues.send(channel, **MESSAGE, **POLICY)

    (message,) = theirs.receive(channel=channel, count=1, wait=5)

    assert result.id == MESSAGE["id"]
    assert fields(message) == MESSAGE | {"channel": channel}
    assert fields(message, "client_id", "sequence", "receive_count") == {
        "client_id": "ours",
        "sequence": 1,
        "receive_count": 1,
    }


def test_an_id_that_they_leave_to_the_broker_or_sdk_is_the_one_that_arrives(theirs, ours, channel):
    result = theirs.send_queue(channel=channel, body=b"x")

    assert result["id"]
    assert ours.queues.receive(channel, count=1)["id"].tolist() == [result["id"]]


def test_their_batch_arrives_in_order(theirs, ours, channel):
    batch = [{"channel": channel, "id": f"id {n}", "body": b"%d" % n} for n in range(50)]

    results = theirs.send_batch(messages=batch)

    assert [result["id"] for result in results] == [message["id"] for message in batch]
    assert bodies(ours.queues.receive(channel, count=50)) == bodies(batch)


def test_our_batch_arrives_in_order(theirs, ours, channel):
    batch = [{"body": b"%d" % n} for n in range(50)]

    ours.queues.send(channel, rows=batch)

    assert bodies(theirs.receive(channel=channel, count=50, wait=5)) == bodies(batch)


def test_one_refused_message_of_their_batch_does_not_stop_the_others(theirs, ours, channel):
    good = {"channel": channel, "body": b"good"}
    refused = {"channel": channel, "body": b"refused", "expiration": 50_000}

    results = theirs.send_batch(messages=[good, refused, good])

    assert [result["error"] for result in results] == ["", EXPIRATION_TOO_LONG, ""]
    assert bodies(ours.queues.receive(channel, count=2)) == [b"good", b"good"]


EXPIRATION_TOO_LONG = (
    "Error 133: invalid expiration seconds, exceed max expiration seconds setting in kubemq config"
)


@pytest.mark.rows("Q-07")
def test_a_peek_of_either_side_leaves_the_message_for_the_other(theirs, ours, channel):
    ours.queues.send(channel, "ours")
    theirs.send_queue(channel=channel, body=b"theirs")

    peeked = theirs.peek(channel=channel, count=2, wait=1)

    assert bodies(peeked) == bodies(ours.queues.peek(channel, count=2)) == [b"ours", b"theirs"]
    assert [message["receive_count"] for message in peeked] == [1, 1]
    assert bodies(theirs.receive(channel=channel, count=2, wait=1)) == [b"ours", b"theirs"]


@pytest.mark.rows("Q-14")
def test_either_side_acknowledges_all_that_the_other_sent(theirs, ours, channel):
    ours.queues.send(channel, rows=["a", "b", "c"])
    counted_by_them = theirs.ack_all(channel=channel, wait=1)
    theirs.send_batch(messages=[{"channel": channel, "body": b"d"}, {"channel": channel, "body": b"e"}])
    counted_by_us = ours.queues.ack_all(channel)

    assert (counted_by_them, counted_by_us) == (3, 2)
    assert ours.queues.peek(channel, wait=0).empty


@pytest.mark.rows("Q-12")
def test_what_one_side_delays_reaches_the_other_after_what_was_sent_later(theirs, ours, channel):
    ours_to_them, theirs_to_us = f"{channel}.out", f"{channel}.in"
    delayed_by_them = theirs.send_queue(channel=theirs_to_us, body=b"first", delay=1, expiration=60)
    delayed_by_us = ours.queues.send(ours_to_them, "first", delay=1, expiration=60)
    theirs.send_queue(channel=theirs_to_us, body=b"second")
    ours.queues.send(ours_to_them, "second")

    reading = theirs.start("receive", channel=ours_to_them, count=2, wait=10)
    arrived = [bodies(ours.queues.receive(theirs_to_us, count=1, wait=10)) for _ in range(2)]

    assert arrived == [[b"second"], [b"first"]]
    assert bodies(reading.result(20)) == [b"second", b"first"]
    assert delayed_by_them["expiration_at"] - delayed_by_them["delayed_to"] == pytest.approx(60, abs=1e-3)
    assert (delayed_by_us.expiration_at - delayed_by_us.delayed_to).total_seconds() == 60


@pytest.mark.rows("Q-11")
def test_what_either_side_lets_expire_neither_receives(theirs, ours, channel):
    theirs.send_queue(channel=channel, body=b"theirs", expiration=1)
    ours.queues.send(channel, "ours", expiration=1)

    wait_until(lambda: ours.queues.peek(channel, wait=0).empty)
    ours.queues.send(channel, "stays")

    assert bodies(theirs.receive(channel=channel, count=1, wait=5)) == [b"stays"]


@pytest.mark.rows("Q-13")
def test_what_they_reject_too_often_we_find_in_the_dead_letter_queue(theirs, ours, channel):
    ours.queues.send(channel, **MESSAGE, max_receive_count=2, dead_letter=f"{channel}.dead")

    for receive_count in (1, 2):
        held = theirs.hold(channel=channel, wait=5)
        (message,) = held["messages"]
        assert message["receive_count"] == receive_count
        theirs.settle(held=held["held"], how="reject", sequence=message["sequence"])

    (row,) = rows(ours.queues.receive(f"{channel}.dead", count=1))
    assert fields(row) == MESSAGE | {"channel": f"{channel}.dead"}
    assert fields(row, "rerouted", "rerouted_from", "receive_count", "max_receive_count") == {
        "rerouted": True,
        "rerouted_from": channel,
        "receive_count": 1,
        "max_receive_count": 0,
    }


@pytest.mark.rows("Q-13")
def test_what_we_reject_too_often_they_find_in_the_dead_letter_queue(theirs, ours, channel):
    dead = f"{channel}.dead"
    theirs.send_queue(**sendable(theirs, channel=channel, **MESSAGE, max_receive_count=2, dead_letter=dead))

    for _ in range(2):
        with ours.queues.transaction(channel) as transaction:
            transaction.reject()

    (message,) = theirs.receive(channel=dead, count=1, wait=5)
    assert fields(message) == said(theirs, channel=dead, **MESSAGE)
    assert message["rerouted_from"] == channel
