"""Answers of one stream, in order, and no more under way than memory allows."""

import asyncio

import pytest

from kubemq_nb.broker.engine.old_stream import OldStream
from kubemq_nb.broker.handlers.queue_streams import QueueStreamHandlers
from kubemq_nb.broker.handlers.streams import PLACE_BYTES, UNANSWERED_BYTES, OrderedAnswers


class Written:
    """A call that notes what is written."""

    def __init__(self):
        self.answers = []

    async def write(self, answer):
        self.answers.append(answer)


def test_answers_are_written_in_the_order_of_what_they_answer():
    async def scenario():
        call = Written()
        answers = OrderedAnswers(call)
        first, second, third = (answers.expect(1) for _ in range(3))
        third(b"3")
        first(b"1")
        second(None)
        answers.close()
        await answers.write()
        return call.answers

    assert asyncio.run(scenario()) == [b"1", b"3"]


def test_no_more_is_read_while_too_much_waits_for_its_answer():
    async def scenario():
        answers = OrderedAnswers(Written())
        first, _ = answers.expect(UNANSWERED_BYTES), answers.expect(1)
        waiting = asyncio.create_task(answers.room())
        writing = asyncio.create_task(answers.write())
        await asyncio.sleep(0)
        before = waiting.done()
        first(b"1")
        await asyncio.wait_for(waiting, 10)
        writing.cancel()
        return before

    assert asyncio.run(scenario()) is False


def test_no_more_is_read_while_too_many_small_ones_wait_for_their_answers():
    async def scenario():
        answers = OrderedAnswers(Written())
        for _ in range(UNANSWERED_BYTES // PLACE_BYTES):
            answers.expect(0)
        await asyncio.wait_for(answers.room(), 10)
        answers.expect(0)
        waiting = asyncio.create_task(answers.room())
        await asyncio.sleep(0)
        before = waiting.done()
        waiting.cancel()
        return before

    assert asyncio.run(scenario()) is False


class Unread:
    """A call whose client asks on and on, and reads no answer."""

    def __init__(self):
        self.asked = 0
        self.writing = asyncio.Event()

    async def read(self):
        self.asked += 1
        await asyncio.sleep(0)
        return b""

    async def write(self, _):
        self.writing.set()
        await asyncio.Event().wait()


def test_a_client_of_the_older_stream_that_reads_no_answer_is_read_no_further():
    async def scenario():
        call = Unread()
        stream = asyncio.create_task(QueueStreamHandlers(None, None).old_stream(None, call))
        await asyncio.wait_for(call.writing.wait(), 10)
        for _ in range(1000):
            await asyncio.sleep(0)
        stream.cancel()
        await asyncio.wait([stream])
        return call.asked

    assert asyncio.run(scenario()) <= 3


def test_what_goes_wrong_with_a_request_of_the_older_stream_ends_it(monkeypatch):
    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(OldStream, "ask", broken)

    async def scenario():
        await asyncio.wait_for(QueueStreamHandlers(None, None).old_stream(None, Unread()), 10)

    with pytest.raises(ExceptionGroup) as told:
        asyncio.run(scenario())
    assert told.group_contains(RuntimeError, match="a bug")
