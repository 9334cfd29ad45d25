"""What is deleted with a channel, and that nothing older than that is taken for what is sent later."""

import pytest

from kubemq_nb.broker.engine import transactions
from kubemq_nb.broker.engine.clock import RETRY, SECOND
from kubemq_nb.broker.engine.durable import SAVE_AFTER
from kubemq_nb.broker.engine.events_store import Start
from kubemq_nb.broker.engine.transactions import Action, Consumer, Get
from tests.unit.broker.harness import drain

TX = "transaction"


@pytest.fixture
def holder(engine):
    """A stream that holds the only message of a queue."""
    engine.send("orders", "old")
    consumer = Consumer(engine.queues)
    consumer.get(TX, Get("holder", "orders", 2, 1000, False), lambda *_: None)
    engine.clock.advance(1)
    return consumer


@pytest.mark.parametrize("type", [transactions.ACK_ALL, transactions.NACK_ALL, transactions.REQUEUE_ALL])
def test_who_holds_a_message_of_a_deleted_queue_settles_nothing_that_was_sent_later(engine, holder, type):
    engine.delete("queues", "orders")
    engine.send("orders", "new")

    answers = []
    holder.settle(Action(type, TX, (), "elsewhere"), answers.append)

    assert answers == [""]
    assert engine.there("orders") == ["new"]
    assert engine.restarted().there("orders") == ["new"]
    assert engine.there("elsewhere") == []


def test_who_holds_a_message_of_a_deleted_queue_leaves_nothing_behind(engine, holder):
    engine.delete("queues", "orders")
    engine.send("orders", "new")

    holder.close()

    assert engine.receive("orders", 2).ids is None
    engine.clock.advance(1)
    assert engine.there("orders") == []
    assert list(engine.queues.get("orders").away) == []


def test_giving_back_to_a_deleted_queue_does_not_make_it_again(engine, holder):
    engine.delete("queues", "orders")

    holder.settle(Action(transactions.NACK_ALL, TX, (), ""), lambda _: None)

    assert engine.listed("queues") == []
    assert engine.restarted().listed("queues") == []


def test_a_queue_counts_anew_what_is_sent_to_it_after_it_was_deleted(engine, holder):
    engine.delete("queues", "orders")
    engine.send("orders", "a", "b")
    engine.receive("orders", 1).confirm()

    holder.settle(Action(transactions.ACK_ALL, TX, (), ""), lambda _: None)

    figures = engine.channels.matching("queues", "orders")[0]
    assert (figures.incoming["messages"], figures.outgoing["messages"]) == (2, 1)
    assert engine.queues.get("orders").delivered == 1


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_sent_while_a_queue_is_deleted_is_in_it_or_gone(engine, restart):
    engine.send("orders", "stored")
    engine.commits.hold_back()
    engine.send("orders", "before")
    deleted = engine.delete("queues", "orders")
    engine.send("orders", "meanwhile")
    engine.commits.let_go()
    engine.send("orders", "after")

    assert deleted == [""]
    looked_at = engine.restarted() if restart else engine
    assert looked_at.there("orders") == ["meanwhile", "after"]
    assert looked_at.listed("queues") == ["orders"]


def test_what_comes_after_a_send_that_was_under_way_makes_the_channel_known(engine):
    engine.send("orders", "stored")
    engine.commits.hold_back()
    engine.send("orders", "before")
    engine.delete("queues", "orders")
    before, removal = engine.commits.held_back
    engine.commits.held_back = [removal]
    before.done(engine.commits.store.apply([before.operations])[0])
    engine.send("orders", "meanwhile")
    engine.commits.let_go()

    assert engine.restarted().there("orders") == ["meanwhile"]


def test_no_number_is_used_again_after_a_restart_either(engine):
    engine.send("orders", "a", "b")
    engine.delete("queues", "orders")
    engine.channels.create("queues", "orders", lambda _: None)

    again = engine.restarted()
    reading = again.receive("orders")
    again.send("orders", "c")

    assert [message.sequence for message in reading.messages] == [3]


def test_a_receiver_that_has_gone_brings_nothing_back_into_a_deleted_queue(engine):
    engine.send("orders", "old")
    reading = engine.receive("orders")
    engine.commits.hold_back()
    engine.delete("queues", "orders")
    reading.cancel()
    engine.commits.step()
    engine.commits.let_go()
    engine.send("orders", "new")

    assert engine.there("orders") == ["new"]
    assert engine.restarted().there("orders") == ["new"]


