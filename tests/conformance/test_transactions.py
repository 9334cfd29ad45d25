import threading

import pytest

from kubemq_nb.errors import NotSupported, TransactionClosed
from kubemq_nb.messages import Settlement
from tests.conformance.support import PATIENCE, eventually, interrupted, pass_time


def bodies(frame):
    return [body.decode() for body in frame["body"]]


@pytest.fixture
def hold(session, channel):
    """Opens a transaction on the test's queue."""

    def hold(**options):
        return session.queues.transaction(channel, **{"wait": 5} | options)

    return hold


@pytest.fixture
def rest(session, channel):
    """What others see in the test's queue."""
    return lambda: bodies(session.queues.peek(channel, wait=0))


@pytest.mark.rows("T-01")
def test_a_transaction_holds_one_message(hold, session, channel):
    sent = session.queues.send(channel, "held", metadata="m", tags={"k": "v"})

    with hold(visibility=30) as transaction:
        message = transaction.message

        assert (message.id, message.body, message.metadata) == (sent.id, b"held", "m")
        assert dict(message.tags) == {"k": "v"}
        assert (transaction.state, transaction.received) == ("held", 1)
        assert bodies(transaction.df) == ["held"]
        assert transaction.deadline is not None


@pytest.mark.rows("T-01")
def test_a_transaction_waits_for_a_first_message(hold, session, channel):
    sender = threading.Timer(0.5, session.queues.send, (channel, "late"))
    sender.start()

    with hold(wait=30) as transaction:
        assert transaction.message.body == b"late"
    sender.join()


@pytest.mark.rows("T-02")
def test_a_held_message_is_invisible_to_others(hold, session, channel, fill, rest):
    fill(2)

    with hold():
        assert rest() == ["m1"]
        assert bodies(session.queues.receive(channel)) == ["m1"]


@pytest.mark.rows("T-03", "M-08")
def test_an_acknowledged_message_is_gone(hold, fill, rest):
    fill(1)

    with hold() as transaction:
        settled = transaction.ack(transaction.message.sequence)

    assert (settled.action, settled.sequences, settled.error) == ("ack", (1,), "")
    assert transaction.state == "acked"
    assert rest() == []


@pytest.mark.rows("T-04", "M-08")
def test_a_rejected_message_comes_back_received_once_more_at_the_end(hold, session, channel, fill):
    fill(2)

    with hold() as transaction:
        assert transaction.message.receive_count == 1
        transaction.reject()

    again = eventually(lambda: session.queues.receive(channel, count=2).to_dict("records"))
    assert [(row["body"], row["receive_count"]) for row in again] == [(b"m1", 1), (b"m0", 2)]


@pytest.mark.rows("T-05", "M-08")
def test_extending_sets_the_visibility_anew(hold, fill, rest):
    fill(1)

    with hold(visibility=2, hold=0) as transaction:
        before = transaction.deadline
        settled = transaction.extend(30)
        pass_time(3)

        assert (settled.action, settled.is_error) == ("extend", False)
        assert transaction.deadline > before
        assert not transaction.ack().is_error
    assert rest() == []


@pytest.mark.rows("T-05")
def test_an_ack_after_the_visibility_ran_out_is_error_129_in_plain_words(hold, fill):
    fill(1)

    with hold(visibility=1, hold=0) as transaction:
        eventually(lambda: transaction.state == "expired")

        with pytest.raises(TransactionClosed, match="129") as caught:
            transaction.ack()

    assert caught.value.number == 129
    assert "\n" not in str(caught.value)


@pytest.mark.rows("T-05")
def test_a_transaction_keeps_extending_itself_while_it_is_held(hold, fill, rest):
    fill(1)

    with hold(visibility=2) as transaction:
        pass_time(5)

        assert rest() == []
        assert not transaction.ack().is_error
    assert rest() == []


@pytest.mark.rows("T-06")
def test_a_message_whose_visibility_ran_out_is_there_for_others(hold, session, channel, fill):
    fill(1)

    transaction = hold(visibility=1, hold=0)

    received = session.queues.receive(channel, wait=PATIENCE)
    assert bodies(received) == ["m0"]
    assert list(received["receive_count"]) == [2]
    eventually(lambda: transaction.finished)


@pytest.mark.rows("T-07", "M-08")
def test_resending_moves_the_message_as_it_is(hold, session, channel, rest):
    sent = session.queues.send(channel, b"\x00\xff", metadata="m", tags={"k": "v"})
    there = f"{channel}.there"

    with hold() as transaction:
        settled = transaction.resend(there)

    (row,) = session.queues.receive(there, wait=5).to_dict("records")
    assert (settled.action, settled.to) == ("resend", there)
    assert (row["id"], row["body"], row["metadata"], row["tags"]) == (sent.id, b"\x00\xff", "m", {"k": "v"})
    assert rest() == []


@pytest.mark.rows("T-08", "M-08")
def test_modifying_sends_the_changed_message_elsewhere_and_removes_the_original(hold, session, channel, rest):
    session.queues.send(channel, "before", metadata="old", tags={"k": "old"})
    there = f"{channel}.there"

    with hold() as transaction:
        settled = transaction.modify({"after": 1}, metadata="new", tags={"k": "new"}, channel=there)

    (row,) = session.queues.receive(there, wait=5).to_dict("records")
    assert (settled.action, settled.to) == ("modify", there)
    assert (row["decoded"], row["metadata"], row["tags"]) == ({"after": 1}, "new", {"k": "new"})
    assert rest() == []


