"""The client's transactions: every way a held message can go."""

import pytest

from kubemq_nb._wire import codec
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.client.transactions import ManyTransaction, OneTransaction
from kubemq_nb.errors import NotSupported, RequestRejected, TransactionClosed
from tests.conformance.client_support import LONG, ME, bodies, message, not_waiting
from tests.conformance.support import eventually, interrupted


@pytest.fixture
def queues(connection):
    return QueuesClient(connection)


@pytest.fixture
def hold_one(connection, channel):
    """Takes one message of the channel."""
    held = []

    def hold_one(*, visibility=30, wait=5.0, hold=0.0, on_change=None):
        transaction = OneTransaction.receive(
            connection,
            channel,
            visibility=visibility,
            wait=wait,
            hold=hold,
            client_id=ME,
            on_change=on_change,
        )
        held.append(transaction)
        return transaction

    yield hold_one
    for transaction in held:
        transaction.close()


@pytest.fixture
def hold_many(connection, channel):
    """Takes several messages of the channel."""
    held = []

    def hold_many(count=10, *, wait=5.0):
        held.append(ManyTransaction.receive(connection, channel, count=count, wait=wait, client_id=ME))
        return held[-1]

    yield hold_many
    for transaction in held:
        transaction.close()


def waiting(queues, channel):
    payloads = queues.peek(channel, count=32, wait=0, client_id=ME).payloads
    return [(read.body.decode(), read.receive_count) for read in map(codec.decode_queue_message, payloads)]


def test_an_acknowledged_message_is_gone(queues, channel, hold_one):
    queues.send(message(channel, "a"))

    transaction = hold_one()
    settlement = transaction.ack()

    assert settlement.sequences == (transaction.sequence,)
    assert transaction.state == "acked"
    assert transaction.deadline is None
    assert waiting(queues, channel) == []


def test_a_rejected_message_comes_again_at_the_tail(queues, channel, hold_one):
    queues.send_batch([message(channel, "a"), message(channel, "b")])

    hold_one().reject()

    assert waiting(queues, channel) == [("b", 1), ("a", 2)]


def test_closing_gives_the_message_back_before_it_returns(queues, channel, hold_one):
    queues.send_batch([message(channel, "a"), message(channel, "b")])

    transaction = hold_one()
    transaction.close()
    transaction.close()

    assert transaction.state == "closed"
    assert waiting(queues, channel) == [("b", 1), ("a", 2)]


def test_resend_moves_the_message(queues, channel, hold_one):
    queues.send(message(channel, "a", id="17", tags={"k": "v"}))

    hold_one().resend(f"{channel}.next")

    (payload,) = queues.receive(f"{channel}.next", count=5, wait=0, client_id=ME).payloads
    moved = codec.decode_queue_message(payload)
    assert (moved.id, moved.body, moved.tags) == ("17", b"a", {"k": "v"})
    assert waiting(queues, channel) == []


def test_modify_puts_another_message_in_its_place(queues, channel, hold_one):
    queues.send(message(channel, "a"))

    settlement = hold_one().modify(message(f"{channel}.next", "changed"))

    assert settlement.to == f"{channel}.next"
    assert waiting(queues, f"{channel}.next") == [("changed", 1)]
    assert waiting(queues, channel) == []


def test_an_empty_queue_is_an_empty_transaction(channel, hold_one):
    transaction = hold_one(wait=1)

    assert transaction.state == "empty"
    assert transaction.payload is None
    with pytest.raises(TransactionClosed, match="there was no message"):
        transaction.ack()


def test_settling_twice_says_what_happened_first(queues, channel, hold_one):
    queues.send(message(channel, "a"))
    transaction = hold_one()
    transaction.ack()

    with pytest.raises(TransactionClosed, match="the message was acknowledged"):
        transaction.reject()


@pytest.mark.rows("T-05", "T-06")
def test_visibility_that_runs_out_is_noticed_without_asking(queues, channel, hold_one):
    queues.send(message(channel, "a"))
    changes = []

    transaction = hold_one(visibility=1, on_change=lambda: changes.append("one"))
    eventually(lambda: transaction.state == "expired")

    with pytest.raises(TransactionClosed, match="error 129") as caught:
        transaction.ack()
    assert caught.value.number == 129
    assert changes == ["one"]
    assert waiting(queues, channel) == [("a", 2)]


