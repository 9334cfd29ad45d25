import pytest

from kubemq_nb.broker.engine import transactions
from kubemq_nb.broker.engine.transactions import Action, Consumer, Get

TX = "transaction"
CLOSED_ACK = "cannot ack messages with closed response "


class Stream:
    """One downstream; what a Get answered and what actions said."""

    def __init__(self, engine):
        self.engine = engine
        self.consumer = Consumer(engine.queues)

    def get(self, channel, limit=1, *, wait=1, auto_ack=False, transaction=TX):
        answers = []
        self.consumer.get(
            transaction,
            Get("reader", channel, limit, wait * 1000, auto_ack),
            lambda messages, _, error: answers.append(error or [m.content.decode() for m in messages]),
        )
        return answers

    def act(self, type, *sequences, target="", transaction=TX):
        answers = []
        self.consumer.settle(Action(type, transaction, sequences, target), answers.append)
        return answers[0]

    def active(self, transaction=TX):
        return self.consumer.active(transaction)


@pytest.fixture
def stream(engine):
    return Stream(engine)


def counts(engine, channel, limit):
    return [(m.content.decode(), m.receive_count + 1) for m in engine.peek(channel, limit).messages]


def test_held_messages_are_hidden_from_others(engine, stream):
    engine.send("orders", "a", "b")

    assert stream.get("orders") == [["a"]]
    assert engine.there("orders") == ["b"]


def test_ack_removes_for_good(engine, stream):
    engine.send("orders", "a", "b")
    stream.get("orders", 2)

    assert stream.act(transactions.ACK_ALL) == ""
    assert engine.there("orders") == []
    assert engine.restarted().there("orders") == []


def test_acking_some_leaves_the_others_active(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 3)

    stream.act(transactions.ACK_RANGE, 1, 3)

    assert stream.active() == [2]
    assert stream.act(transactions.ACK_RANGE, 2) == ""
    assert stream.active() == "cannot get active offsets with closed response "


def test_a_range_stops_at_the_first_unknown_sequence(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 3)

    assert stream.act(transactions.ACK_RANGE, 1, 99, 2) == "invalid ack sequence id 99"
    assert stream.active() == [2, 3]


def test_a_sequence_named_twice_is_unknown_the_second_time(engine, stream):
    engine.send("orders", "a", "b")
    stream.get("orders", 2)

    assert stream.act(transactions.ACK_RANGE, 1, 1) == "invalid ack sequence id 1"
    assert stream.active() == [2]


def test_nacked_messages_go_behind_the_others_with_a_raised_count(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 2)

    stream.act(transactions.NACK_ALL)

    assert counts(engine, "orders", 3) == [("c", 1), ("a", 2), ("b", 2)]


def test_the_last_allowed_nack_moves_a_message_to_its_dead_letter_queue(engine, stream):
    engine.send("orders", "a", max_receive_count=2, dead_letter="dead", expiration=100)
    for _ in range(2):
        stream.get("orders")
        stream.act(transactions.NACK_ALL)

    dead = engine.peek("dead", 1).messages[0]

    assert engine.there("orders") == []
    assert (dead.rerouted_from, dead.receive_count) == ("orders", 0)
    assert (dead.max_receive_count, dead.dead_letter, dead.expiration) == (0, "", 0)
    assert dead.expires_at == engine.clock.now() + 100 * 10**9


def test_a_dead_letter_is_never_dead_lettered_again(engine, stream):
    engine.send("orders", "a", max_receive_count=1, dead_letter="dead")
    stream.get("orders")
    stream.act(transactions.NACK_ALL)

    for _ in range(5):
        stream.get("dead")
        stream.act(transactions.NACK_ALL)

    assert counts(engine, "dead", 1) == [("a", 6)]


def test_without_a_dead_letter_queue_the_last_allowed_nack_drops(engine, stream):
    engine.send("orders", "a", max_receive_count=1)
    stream.get("orders")

    stream.act(transactions.NACK_ALL)

    assert engine.there("orders") == []


def test_requeued_messages_are_as_new_in_the_other_queue(engine, stream):
    engine.send("orders", "a", "b", max_receive_count=3, expiration=60)
    stream.get("orders", 2)
    engine.clock.advance(30)

    stream.act(transactions.REQUEUE_RANGE, 2, target="bills")

    moved = engine.peek("bills", 1).messages[0]
    assert (moved.sequence, moved.receive_count, moved.rerouted_from) == (1, 0, "")
    assert moved.expires_at == engine.clock.now() + 60 * 10**9
    assert stream.active() == [1]


def test_a_dead_letter_that_is_requeued_has_the_tries_of_a_new_message(engine, stream):
    engine.send("orders", "a", max_receive_count=1, dead_letter="dead")
    stream.get("orders")
    stream.act(transactions.NACK_ALL)
    stream.get("dead")

    stream.act(transactions.REQUEUE_ALL, target="orders")

    again = engine.peek("orders", 1).messages[0]
    assert (again.max_receive_count, again.dead_letter, again.rerouted_from) == (1024, "", "")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("", "cannot requeue messages with empty channel destination "),
        ("a b", "re-queue message with seq 1 failed, Error 120: "),
        ("a/b", "re-queue message with seq 1 failed, stan: invalid publish request"),
    ],
)
def test_requeueing_to_a_bad_name_is_refused_and_keeps_the_messages(engine, stream, target, reason):
    engine.send("orders", "a")
    stream.get("orders")

    assert stream.act(transactions.REQUEUE_ALL, target=target).startswith(reason)
    assert stream.active() == [1]


def test_closing_returns_messages_to_their_places(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 2)

    stream.act(transactions.CLOSE_BY_CLIENT)

    assert counts(engine, "orders", 3) == [("a", 1), ("b", 1), ("c", 1)]


