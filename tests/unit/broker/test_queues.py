import pytest

from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.delivery import DELETED_AT_ONCE
from kubemq_nb.broker.engine.plan import InsertMessages, Message
from kubemq_nb.broker.engine.sending import Draft


def test_messages_come_in_the_order_in_which_they_were_sent(engine):
    engine.send("orders", "a", "b")
    engine.send("orders", "c")

    assert engine.receive("orders", 3).ids == ["a", "b", "c"]


def test_sequences_count_from_one_for_each_queue(engine):
    engine.send("orders", "a", "b")
    engine.send("bills", "c")

    assert [m.sequence for m in engine.peek("orders", 2).messages] == [1, 2]
    assert [m.sequence for m in engine.peek("bills", 1).messages] == [1]


def test_nothing_is_visible_before_its_commit(engine):
    engine.commits.hold_back()
    results = engine.send("orders", "a")
    waiting = engine.receive("orders", wait=60)
    before = (list(results), waiting.ids)

    engine.commits.let_go()

    assert before == ([], None)
    assert results[0].error == ""
    assert waiting.ids == ["a"]


def test_a_failed_commit_is_told_to_the_sender_and_stores_nothing(engine):
    engine.commits.failing = "disk full"

    results = engine.send("orders", "a")

    assert results[0].error == "disk full"
    engine.commits.failing = ""
    assert engine.there("orders") == []


def test_bad_messages_do_not_stop_the_good_ones_of_a_batch(engine):
    results = []
    bad = Draft("b", "", "orders", False, b"b", b"")
    good = Draft("a", "sender", "orders", False, b"a", b"d" * 16)

    engine.queues.send([bad, good], results.extend)

    assert [result.error[:9] for result in results] == ["Error 101", ""]
    assert engine.there("orders") == ["a"]


@pytest.mark.parametrize(
    ("policy", "number"),
    [
        ({"expiration": -1}, 133),
        ({"expiration": 43_201}, 133),
        ({"max_receive_count": 1025}, 134),
        ({"delay": 43_201}, 135),
        ({"dead_letter": "a b"}, 120),
    ],
)
def test_a_policy_outside_its_bounds_is_refused(engine, policy, number):
    assert engine.send("orders", "a", **policy)[0].error.startswith(f"Error {number}:")


@pytest.mark.parametrize("policy", [{"expiration": 43_200}, {"max_receive_count": 1024}, {"delay": 43_200}])
def test_bounds_themselves_are_fine(engine, policy):
    assert engine.send("orders", "a", **policy)[0].error == ""


@pytest.mark.parametrize("name", ["", "a b", "a.", "a.*", "a.>", "a\tb", "a\nb", "a\x00b", "a\u2003b"])
def test_names_that_kubemq_refuses_or_that_would_harm_a_server_are_refused(engine, name):
    assert engine.send(name, "a")[0].error.startswith("Error 120:")


@pytest.mark.parametrize("name", [".a", "a..b", "a/b"])
def test_names_that_the_real_storage_refuses_are_refused(engine, name):
    assert engine.send(name, "a")[0].error == "stan: invalid publish request"


@pytest.mark.parametrize("name", [".a", "a..b", "a/b"])
def test_a_dead_letter_queue_that_nobody_can_receive_from_is_refused(engine, name):
    assert engine.send("orders", "a", dead_letter=name)[0].error == "stan: invalid publish request"


def test_a_receive_that_can_be_filled_answers_at_once(engine):
    engine.send("orders", "a", "b", "c")

    assert engine.receive("orders", 2, wait=60).ids == ["a", "b"]
    assert engine.there("orders") == ["c"]


def test_a_receive_for_more_than_there_is_waits_its_whole_time(engine):
    engine.send("orders", "a")
    reading = engine.receive("orders", 2, wait=5)

    engine.clock.advance(4.9)
    early = reading.ids
    engine.clock.advance(0.2)

    assert early is None
    assert reading.ids == ["a"]


def test_a_waiting_receive_gets_what_is_sent_later(engine):
    reading = engine.receive("orders", wait=5)

    engine.send("orders", "a")

    assert reading.ids == ["a"]


def test_two_waiting_receivers_get_one_message_each_the_older_one_first(engine):
    first, second = engine.receive("orders", wait=5), engine.receive("orders", wait=5)

    engine.send("orders", "a")
    engine.send("orders", "b")

    assert (first.ids, second.ids) == (["a"], ["b"])


def test_receivers_of_one_queue_do_not_wait_for_each_other(engine):
    readings = [engine.receive("orders", wait=2) for _ in range(3)]

    engine.clock.advance(2)

    assert [reading.ids for reading in readings] == [[], [], []]


