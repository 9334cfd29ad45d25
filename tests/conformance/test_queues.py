import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pandas as pd
import pytest

from kubemq_nb import frames
from kubemq_nb.errors import InvalidMessage, RequestRejected
from tests.conformance.support import PATIENCE, interrupted, pass_time


def bodies(frame):
    return [body.decode() for body in frame["body"]]


@pytest.mark.rows("Q-01")
def test_a_hundred_are_received_in_the_order_of_their_sending(session, channel, fill):
    sent = fill(100)

    assert bodies(session.queues.receive(channel, count=100)) == sent
    assert session.queues.peek(channel, wait=0).empty


@pytest.mark.rows("Q-02")
def test_four_receivers_at_once_get_each_message_exactly_once(session, channel):
    result = session.queues.send(channel, rows=[f"m{number}" for number in range(1000)])

    def receive(_):
        got = []
        while len(frame := session.queues.receive(channel, count=50)):
            got += list(frame["id"])
        return got

    with ThreadPoolExecutor(4) as threads:
        received = [id for ids in threads.map(receive, range(4)) for id in ids]

    assert len(received) == 1000
    assert set(received) == set(result["id"])


@pytest.mark.rows("Q-03")
@pytest.mark.embedded_only
def test_messages_survive_the_death_of_the_broker(own, channel):
    sent = own.queues.send(channel, rows=[f"m{number}" for number in range(100)])

    os.kill(int(own.broker.start()["pid"][0]), signal.SIGKILL)
    own.broker.restart()

    received = own.queues.receive(channel, count=200, wait=10)
    assert list(received["id"]) == list(sent["id"])


@pytest.mark.rows("Q-04")
def test_a_send_tells_id_and_times(session, channel):
    before = pd.Timestamp.now(tz="UTC") - timedelta(seconds=5)

    result = session.queues.send(channel, "x", expiration=60, delay=5)

    assert result.id
    assert (result.sent, result.is_error, result.error) == (True, False, "")
    assert before < result.sent_at < before + timedelta(minutes=1)
    assert abs(result.delayed_to - result.sent_at - timedelta(seconds=5)) < timedelta(seconds=1)
    assert abs(result.expiration_at - result.delayed_to - timedelta(seconds=60)) < timedelta(seconds=1)


@pytest.mark.rows("Q-05", "M-20")
def test_a_batch_has_one_result_a_message_and_a_bad_one_does_not_stop_the_others(session, channel):
    rows = [{"body": f"m{n}", "id": f"id-{n}"} for n in range(10)]
    rows[4]["body"] = b""

    result = session.queues.send(channel, rows=rows)

    assert list(result["id"]) == [f"id-{n}" for n in range(10)]
    assert list(result["sent"]) == [n != 4 for n in range(10)]
    assert "110" in result["error"][4]
    assert (result.attrs["count"], result.attrs["refused"]) == (10, 1)
    received = session.queues.receive(channel, count=20)
    assert list(received["id"]) == [f"id-{n}" for n in range(10) if n != 4]


@pytest.mark.rows("Q-06")
def test_receive_takes_32_at_a_time_and_they_are_gone(session, channel, fill):
    sent = fill(40)

    first = session.queues.receive(channel)
    second = session.queues.receive(channel)

    assert bodies(first) == sent[:32]
    assert bodies(second) == sent[32:]
    assert session.queues.receive(channel).empty


@pytest.mark.rows("Q-07")
def test_peek_leaves_messages_in_the_queue(session, channel, fill):
    sent = fill(5)

    peeks = [session.queues.peek(channel) for _ in range(2)]
    received = session.queues.receive(channel)

    assert bodies(peeks[0]) == bodies(peeks[1]) == bodies(received) == sent
    assert list(peeks[0]["id"]) == list(peeks[1]["id"]) == list(received["id"])


@pytest.mark.rows("Q-08")
def test_a_peek_shows_as_many_as_it_is_asked_for(session, channel, fill):
    sent = fill(40)

    assert len(session.queues.peek(channel)) == 32
    assert bodies(session.queues.peek(channel, count=3)) == sent[:3]
    assert bodies(session.queues.peek(channel, count=40)) == sent


