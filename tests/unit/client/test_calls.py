"""Waiting in a worker, and ending that wait."""

import signal
import threading
from queue import SimpleQueue

import pytest

from kubemq_nb.client import calls
from kubemq_nb.client.calls import Cancellation, Cancelled, Workers
from tests.conformance.support import eventually


class Call:
    """Something to cancel, and to wait for."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


@pytest.fixture
def workers():
    workers = Workers()
    yield workers
    workers.close()


def interrupt_main_thread():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_the_result_of_the_work_comes_back(workers):
    assert workers.run(lambda _: 42, name="x") == 42


def test_the_error_of_the_work_comes_back(workers):
    def work(_: Cancellation) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        workers.run(work, name="x")


def test_the_work_is_done_by_a_named_daemon(workers):
    thread = workers.run(lambda _: threading.current_thread(), name="kubemq-nb:peek:orders")

    assert thread is not threading.current_thread()
    assert thread.daemon


def test_an_interrupt_cancels_the_call_and_is_raised(workers):
    call = Call()

    def work(cancellation: Cancellation) -> None:
        cancellation.attach(call)
        interrupt_main_thread()
        call.cancelled.wait(10)

    with pytest.raises(KeyboardInterrupt):
        workers.run(work, name="x")

    assert call.cancelled.is_set()


def test_an_interrupt_after_the_commit_lets_the_work_end(workers):
    interrupted = threading.Event()

    def work(cancellation: Cancellation) -> str:
        cancellation.commit()
        interrupt_main_thread()
        interrupted.wait(0.2)  # nobody sets it: time for the interrupt to do harm, if it could
        return "kept"

    assert workers.run(work, name="x") == "kept"


@pytest.mark.timeout(30)
def test_an_interrupt_that_comes_with_the_outcome_loses_nothing(workers, monkeypatch):
    class Late(SimpleQueue):
        """Raises in the thread that waits, when it has taken what it waited for."""

        def get(self):
            taken = super().get()
            if threading.current_thread() is threading.main_thread():
                monkeypatch.undo()
                raise KeyboardInterrupt
            return taken

    def work(cancellation: Cancellation) -> str:
        cancellation.commit()
        return "kept"

    monkeypatch.setattr(calls, "SimpleQueue", Late)

    assert workers.run(work, name="x") == "kept"


def test_a_call_attached_after_the_cancel_is_cancelled_at_once():
    cancellation, call = Cancellation(), Call()

    cancellation.cancel()
    cancellation.attach(call)

    assert call.cancelled.is_set()


def test_work_that_was_cancelled_cannot_commit():
    cancellation = Cancellation()
    cancellation.cancel()

    with pytest.raises(Cancelled):
        cancellation.commit()


def test_work_that_has_committed_cannot_be_cancelled():
    cancellation, call = Cancellation(), Call()
    cancellation.attach(call)
    cancellation.commit()

    assert not cancellation.cancel()
    assert not call.cancelled.is_set()


def test_work_in_many_threads_is_not_mixed_up(workers):
    results: dict[int, list[int]] = {}

    def ask(me: int) -> None:
        results[me] = [workers.run(lambda _, value=value: (me, value), name="x") for value in range(50)]

    threads = [threading.Thread(target=ask, args=(me,)) for me in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert results == {me: [(me, value) for value in range(50)] for me in range(8)}


class Stream:
    """What gRPC makes of a two-way stream: requests are taken by a thread of its own, one after another."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.goes_on = threading.Semaphore(0)
        self._ended = threading.Event()

    def __call__(self, requests, metadata):
        threading.Thread(target=self._take, args=(requests,), daemon=True).start()
        return self

    def _take(self, requests):
        while self.goes_on.acquire() and not self._ended.is_set():
            self.sent.append(next(requests))

    def __iter__(self):
        self._ended.wait(10)
        yield from ()

    def cancel(self):
        self._ended.set()
        self.goes_on.release()


def test_what_was_handed_over_has_left_and_what_was_sent_may_wait():
    stream = Stream()
    conversation = calls.Conversation(lambda take: stream, metadata=(), name="x")

    handed_over = threading.Event()

    def hand_over():
        conversation.hand_over("second", timeout=1e6)
        handed_over.set()

    conversation.send("first")
    threading.Thread(target=hand_over, daemon=True).start()
    eventually(lambda: conversation._requests.qsize() == 2)
    stream.goes_on.release()
    eventually(lambda: stream.sent == ["first"])
    assert not handed_over.is_set()

    stream.goes_on.release()
    assert handed_over.wait(10)
    conversation.cancel()


def test_nobody_waits_for_a_stream_that_has_ended():
    stream = Stream()
    conversation = calls.Conversation(lambda take: stream, metadata=(), name="x")
    stream.cancel()
    assert conversation.receive(10) is None

    conversation.hand_over("late", timeout=1e6)


def test_the_end_of_a_stream_lets_go_who_waits_for_it():
    stream = Stream()
    conversation = calls.Conversation(lambda take: stream, metadata=(), name="x")
    waits = threading.Thread(
        target=conversation.hand_over, args=("never",), kwargs={"timeout": 1e6}, daemon=True
    )
    waits.start()

    stream._ended.set()
    waits.join(10)

    assert not waits.is_alive()
    assert stream.sent == []
    stream.cancel()