def test_a_cancelled_receive_loses_nothing(engine):
    engine.send("orders", "a", "b")
    reading = engine.receive("orders", 3, wait=5)

    reading.cancel()

    assert engine.there("orders") == ["a", "b"]


def test_a_receive_cancelled_while_its_delete_is_under_way_loses_nothing(engine):
    engine.send("orders", "a", "b")
    engine.commits.hold_back()
    reading = engine.receive("orders", 1)

    reading.cancel()
    engine.commits.let_go()

    assert reading.ids is None
    assert engine.there("orders") == ["a", "b"]
    assert engine.restarted().there("orders") == ["a", "b"]


def test_an_answer_that_did_not_reach_the_network_loses_nothing(engine):
    engine.send("orders", "a", "b")
    reading = engine.receive("orders", 2)

    reading.cancel()

    assert reading.ids == ["a", "b"]
    assert engine.there("orders") == ["a", "b"]
    assert engine.queues.get("orders").delivered == 0


def test_an_answer_that_reached_the_network_is_gone_for_good(engine):
    engine.send("orders", "a")
    reading = engine.receive("orders")
    reading.confirm()

    reading.cancel()

    assert engine.there("orders") == []


def test_what_was_removed_before_the_disk_failed_is_told(engine):
    engine.send("orders", *map(str, range(DELETED_AT_ONCE + 2)))
    engine.commits.hold_back()
    answers = engine.ack_all("orders")
    engine.clock.advance(1)
    engine.commits.step()
    engine.commits.failing = "disk full"
    engine.commits.let_go()

    assert answers == ["5,000 messages were removed, the others were not: disk full"]


def test_a_receive_whose_delete_fails_loses_nothing(engine):
    engine.send("orders", "a")
    engine.commits.failing = "disk broken"

    reading = engine.receive("orders")

    assert reading.error == "disk broken"
    engine.commits.failing = ""
    assert engine.there("orders") == ["a"]


def test_what_does_not_fit_into_one_answer_stays_in_the_queue(engine):
    results = []
    large = b"x" * (60 * 1024 * 1024)
    drafts = [Draft(id, "sender", "orders", False, large, b"d" * 16) for id in "ab"]
    engine.queues.send(drafts, results.extend)

    first = engine.receive("orders", 2)

    assert len(first.messages) == 1
    assert [m.sequence for m in engine.receive("orders", 1).messages] == [2]


def test_a_peek_leaves_messages_in_the_queue(engine):
    engine.send("orders", "a", "b")

    assert engine.peek("orders", 2).ids == ["a", "b"]
    assert engine.receive("orders", 2).ids == ["a", "b"]


def test_a_waiting_peek_locks_nothing(engine):
    engine.send("orders", "a")
    peek = engine.peek("orders", 2, wait=5)

    assert engine.receive("orders").ids == ["a"]
    engine.clock.advance(5)
    assert peek.ids == []


def test_a_waiting_peek_answers_once_there_is_enough(engine):
    engine.send("orders", "a")
    peek = engine.peek("orders", 2, wait=60)

    engine.send("orders", "b")

    assert peek.ids == ["a", "b"]


def test_ack_all_takes_its_whole_time_and_counts_expired_ones(engine):
    engine.send("orders", "a", expiration=1)
    engine.send("orders", "b", "c")
    engine.clock.advance(2)
    answers = engine.ack_all("orders", wait=3)

    engine.clock.advance(2.9)
    early = list(answers)
    engine.clock.advance(0.2)

    assert early == []
    assert answers == [3]
    assert engine.there("orders") == []


def test_ack_all_lets_others_get_at_the_store_in_between(engine):
    engine.send("orders", *(str(number) for number in range(12_000)))
    answers = engine.ack_all("orders", wait=1)
    engine.commits.hold_back()
    engine.clock.advance(1)
    rounds = 0
    while not answers:
        assert len(engine.commits.held_back) == 1
        engine.commits.step()
        rounds += 1

    assert (answers, rounds) == ([12_000], 3)


def test_an_expired_message_is_never_delivered_and_is_counted(engine):
    engine.send("orders", "a", expiration=5)
    engine.send("orders", "b")
    engine.clock.advance(5)

    reading = engine.receive("orders")

    assert (reading.ids, reading.expired) == (["b"], 1)


def test_a_message_that_expires_later_is_delivered_before(engine):
    engine.send("orders", "a", expiration=5)
    engine.clock.advance(4.9)

    assert engine.receive("orders").ids == ["a"]


def test_a_peek_removes_expired_messages(engine):
    engine.send("orders", "a", expiration=1)
    engine.clock.advance(1)

    engine.there("orders")

    assert engine.queues.get("orders").bytes == 0
    assert engine.restarted().queues.get("orders").bytes == 0