@pytest.mark.rows("Q-09")
@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("verb", ["peek", "receive"])
def test_a_message_that_comes_ends_a_long_wait(session, channel, count, verb):
    sender = threading.Timer(0.5, session.queues.send, (channel, "late"))
    sender.start()
    began = time.monotonic()

    got = getattr(session.queues, verb)(channel, count=count, wait=60)

    assert bodies(got) == ["late"]
    assert time.monotonic() - began < 30
    sender.join()


@pytest.mark.rows("Q-09", "M-15")
@pytest.mark.parametrize("verb", ["peek", "receive"])
def test_an_empty_queue_is_an_empty_frame_with_columns(session, channel, verb):
    got = getattr(session.queues, verb)(channel, wait=1)

    assert got.empty
    assert dict(got.dtypes.astype(str)) == frames.COLUMNS["queues"]


@pytest.mark.rows("Q-10")
def test_the_frame_tells_how_it_was_read(session, channel, fill):
    fill(3)

    peeked = session.queues.peek(channel).attrs
    received = session.queues.receive(channel).attrs

    assert (peeked["count"], peeked["is_peek"], peeked["messages_expired"]) == (3, True, 0)
    assert (received["count"], received["is_peek"], received["messages_expired"]) == (3, False, None)
    assert peeked["channel"] == received["channel"] == channel
    assert peeked["complete"]
    assert received["complete"]


@pytest.mark.embedded_only
def test_a_peek_tells_what_it_cannot_show(session, channel, fill):
    fill(2)
    with session.queues.transaction(channel):
        session.queues.send(channel, rows=["later", "too"], delay=600)

        beside = session.queues.peek(channel).attrs
        session.queues.receive(channel)
        alone = session.queues.peek(channel, wait=0).attrs

    assert (beside["count"], beside["delayed"], beside["held"]) == (1, 2, 1)
    assert (alone["count"], alone["delayed"], alone["held"]) == (0, 2, 1)


@pytest.mark.rows("Q-10")
def test_a_peek_of_much_shows_what_is_enough_for_a_look_and_says_that_it_is_cut(session, channel):
    session.queues.send(channel, rows=[bytes(1_500_000)] * 4)

    peeked = session.queues.peek(channel)

    assert 0 < len(peeked) < 4
    assert not peeked.attrs["complete"]


@pytest.mark.rows("Q-11")
def test_an_expired_message_is_gone_and_counted_by_the_peek_that_finds_it(session, channel):
    session.queues.send(channel, "short-lived", expiration=1)
    session.queues.send(channel, "stays")

    pass_time(1.5)
    peeked = session.queues.peek(channel)

    assert bodies(peeked) == ["stays"]
    assert peeked.attrs["messages_expired"] == 1
    assert bodies(session.queues.receive(channel)) == ["stays"]


@pytest.mark.rows("Q-12")
def test_a_delayed_message_is_seen_when_its_time_has_come(session, channel):
    result = session.queues.send(channel, "later", delay=2)

    early = session.queues.peek(channel, wait=0)
    received = session.queues.receive(channel, wait=30)

    assert early.empty
    assert bodies(received) == ["later"]
    assert abs(result.delayed_to - result.sent_at - timedelta(seconds=2)) < timedelta(seconds=1)
    assert received["timestamp"][0] >= result.delayed_to - timedelta(milliseconds=100)


@pytest.mark.rows("Q-13")
def test_a_message_rejected_too_often_lands_in_the_dead_letter_queue_with_its_origin(session, channel):
    dead = f"{channel}.dead"
    sent = session.queues.send(channel, "bad", tags={"k": "v"}, max_receive_count=2, dead_letter=dead)

    for count in (1, 2):
        with session.queues.transaction(channel) as held:
            assert held.message.receive_count == count
            held.reject()

    (row,) = session.queues.receive(dead, wait=5).to_dict("records")
    assert (row["id"], row["rerouted"], row["rerouted_from"]) == (sent.id, True, channel)
    assert (row["receive_count"], row["tags"], row["body"]) == (1, {"k": "v"}, b"bad")
    assert session.queues.peek(channel, wait=0).empty


@pytest.mark.rows("Q-14")
def test_ack_all_removes_all_and_tells_how_many(session, channel, fill):
    fill(7)

    assert session.queues.ack_all(channel) == 7
    assert session.queues.peek(channel, wait=0).empty