def test_a_stream_that_ends_returns_messages_to_their_places(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 2)
    stream.act(transactions.ACK_RANGE, 1)

    stream.consumer.close()

    assert counts(engine, "orders", 2) == [("b", 1), ("c", 1)]


def test_a_killed_broker_returns_messages_to_their_places(engine, stream):
    engine.send("orders", "a", "b", "c")
    stream.get("orders", 2)

    assert counts(engine.restarted(), "orders", 3) == [("a", 1), ("b", 1), ("c", 1)]


def test_auto_ack_leaves_nothing_to_settle(engine, stream):
    engine.send("orders", "a")

    assert stream.get("orders", auto_ack=True) == [["a"]]
    assert stream.act(transactions.ACK_ALL) == CLOSED_ACK
    assert engine.there("orders") == []


def test_an_auto_acked_answer_that_did_not_reach_the_network_loses_nothing(engine, stream):
    engine.send("orders", "a", "b")
    stream.get("orders", 2, auto_ack=True)

    stream.consumer.close()

    assert engine.there("orders") == ["a", "b"]


def test_an_auto_acked_answer_that_reached_the_network_is_gone_for_good(engine, stream):
    engine.send("orders", "a")
    stream.get("orders", auto_ack=True)
    stream.consumer.confirm()

    stream.consumer.close()

    assert engine.there("orders") == []


def test_an_empty_get_answers_after_its_wait_and_leaves_a_closed_transaction(engine, stream):
    answers = stream.get("orders", wait=3)

    engine.clock.advance(3)

    assert answers == [[]]
    assert stream.act(transactions.ACK_ALL) == CLOSED_ACK


def test_a_wait_below_a_second_is_a_second(engine, stream):
    answers = stream.get("orders", wait=0)

    engine.clock.advance(0.9)
    early = list(answers)
    engine.clock.advance(0.1)

    assert (early, answers) == ([], [[]])


def test_a_get_that_finds_only_expired_messages_goes_on_waiting(engine, stream):
    engine.send("orders", "old", expiration=1)
    engine.clock.advance(2)
    answers = stream.get("orders", wait=5)
    early = list(answers)

    engine.send("orders", "new")

    assert (early, answers) == ([], [["new"]])


def test_an_open_transaction_does_not_swallow_later_messages(engine, stream):
    engine.send("orders", "a", "b")
    stream.get("orders", 10)
    engine.clock.advance(1)

    engine.send("orders", "c")
    stream.act(transactions.ACK_RANGE, 1)
    engine.send("orders", "d")

    assert engine.there("orders") == ["c", "d"]


def test_a_get_abandoned_while_it_waits_takes_nothing_along(engine, stream):
    engine.send("orders", "a")
    stream.get("orders", 5, wait=10)

    stream.consumer.close()

    assert engine.there("orders") == ["a"]


def test_a_get_abandoned_while_it_reads_takes_nothing_along(engine, stream):
    engine.send("orders", "a")
    engine.commits.hold_back()
    stream.get("orders")

    stream.consumer.close()
    engine.commits.let_go()

    assert engine.there("orders") == ["a"]


def test_an_ack_that_fails_leaves_the_transaction_open(engine, stream):
    engine.send("orders", "a")
    stream.get("orders")
    engine.commits.failing = "disk full"

    failed = stream.act(transactions.ACK_ALL)
    engine.commits.failing = ""

    assert failed == "disk full"
    assert stream.active() == [1]
    assert stream.act(transactions.ACK_ALL) == ""


@pytest.mark.parametrize("type", [transactions.ACK_ALL, transactions.NACK_ALL])
def test_what_could_not_be_settled_before_the_stream_ended_is_there_for_others(engine, stream, type):
    engine.send("orders", "a")
    stream.get("orders")
    engine.commits.hold_back()
    stream.consumer.settle(Action(type, TX, (), ""), lambda _: None)
    stream.consumer.close()
    engine.commits.failing = "disk full"
    engine.commits.let_go()
    engine.commits.failing = ""

    assert engine.there("orders") == ["a"]


def test_settling_is_not_said_to_be_done_before_its_commit(engine, stream):
    engine.send("orders", "a")
    stream.get("orders")
    engine.commits.hold_back()
    answers = []

    stream.consumer.settle(Action(transactions.ACK_ALL, TX, (), ""), answers.append)
    early = list(answers)
    engine.commits.let_go()

    assert (early, answers) == ([], [""])


@pytest.mark.parametrize("type", [*range(12), 99])
def test_an_unknown_transaction_is_refused_whatever_is_asked(stream, type):
    assert stream.act(type, 1, target="x", transaction="other") == transactions.NOT_FOUND


@pytest.mark.parametrize("type", [0, 9, 11])
def test_requests_that_are_not_offered_are_unknown(engine, stream, type):
    engine.send("orders", "a")
    stream.get("orders")

    assert stream.act(type) == "request unknown"


def test_damaged_messages_do_not_stop_a_get(engine, stream):
    engine.send("orders", "a", "b", "c")
    queue = engine.queues.get("orders")
    del engine.commits.store._messages[queue.id, 2]

    assert stream.get("orders", 3) == [["a", "c"]]
    assert stream.active() == [1, 3]


@pytest.mark.parametrize("auto_ack", [False, True])
def test_a_damaged_message_at_the_head_does_not_stay_in_the_way(engine, stream, auto_ack):
    engine.send("orders", "a", "b")
    queue = engine.queues.get("orders")
    del engine.commits.store._messages[queue.id, 1]

    assert stream.get("orders", 1, auto_ack=auto_ack) == [[]]
    assert stream.get("orders", 1, auto_ack=auto_ack, transaction="second") == [["b"]]