@pytest.mark.rows("T-08")
def test_modifying_into_the_same_queue_changes_what_it_says_and_keeps_the_rest(hold, session, channel):
    session.queues.send(channel, "body", metadata="old", tags={"k": "v"})

    with hold() as transaction:
        transaction.modify(metadata="new")

    (row,) = session.queues.receive(channel, wait=5).to_dict("records")
    assert (row["body"], row["metadata"], row["tags"]) == (b"body", "new", {"k": "v"})


@pytest.mark.rows("T-09")
def test_every_action_tells_what_it_was_and_whether_it_failed(hold, session, channel, fill):
    fill(4)
    there = f"{channel}.there"
    actions = {
        "ack": lambda held: held.ack(),
        "reject": lambda held: held.reject(),
        "resend": lambda held: held.resend(there),
        "modify": lambda held: held.modify("changed", channel=there),
    }

    for name, act in actions.items():
        with hold() as transaction:
            extended = transaction.extend(60)
            settled = act(transaction)

        assert isinstance(settled, Settlement)
        assert (extended.action, extended.is_error, extended.error) == ("extend", False, "")
        assert extended.until
        assert (settled.action, settled.is_error, settled.error) == (name, False, "")
        assert settled.sequences == (transaction.message.sequence,)


@pytest.mark.rows("T-09")
def test_a_message_is_settled_once(hold, fill):
    fill(1)

    with hold() as transaction:
        transaction.ack()

        with pytest.raises(TransactionClosed):
            transaction.reject()


@pytest.mark.rows("T-10")
@pytest.mark.parametrize("count", [1, 3])
def test_an_empty_queue_is_an_empty_transaction_that_says_so(hold, session, channel, count):
    session.queues.send(channel, "taken")
    session.queues.receive(channel)

    with hold(wait=1, count=count) as transaction:
        assert transaction.empty
        assert transaction.message is None
        assert transaction.df.empty
        assert transaction.note == f"{channel} had no message within 1 s"
        assert transaction.finished
        with pytest.raises(TransactionClosed, match="had no message"):
            transaction.ack()


@pytest.mark.rows("T-11")
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_held_when_the_block_breaks_off_goes_back(hold, session, channel, fill, error, count):
    sent = fill(2)

    with pytest.raises(error), hold(count=count):
        raise error

    received = []
    eventually(lambda: received.extend(bodies(session.queues.receive(channel))) or len(received) >= 2)
    assert sorted(received) == sent


@pytest.mark.rows("T-11")
@pytest.mark.parametrize("count", [1, 3])
def test_an_interrupt_while_it_waits_hides_nothing(hold, session, channel, count):
    with interrupted():
        hold(wait=60, count=count)

    session.queues.send(channel, "visible")
    assert bodies(session.queues.receive(channel, wait=PATIENCE)) == ["visible"]


@pytest.mark.rows("T-11")
def test_closing_the_session_gives_back_what_is_held(other, session, channel, fill):
    fill(1)
    other.queues.transaction(channel, wait=5)

    other.close()

    assert bodies(session.queues.receive(channel, wait=PATIENCE)) == ["m0"]


@pytest.mark.rows("T-13")
def test_several_messages_are_settled_by_sequence_and_the_rest_together(hold, session, channel, fill, rest):
    fill(5)
    there = f"{channel}.there"

    with hold(count=5) as transaction:
        assert transaction.sequences == (1, 2, 3, 4, 5)
        assert transaction.ack(1).sequences == (1,)
        assert transaction.reject([2]).sequences == (2,)
        assert transaction.resend(there, [3, 4]).sequences == (3, 4)
        assert transaction.sequences == (5,)
        assert list(transaction.status()["state"]) == ["acked", "rejected", "resent", "resent", "held"]
        assert transaction.ack().sequences == (5,)

    assert bodies(session.queues.receive(there, wait=5)) == ["m2", "m3"]
    (again,) = eventually(lambda: session.queues.receive(channel).to_dict("records"))
    assert (again["body"], again["receive_count"]) == (b"m1", 2)


@pytest.mark.rows("T-13")
@pytest.mark.parametrize("settle", ["ack", "reject"])
def test_several_messages_are_settled_all_at_once(hold, session, channel, fill, settle):
    fill(3)

    with hold(count=3) as transaction:
        getattr(transaction, settle)()
        assert transaction.finished

    left = session.queues.receive(channel)
    assert sorted(bodies(left)) == ([] if settle == "ack" else ["m0", "m1", "m2"])


@pytest.mark.rows("T-13")
def test_several_messages_have_no_visibility_to_extend_and_it_says_so(hold, fill):
    fill(2)

    with hold(count=2) as transaction:
        with pytest.raises(NotSupported, match="no visibility to extend"):
            transaction.extend(10)
        with pytest.raises(NotSupported, match="count=1"):
            transaction.modify("x")
        assert transaction.deadline is None


def test_a_sequence_that_is_not_held_is_named(hold, fill):
    fill(1)

    with hold() as transaction, pytest.raises(TransactionClosed, match="Sequence 7 is not held here"):
        transaction.ack(7)


def test_an_open_transaction_is_a_job_until_it_is_settled(hold, session, fill):
    fill(1)

    transaction = hold()
    listed = session.jobs()
    transaction.ack()

    assert listed[["kind", "state", "received"]].values.tolist() == [["transaction", "held", 1]]
    assert session.open_jobs() == []
