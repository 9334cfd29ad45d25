import pytest

from kubemq_nb.broker.engine import old_stream
from kubemq_nb.broker.engine.clock import RETRY, SECOND
from kubemq_nb.broker.engine.old_stream import Asked, OldStream, settle_left
from tests.unit.broker.harness import draft


class Stream:
    """One old stream; what it was told, and whether it ended."""

    def __init__(self, engine):
        self.told = []
        self.ended = False
        self.stream = OldStream(engine.queues, self.told.append, self.end)

    def end(self):
        self.ended = True

    def ask(self, type, *, id="request", channel="orders", visibility=0, wait=0, sequence=0, modified=None):
        asked = Asked(id, "reader", type, channel, visibility, wait, sequence, modified)
        self.stream.ask(asked)

    def receive(self, *, visibility=10, wait=5):
        self.ask(old_stream.RECEIVE, visibility=visibility, wait=wait)
        return self.told[-1] if self.told else None

    @property
    def said(self):
        return [answer.error or answer.type for answer in self.told]


@pytest.fixture
def stream(engine):
    return Stream(engine)


def counts(engine, channel, limit=1):
    return [
        (m.content.decode(), m.sequence, m.receive_count + 1) for m in engine.peek(channel, limit).messages
    ]


def test_a_received_message_is_hidden_until_it_is_acked(engine, stream):
    engine.send("orders", "a", "b")

    received = stream.receive()
    hidden = engine.there("orders")
    stream.ask(old_stream.ACK, sequence=1)

    assert received.message.content == b"a"
    assert hidden == ["b"]
    assert stream.ended
    assert engine.restarted().there("orders") == ["b"]


def test_no_message_ends_the_stream_when_the_wait_is_over(engine, stream):
    stream.receive(wait=2)

    engine.clock.advance(2)

    assert stream.said == ["Error 138: no new message in queue, wait time expired"]
    assert stream.ended


def test_an_expired_message_at_the_head_does_not_change_the_wait(engine, stream):
    engine.send("orders", "old", expiration=1)
    engine.clock.advance(1)
    stream.receive(wait=1, visibility=30)

    engine.clock.advance(1)

    assert stream.said[0].startswith("Error 138")


def test_visibility_that_runs_out_gives_the_message_back_with_a_raised_count(engine, stream):
    engine.send("orders", "a", "b")
    stream.receive(visibility=3)

    engine.clock.advance(3)

    assert stream.said[-1] == "Error 129: current visibility timer expired"
    assert stream.ended
    assert counts(engine, "orders", 2) == [("b", 2, 1), ("a", 3, 2)]


def test_visibility_that_runs_out_on_the_last_try_dead_letters(engine, stream):
    engine.send("orders", "a", max_receive_count=1, dead_letter="dead")
    stream.receive(visibility=1)

    engine.clock.advance(1)

    assert counts(engine, "dead") == [("a", 1, 1)]


def test_extending_starts_the_visibility_anew(engine, stream):
    engine.send("orders", "a")
    stream.receive(visibility=2)
    engine.clock.advance(1)

    stream.ask(old_stream.EXTEND, visibility=5)
    engine.clock.advance(4.9)
    before = stream.ended
    engine.clock.advance(0.1)

    assert (before, stream.ended) == (False, True)


def test_a_client_that_leaves_costs_the_message_a_try_and_its_place(engine, stream):
    engine.send("orders", "a", "b")
    stream.receive()

    stream.stream.close()

    assert counts(engine, "orders", 2) == [("b", 2, 1), ("a", 3, 2)]


def test_a_killed_broker_does_the_same_when_it_starts_again(engine, stream):
    engine.send("orders", "a", "b")
    stream.receive()

    again = engine.restarted()
    settle_left(again.queues, again.content.held)

    assert counts(again, "orders", 2) == [("b", 2, 1), ("a", 3, 2)]
    assert list(again.commits.store.load().held) == []


def test_a_client_that_leaves_while_the_message_is_read_costs_nothing(engine, stream):
    engine.send("orders", "a")
    engine.commits.hold_back()
    stream.receive()

    stream.stream.close()
    engine.commits.let_go()

    assert counts(engine, "orders") == [("a", 1, 1)]
    assert list(engine.commits.store.load().held) == []


def test_a_client_that_leaves_while_waiting_takes_nothing(engine, stream):
    stream.receive(wait=60)
    stream.stream.close()

    engine.send("orders", "a")

    assert engine.there("orders") == ["a"]


def test_another_stream_gets_the_next_message(engine, stream):
    engine.send("orders", "a", "b")
    stream.receive()

    assert Stream(engine).receive().message.content == b"b"


def test_reject_gives_back_and_ends(engine, stream):
    engine.send("orders", "a")
    stream.receive()

    stream.ask(old_stream.REJECT, sequence=1)

    assert stream.ended
    assert counts(engine, "orders") == [("a", 2, 2)]