def test_a_receiver_that_has_gone_loses_nothing_when_the_queue_is_not_deleted(engine):
    engine.send("orders", "old")
    reading = engine.receive("orders")
    engine.commits.hold_back()
    answers = engine.delete("queues", "orders")
    reading.cancel()
    removal, wait = engine.commits.held_back
    engine.commits.held_back = None
    removal.failed("disk full")
    wait.done([])

    assert answers == ["disk full"]
    assert engine.there("orders") == ["old"]
    assert engine.queues.get("orders").delivered == 0


@pytest.mark.parametrize("kind", ["queues", "events_store", "events"])
def test_a_channel_whose_deletion_fails_is_still_there(engine, kind):
    engine.channels.create(kind, "orders", lambda _: None)
    engine.commits.failing = "disk full"

    answers = engine.delete(kind, "orders")

    assert answers == ["disk full"]
    assert engine.listed(kind) == ["orders"]


def test_a_reader_gets_every_event_that_is_stored_while_its_channel_is_deleted(engine):
    reader = engine.read("log")
    engine.store_event("log", "a")
    assert drain(reader) == ["a#1"]
    engine.commits.hold_back()
    engine.store_event("log", "before")
    engine.delete("events_store", "log")
    engine.store_event("log", "meanwhile")
    engine.commits.let_go()
    answers = engine.store_event("log", "after")

    assert answers == [""]
    assert drain(reader) == ["meanwhile#3", "after#4"]
    assert drain(engine.restarted().read("log", "other")) == ["meanwhile#3", "after#4"]


def test_a_page_of_a_deleted_channel_holds_what_was_stored_since(engine):
    start = Start("reader", "log", "", 2, 0)
    for id in "abc":
        engine.store_event("log", id)
    engine.delete("events_store", "log")
    pages = []
    engine.events_store.page(start, 0, pages.append)
    engine.store_event("log", "d")
    engine.events_store.page(start, 0, pages.append)

    assert [(len(page.events), page.last, page.following) for page in pages] == [(0, 0, 0), (1, 4, 0)]
    figures = engine.channels.matching("events_store", "log")[0]
    assert figures.incoming["messages"] == 1


def test_a_reader_that_left_brings_no_deleted_channel_back(engine):
    for id in "abc":
        engine.store_event("log", id)
    reader = engine.read("log")
    assert drain(reader) == ["a#1", "b#2", "c#3"]
    engine.events_store.unsubscribe(reader)
    engine.delete("events_store", "log")

    engine.clock.advance(SAVE_AFTER / SECOND)

    assert engine.listed("events_store") == []
    assert engine.restarted().listed("events_store") == []
    engine.store_event("log", "d")
    assert drain(engine.read("log")) == ["d#4"]


def test_a_reader_that_leaves_while_its_channel_is_deleted_does_not_bring_it_back(engine):
    engine.store_event("log", "a")
    reader = engine.read("log")
    assert drain(reader) == ["a#1"]
    engine.commits.hold_back()
    engine.delete("events_store", "log")
    reader.leave()
    engine.commits.let_go()
    engine.clock.advance(SAVE_AFTER / SECOND)

    assert engine.restarted().listed("events_store") == []


def test_the_place_of_a_reader_that_stays_holds_after_a_restart(engine):
    engine.store_event("log", "a")
    reader = engine.read("log")
    assert drain(reader) == ["a#1"]
    engine.delete("events_store", "log")

    again = engine.restarted()
    again.store_event("log", "b")

    assert drain(again.read("log")) == ["b#2"]


def test_a_place_is_never_stored_again_by_a_subscription_that_is_over(engine):
    for id in "abcdef":
        engine.store_event("log", id)
    first = engine.read("log")
    assert len(drain(first)) == 6
    engine.events_store.unsubscribe(first)
    engine.clock.advance(SAVE_AFTER / SECOND / 2)
    second = engine.read("log")
    engine.store_event("log", "g")
    assert drain(second) == ["g#7"]
    engine.events_store.unsubscribe(second)

    engine.clock.advance(SAVE_AFTER / SECOND / 2)

    assert engine.events_store.get("log").positions == {"client reader": 7}


def test_a_subscription_that_is_over_before_its_start_was_found_stores_no_place(engine):
    engine.store_event("log", "a")
    engine.commits.hold_back()
    gone = engine.read("log", type=5, value=1)
    engine.events_store.unsubscribe(gone)
    engine.commits.let_go()
    engine.clock.advance(RETRY / SECOND)

    assert engine.events_store.get("log").positions == {}