@pytest.mark.rows("T-05")
def test_a_hold_renews_visibility_by_itself(queues, channel, hold_one):
    queues.send(message(channel, "a"))
    renewals = []
    transaction = hold_one(visibility=2, hold=60, on_change=lambda: renewals.append("one"))

    eventually(lambda: len(renewals) >= 6)  # three in two seconds: more than one visibility time has gone

    assert transaction.state == "held"
    transaction.ack()
    assert waiting(queues, channel) == []


def test_a_hold_ends(queues, channel, hold_one):
    queues.send(message(channel, "a"))

    transaction = hold_one(visibility=1, hold=1)

    eventually(lambda: transaction.state == "expired")
    assert waiting(queues, channel) == [("a", 2)]


def test_extending_moves_the_deadline(queues, channel, hold_one):
    queues.send(message(channel, "a"))
    transaction = hold_one(visibility=5)
    before = transaction.deadline

    transaction.extend(60)

    assert (transaction.deadline - before).total_seconds() > 30


def test_an_interrupt_of_the_wait_leaves_nothing_hidden(queues, channel, hold_one):
    with interrupted():
        hold_one(wait=LONG)

    queues.send(message(channel, "a"))

    with not_waiting():
        assert hold_one(wait=LONG).state == "held"


@pytest.mark.rows("T-13")
def test_several_messages_go_their_own_ways(queues, channel, hold_many):
    queues.send_batch([message(channel, body) for body in "abcde"])

    transaction = hold_many()
    first, second, third, *rest = transaction.sequences
    transaction.ack([first])
    transaction.reject([second])
    transaction.resend(f"{channel}.next", [third])

    assert bodies(transaction.payloads) == list("abcde")
    assert transaction.sequences == tuple(rest)
    assert transaction.state == "held"
    assert waiting(queues, f"{channel}.next") == [("c", 1)]
    transaction.close()
    assert waiting(queues, channel) == [("d", 1), ("e", 1), ("b", 2)]


def test_the_last_settlement_ends_the_transaction(queues, channel, hold_many):
    queues.send_batch([message(channel, body) for body in "ab"])
    transaction = hold_many()

    transaction.ack()

    assert transaction.state == "acked"
    with pytest.raises(TransactionClosed):
        transaction.ack()


def test_rejecting_several_keeps_their_order(queues, channel, hold_many):
    queues.send_batch([message(channel, body) for body in "abcdef"])

    hold_many().reject()

    assert waiting(queues, channel) == [(body, 2) for body in "abcdef"]


def test_a_sequence_that_is_not_held_is_named(queues, channel, hold_many):
    queues.send_batch([message(channel, body) for body in "ab"])

    with pytest.raises(RequestRejected, match=r"Not held here: 99\. Held are 1, 2\."):
        hold_many().ack([1, 99])


def test_several_messages_have_no_visibility_to_extend(queues, channel, hold_many):
    queues.send(message(channel, "a"))

    with pytest.raises(NotSupported, match="no visibility"):
        hold_many().extend(5)


def test_what_comes_while_several_are_held_is_not_swallowed(queues, channel, hold_many):
    queues.send(message(channel, "a"))
    hold_many(10)

    queues.send(message(channel, "b"))

    assert waiting(queues, channel) == [("b", 1)]


def test_closing_the_connection_gives_held_messages_back(connect, queues, channel):
    queues.send(message(channel, "a"))
    own = connect()
    transaction = OneTransaction.receive(own, channel, visibility=30, wait=5, hold=0, client_id=ME)

    own.close()

    assert transaction.state in ("closed", "lost")
    eventually(lambda: waiting(queues, channel) == [("a", 2)])


@pytest.mark.embedded_only
def test_one_message_gets_the_time_that_its_size_takes(queues, connection, channel, hold_one, monkeypatch):
    queues.send(message(channel, b"x" * 12_000_000))
    granted = {}
    attempt = connection.attempt

    def noting(what, **asked):
        made = attempt(what, **asked)
        granted[what] = made.timeout - made.wait - connection.timeout
        return made

    monkeypatch.setattr(connection, "attempt", noting)

    assert len(hold_one().payload) > 12_000_000
    assert granted[f"the receive from {channel}"] == 6
