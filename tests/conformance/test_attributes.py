from datetime import UTC, datetime, timedelta
from hashlib import md5

import pandas as pd
import pytest

from tests.conformance.support import eventually


@pytest.fixture
def received(session, channel):
    """One message sent and received: what the sender was told, and its row."""

    def received(body="x", **fields):
        result = session.queues.send(channel, body, **fields)
        return result, session.queues.receive(channel, wait=10).iloc[0]

    return received


@pytest.mark.rows("A-01")
def test_timestamp_is_the_aware_time_of_storing(received):
    result, row = received()

    assert str(row.timestamp.tz) == "UTC"
    assert abs(row.timestamp - result.sent_at) < timedelta(seconds=5)
    assert abs(row.timestamp - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.rows("A-02")
def test_sequence_counts_the_messages_of_a_queue_from_one(session, channel, fill):
    fill(3)

    received = session.queues.receive(channel)

    assert str(received["sequence"].dtype) == "int64"
    assert list(received["sequence"]) == [1, 2, 3]


@pytest.mark.rows("A-03")
def test_md5_of_body_is_that_of_the_body(received):
    _, row = received(b"some body")

    assert row.md5_of_body == md5(b"some body").hexdigest()


@pytest.mark.rows("A-04")
def test_receive_count_grows_by_a_reject_and_not_by_a_peek(session, channel, fill):
    fill(1)
    session.queues.peek(channel)
    with session.queues.transaction(channel) as held:
        first = held.message.receive_count
        held.reject()

    again = session.queues.receive(channel, wait=5)

    assert (first, list(again["receive_count"])) == (1, [2])


@pytest.fixture
def dead(session, channel):
    """A message after its one receive count, in the dead-letter queue."""
    session.queues.send(channel, "bad", max_receive_count=1, dead_letter=f"{channel}.dead")
    with session.queues.transaction(channel) as held:
        held.reject()
    return eventually(lambda: _first(session.queues.receive(f"{channel}.dead")))


def _first(frame):
    return frame.iloc[0].to_dict() if len(frame) else None


@pytest.mark.rows("A-05")
def test_rerouted_says_whether_a_message_was_dead_lettered(received, dead):
    _, row = received()

    assert row.rerouted is False or not row.rerouted
    assert dead["rerouted"]


@pytest.mark.rows("A-06")
def test_rerouted_from_is_the_queue_that_gave_it_up(received, dead, channel):
    _, row = received()

    assert row.rerouted_from is None
    assert dead["rerouted_from"] == channel


@pytest.mark.rows("A-07")
def test_expiration_at_is_when_it_will_be_gone_or_missing(session, channel):
    result = session.queues.send(channel, "x", expiration=60)
    session.queues.send(channel, "y")

    expiring, other = session.queues.receive(channel)["expiration_at"]

    assert abs(expiring - result.sent_at - timedelta(seconds=60)) < timedelta(seconds=2)
    assert other is pd.NaT


@pytest.mark.rows("A-08")
def test_delayed_to_is_told_to_the_sender_and_missing_on_delivery(received):
    result, row = received(delay=1)

    assert abs(result.delayed_to - result.sent_at - timedelta(seconds=1)) < timedelta(seconds=1)
    assert row.delayed_to is pd.NaT
