"""The client on queues: what is there comes at once, nothing in hand is lost."""

import threading

import pytest

from kubemq_nb._wire import codec
from kubemq_nb.client.connection import PACE
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.errors import RequestRejected
from tests.conformance.client_support import LONG, ME, bodies, message, not_waiting
from tests.conformance.support import interrupted


@pytest.fixture
def queues(connection):
    return QueuesClient(connection)


def peek(queues, channel, *, count=32, wait=0.0):
    return queues.peek(channel, count=count, wait=wait, client_id=ME)


def receive(queues, channel, *, count=32, wait=0.0):
    return queues.receive(channel, count=count, wait=wait, client_id=ME)


def test_a_peek_for_more_than_is_there_does_not_wait(queues, channel):
    queues.send_batch([message(channel, number) for number in range(3)])

    with not_waiting():
        looked = peek(queues, channel, count=10, wait=LONG)

    assert bodies(looked.payloads) == ["0", "1", "2"]
    assert not looked.cut


def test_a_receive_for_more_than_is_there_does_not_wait(queues, channel):
    queues.send_batch([message(channel, number) for number in range(3)])

    with not_waiting():
        received = receive(queues, channel, count=10, wait=LONG)

    assert bodies(received.payloads) == ["0", "1", "2"]
    assert received.note == ""
    assert receive(queues, channel).payloads == []


def test_without_a_wait_an_empty_queue_is_told_at_once(queues, channel):
    with not_waiting(1.0):
        assert receive(queues, channel, wait=0).payloads == []
        assert peek(queues, channel, wait=0).payloads == []


@pytest.mark.rows("Q-09")
@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("read", [peek, receive])
def test_a_message_sent_into_a_long_wait_ends_it_for_any_count(queues, channel, read, count):
    later = threading.Timer(0.3, queues.send, [message(channel, "late")])
    later.start()

    with not_waiting():
        received = read(queues, channel, count=count, wait=LONG)
    later.join()

    assert bodies(received.payloads) == ["late"]


def test_an_interrupted_receive_gives_everything_back(queues, channel):
    with interrupted():
        receive(queues, channel, wait=LONG)

    queues.send(message(channel, "after"))
    with not_waiting():
        received = receive(queues, channel, wait=LONG)

    assert bodies(received.payloads) == ["after"]
    assert codec.decode_queue_message(received.payloads[0]).receive_count == 1


def test_an_interrupted_peek_leaves_the_client_usable(queues, channel):
    with interrupted():
        peek(queues, channel, wait=LONG)

    queues.send(message(channel, "after"))

    assert bodies(receive(queues, channel, wait=LONG).payloads) == ["after"]


def test_an_empty_receive_swallows_nothing_that_comes_later(queues, channel):
    assert receive(queues, channel, wait=1).payloads == []

    queues.send(message(channel, "later"))

    assert bodies(peek(queues, channel).payloads) == ["later"]


def test_more_than_one_poll_takes_them_all_in_order(queues, channel):
    sent = [str(number) for number in range(2500)]
    queues.send_batch([message(channel, body) for body in sent])

    received = receive(queues, channel, count=3000)

    assert bodies(received.payloads) == sent


@pytest.mark.rows("Q-05")
def test_a_batch_keeps_its_order_over_many_calls_and_tells_the_refused(queues, channel):
    sent = [message(channel, number) for number in range(2500)]
    sent[1200] = message("bad name", "x")
    told = []

    results = queues.send_batch(sent, progress=told.append)

    assert [index for index, result in enumerate(results) if result.is_error] == [1200]
    assert "(error 120)" in results[1200].error
    assert told == [1000, 2000, 2500]
    assert bodies(receive(queues, channel, count=3000).payloads) == [
        str(number) for number in range(2500) if number != 1200
    ]


def test_a_batch_of_refused_messages_sends_nothing(queues):
    (result,) = queues.send_batch([message("bad name", "x")])

    assert result.is_error
    assert not result.sent


def test_no_messages_are_no_call(queues):
    assert queues.send_batch([]) == []


def test_a_peek_shows_four_megabytes_and_says_that_there_is_more(queues, channel):
    queues.send_batch([message(channel, bytes(1_500_000)) for _ in range(4)])

    looked = peek(queues, channel)

    assert len(looked.payloads) == 2
    assert looked.cut


def test_one_message_is_shown_however_large(queues, channel):
    queues.send(message(channel, bytes(5_000_000)))

    looked = peek(queues, channel)

    assert len(looked.payloads) == 1
    assert not looked.cut


def test_a_peek_of_more_than_a_broker_shows_is_refused(queues, channel):
    with pytest.raises(RequestRejected, match="1,024"):
        peek(queues, channel, count=1025)


@pytest.mark.rows("Q-14")
def test_ack_all_removes_what_waits_and_tells_how_many(queues, channel):
    queues.send_batch([message(channel, number) for number in range(4)])

    assert queues.ack_all(channel, client_id=ME) == 4
    assert receive(queues, channel).payloads == []


def test_counts_of_one_queue_are_told(queues, channel):
    queues.send_batch([message(channel, number) for number in range(4)])

    (counts,) = queues.info(channel)

    assert (counts.name, counts.waiting) == (channel, 4)


@pytest.mark.rows("Q-02")
def test_four_receivers_share_a_thousand_messages_and_lose_none(queues, channel):
    queues.send_batch([message(channel, number) for number in range(1000)])
    taken: list[list[str]] = [[] for _ in range(4)]

    def take(mine):
        while received := receive(queues, channel, count=50, wait=1).payloads:
            mine.extend(bodies(received))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    together = [body for mine in taken for body in mine]
    assert sorted(together, key=int) == [str(number) for number in range(1000)]


@pytest.mark.embedded_only
def test_a_look_at_a_large_message_has_the_time_that_its_size_takes(queues, connection, channel, monkeypatch):
    given = []
    wait_for = connection.wait_for

    def noted(method, request, attempt, cancellation):
        given.append(attempt.timeout)
        return wait_for(method, request, attempt, cancellation)

    monkeypatch.setattr(connection, "wait_for", noted)
    queues.send(message(channel, bytes(10 * PACE)))

    queues.peek(channel, count=1, wait=0, client_id=ME)

    assert given == [1.0 + connection.timeout + 10]