def test_waiting_counts_what_could_be_had_at_once(engine):
    engine.send("orders", "a", expiration=1)
    engine.send("orders", "b", "c")
    engine.receive("orders")
    engine.clock.advance(2)

    assert engine.queues.get("orders").waiting() == 2


def test_a_delayed_message_comes_when_it_is_due_as_if_sent_then(engine):
    result = engine.send("orders", "late", delay=10, expiration=60)[0]
    early = engine.there("orders")
    reading = engine.receive("orders", wait=30)

    engine.clock.advance(10)

    released = reading.messages[0]
    assert early == []
    assert result.delayed_to == released.timestamp == engine.clock.now()
    assert released.expires_at == engine.clock.now() + 60 * SECOND
    assert result.expires_at == released.expires_at


def test_a_delayed_message_comes_when_the_clock_jumped_past_its_time(engine):
    engine.send("orders", "late", delay=3600)
    engine.clock.jump(3600)

    engine.clock.advance(2)

    assert engine.there("orders") == ["late"]


def test_delayed_messages_with_the_same_id_are_all_delivered(engine):
    engine.send("orders", "same", "same", delay=1)

    engine.clock.advance(1)

    assert engine.there("orders") == ["same", "same"]


def test_delayed_messages_come_in_the_order_in_which_they_are_due(engine):
    for delay in (3, 1, 2):
        engine.send("orders", f"after {delay}", delay=delay)

    engine.clock.advance(3)

    assert engine.there("orders") == ["after 1", "after 2", "after 3"]


def test_thousands_of_delayed_messages_do_not_hold_up_an_early_one(engine):
    engine.send("orders", *(f"late {n}" for n in range(3000)), delay=12)
    engine.send("orders", "early", delay=1)

    engine.clock.advance(1)

    assert engine.there("orders") == ["early"]


def test_overdue_messages_are_released_after_a_restart(engine):
    engine.send("orders", "late", delay=10)
    again = engine.restarted()

    again.clock.advance(10)

    assert again.there("orders") == ["late"]


def test_a_release_that_fails_is_tried_again(engine):
    engine.send("orders", "late", delay=1)
    engine.commits.failing = "disk full"
    engine.clock.advance(1)
    engine.commits.failing = ""

    engine.clock.advance(2)

    assert engine.there("orders") == ["late"]


def test_a_restart_keeps_messages_their_order_and_the_numbering(engine):
    engine.send("orders", "a", "b", "c")
    engine.receive("orders")

    again = engine.restarted()
    again.send("orders", "d")

    assert again.there("orders") == ["b", "c", "d"]
    assert [m.sequence for m in again.peek("orders", 3).messages] == [2, 3, 4]


def test_what_nobody_received_returns_as_soon_as_the_store_can_do_it(engine):
    engine.send("orders", "m1", "m2")
    engine.commits.hold_back()
    reading = engine.receive("orders", 2)
    engine.commits.step()  # deleted, for a receiver who has gone
    reading.cancel()
    engine.commits.failing = "disk broken"
    engine.commits.let_go()
    engine.commits.failing = ""

    engine.clock.advance(2)

    assert engine.there("orders") == ["m1", "m2"]


def test_what_was_stored_by_a_commit_that_seemed_to_fail_is_found(engine):
    engine.commits.failing = "disk broken"
    engine.send("orders", "m1")
    stored = Message(engine.queues.get("orders").id, 1, b"m1", b"", 0, 0, 0, 0, 0, "", "")
    engine.commits.store.apply([[InsertMessages([stored])]])
    engine.commits.failing = ""

    engine.clock.advance(2)

    assert engine.there("orders") == ["m1"]


def test_a_queue_that_was_made_by_a_commit_that_seemed_to_fail_is_listed(engine):
    engine.commits.failing_late = "disk broken"
    engine.send("orders", "m1")
    engine.commits.failing_late = ""

    engine.clock.advance(2)

    assert engine.listed("queues") == ["orders"]


def test_delayed_messages_stored_by_a_commit_that_seemed_to_fail_come_when_they_are_due(engine):
    engine.commits.failing_late = "disk broken"
    engine.send("orders", "m1", delay=5)
    engine.commits.failing_late = ""

    engine.clock.advance(5)

    assert engine.there("orders") == ["m1"]


def test_delayed_messages_that_were_not_stored_never_come(engine):
    engine.commits.failing = "disk broken"
    engine.send("orders", "m1", delay=5)
    engine.commits.failing = ""

    engine.clock.advance(5)

    assert engine.there("orders") == []
