"""Answers of one stream, in order, and no more under way than memory allows."""

import asyncio

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