@pytest.mark.rows("Q-15")
def test_a_queue_at_hand_has_defaults_that_a_call_overrides(session, channel):
    queue = session.queues.named(channel, client_id="reader", count=2, wait=0)
    queue.send(rows=["a", "b", "c"])
    queue.send("d", client_id="somebody")

    assert bodies(queue.peek()) == ["a", "b"]
    assert len(queue.peek(count=4)) == 4
    assert list(queue.receive(count=4)["client_id"]) == ["reader"] * 3 + ["somebody"]
    assert queue.receive(wait=1).empty
    assert queue.transaction(wait=1).empty
    assert queue.ack_all() == 0


@pytest.mark.rows("Q-16", "M-07")
def test_a_message_carries_all_that_its_sender_says(session, channel):
    dead = f"{channel}.dead"

    session.queues.send(
        channel,
        {"n": 1},
        id="full",
        metadata="note",
        tags={"k": "v"},
        expiration=timedelta(minutes=5),
        max_receive_count=3,
        dead_letter=dead,
    )

    (row,) = session.queues.receive(channel).to_dict("records")
    assert (row["id"], row["metadata"], row["tags"], row["decoded"]) == ("full", "note", {"k": "v"}, {"n": 1})
    assert (row["expiration"], row["max_receive_count"], row["dead_letter"]) == (300, 3, dead)


@pytest.mark.rows("Q-16")
@pytest.mark.parametrize(
    "policy",
    [
        {"expiration": -1},
        {"delay": -1},
        {"delay": 0.5},
        {"expiration": 43_201},
        {"delay": 43_201},
        {"max_receive_count": -1, "dead_letter": "kubemq-nb-test.dead"},
        {"max_receive_count": 1025, "dead_letter": "kubemq-nb-test.dead"},
        {"max_receive_count": 3},
        {"max_receive_count": 3, "dead_letter": "a b"},
    ],
    ids=str,
)
def test_an_invalid_policy_is_refused_before_sending(session, channel, policy):
    with pytest.raises(RequestRejected, match=r"[Nn]othing was sent"):
        session.queues.send(channel, "x", **policy)

    assert session.queues.peek(channel, wait=0).empty


@pytest.mark.rows("M-33")
def test_a_frame_that_was_received_sends_again_byte_for_byte(session, channel):
    session.queues.send(channel, bytes(range(256)), metadata="ü", tags={"k": "v"}, id="a", expiration=600)
    session.queues.send(channel, {"n": 1}, id="b")
    first = session.queues.receive(channel)

    session.queues.send(f"{channel}.again", rows=first)

    second = session.queues.receive(f"{channel}.again")
    kept = ["id", "metadata", "body", "tags", "expiration", "max_receive_count", "dead_letter", "md5_of_body"]
    pd.testing.assert_frame_equal(first[kept], second[kept])


def test_one_message_and_rows_are_not_sent_together(session, channel):
    with pytest.raises(TypeError, match="one message, or rows"):
        session.queues.send(channel, "x", rows=["y"])
    with pytest.raises(TypeError, match="give it as rows"):
        session.queues.send(channel, pd.DataFrame({"a": [1]}))


def test_options_of_the_call_are_those_of_each_row_that_has_none(session, channel):
    rows = [{"body": "a"}, {"body": "b", "metadata": "own", "tags": {"own": "1"}}]

    session.queues.send(channel, rows=rows, metadata="common", tags={"common": "1"})

    received = session.queues.receive(channel)
    assert list(received["metadata"]) == ["common", "own"]
    assert list(received["tags"]) == [{"common": "1"}, {"own": "1"}]


@pytest.mark.parametrize("count", [0, -1, 1025])
def test_a_count_out_of_bounds_is_refused(session, channel, count):
    with pytest.raises(RequestRejected, match=r"1,024|1024|count"):
        session.queues.peek(channel, count=count)


def test_an_interrupted_receive_gives_back_what_it_had(session, channel):
    with interrupted():
        session.queues.receive(channel, wait=60)

    session.queues.send(channel, "not lost")
    assert bodies(session.queues.receive(channel, wait=PATIENCE)) == ["not lost"]


def test_a_delay_given_as_a_fraction_is_refused_rather_than_rounded(session, channel):
    with pytest.raises(InvalidMessage, match=r"delay is whole seconds, not 0\.5: nothing was sent"):
        session.queues.send(channel, "x", delay=0.5)