def test_resend_sends_it_as_new_to_another_queue(engine, stream):
    engine.send("orders", "a")
    stream.receive()

    stream.ask(old_stream.RESEND, channel="bills")

    assert stream.ended
    assert counts(engine, "bills") == [("a", 1, 1)]
    assert engine.there("orders") == []


def test_modify_replaces_it_by_another_message(engine, stream):
    engine.send("orders", "a")
    stream.receive()

    stream.ask(old_stream.MODIFY, modified=draft("bills", "new"))

    assert stream.ended
    assert counts(engine, "bills") == [("new", 1, 1)]
    assert engine.there("orders") == []


def test_modify_into_a_delayed_message_waits(engine, stream):
    engine.send("orders", "a")
    stream.receive()
    stream.ask(old_stream.MODIFY, modified=draft("orders", "new", delay=5))
    early = engine.there("orders")

    engine.clock.advance(5)

    assert (early, engine.there("orders")) == ([], ["new"])


@pytest.mark.parametrize(
    ("type", "number"),
    [(old_stream.ACK, 124), (old_stream.REJECT, 137), (old_stream.RESEND, 126), (old_stream.MODIFY, 124)],
)
def test_settling_nothing_is_refused_and_the_stream_goes_on(stream, type, number):
    stream.ask(type, sequence=1, modified=draft("orders", "x"))

    assert stream.said[0].startswith(f"Error {number}:")
    assert not stream.ended


@pytest.mark.parametrize("sequence", [0, 7])
def test_an_ack_of_another_sequence_is_refused_and_keeps_the_message(engine, stream, sequence):
    engine.send("orders", "a")
    stream.receive()

    stream.ask(old_stream.ACK, sequence=sequence)

    assert stream.said[-1].startswith("Error 125:")
    assert not stream.ended


def test_a_second_receive_is_refused(engine, stream):
    engine.send("orders", "a", "b")
    stream.receive()

    stream.receive()

    assert stream.said[-1] == "Error 128: subscription to queue is already active"


def test_a_settlement_that_fails_leaves_the_message_held(engine, stream):
    engine.send("orders", "a")
    stream.receive()
    engine.commits.failing = "disk full"
    stream.ask(old_stream.ACK, sequence=1)
    engine.commits.failing = ""

    stream.ask(old_stream.ACK, sequence=1)

    assert stream.said[-2:] == ["disk full", old_stream.ACK]
    assert engine.there("orders") == []


def test_what_could_not_be_settled_before_the_stream_ended_is_there_for_others(engine, stream):
    engine.send("orders", "a")
    stream.receive()
    engine.commits.hold_back()
    stream.ask(old_stream.ACK, sequence=1)
    stream.stream.close()
    engine.commits.failing = "disk full"
    engine.commits.let_go()
    engine.commits.failing = ""

    assert engine.there("orders") == ["a"]


def test_a_client_that_goes_before_it_saw_a_message_costs_it_nothing_however_often_that_fails(engine, stream):
    engine.send("orders", "a")
    engine.commits.hold_back()
    stream.receive()
    stream.stream.close()
    engine.commits.step()
    engine.commits.failing = "disk full"
    engine.commits.let_go()
    engine.clock.advance(RETRY / SECOND)
    engine.commits.failing = ""
    hidden = engine.there("orders")
    engine.clock.advance(RETRY / SECOND)

    assert hidden == []
    assert counts(engine, "orders") == [("a", 1, 1)]
    assert engine.restarted().content.held == []


def test_a_stream_whose_time_is_over_ends_also_where_the_store_fails(engine, stream):
    engine.send("orders", "a")
    stream.receive(visibility=1)
    engine.commits.failing = "disk full"
    engine.clock.advance(1)
    engine.commits.failing = ""

    assert stream.said[-1] == "Error 129: current visibility timer expired"
    assert stream.ended
    assert engine.there("orders") == ["a"]


@pytest.mark.parametrize("delay", [0, 5])
def test_a_message_put_in_place_of_another_by_a_commit_that_seemed_to_fail_is_found(engine, stream, delay):
    engine.send("orders", "a")
    stream.receive()
    engine.commits.failing_late = "disk broken"
    stream.ask(old_stream.MODIFY, modified=draft("bills", "new", delay=delay))
    engine.commits.failing_late = ""
    engine.clock.advance(5)

    assert engine.there("bills") == ["new"]


def test_extending_with_nothing_held_ends_the_stream_when_the_time_is_over(engine, stream):
    stream.ask(old_stream.EXTEND, visibility=1)

    engine.clock.advance(1)

    assert stream.said == [old_stream.EXTEND, "Error 129: current visibility timer expired"]
    assert stream.ended
