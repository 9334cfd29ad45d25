import asyncio
import threading

import pytest

from kubemq_nb.messages import Response
from kubemq_nb.session.responders import Responder, as_response, short
from tests.unit.session.streams import FedStream, request


class Desk:
    """A responder with what it replied."""

    def __init__(self, handler, *, workers=4, **options):
        self.stream = FedStream()
        self.replies = []
        self.responder = Responder(
            kind="queries", channel="prices", handler=handler, reply=self.reply, **options
        )
        self.responder.begin(self.stream.subscribe, workers=workers)

    def reply(self, request, response):
        self.replies.append(response)

    def ask(self, *bodies):
        for body in bodies:
            self.stream.put_payload(request(body))
        assert self.responder.wait(count=self.responder._done() + len(bodies), timeout=5)
        return self.replies[-1]


@pytest.fixture
def desk():
    desks = []

    def open(*args, **options):
        desks.append(Desk(*args, **options))
        return desks[-1]

    yield open
    for each in desks:
        each.responder.stop()


def test_a_handler_answers_and_the_log_tells_both(desk):
    answer = desk(lambda request: {"price": len(request.text)}).ask("four")

    assert answer.executed
    assert answer.json() == {"price": 4}


def test_the_log_has_request_answer_and_time(desk):
    one = desk(lambda request: "answer")

    one.ask("question")

    row = one.responder.df.iloc[0]
    assert (row.decoded, row.answer, bool(row.executed), row.error) == ("question", "answer", True, None)
    assert row.elapsed >= 0
    assert one.responder.last.text == "question"


@pytest.mark.rows("M-39")
def test_what_a_handler_raises_is_a_refusal_with_its_line_and_no_folder(desk):
    def handler(request):
        raise ValueError("no gate in /home/someone/gates.json")

    one = desk(handler)
    answer = one.ask("x")

    assert (answer.executed, answer.error) == (False, "ValueError: no gate in gates.json")
    assert one.responder.df["line"][0] == handler.__code__.co_firstlineno + 1
    assert one.responder.errors == 1


def test_the_status_counts_what_was_executed_and_what_was_refused(desk):
    def handler(request):
        if request.text == "no":
            raise ValueError("no")
        return "yes"

    one = desk(handler)
    one.ask("yes", "no", "yes")

    status = one.responder.status()
    assert (status.answered, status.refused, status.unanswered) == (2, 1, 0)
    assert sorted(one.responder.df["outcome"]) == ["answered", "answered", "refused"]
    assert set(one.responder.df["by"]) == {"handler"}


def test_an_answer_after_the_asker_gave_up_counts_as_none(desk):
    one = desk(lambda request: "late", think=0.02)
    one.stream.put_payload(request("hurry", Timeout=10))
    assert one.responder.wait(count=1, timeout=5)

    assert one.responder.status().unanswered == 1
    assert one.responder.df["outcome"][0] == "unanswered"


def test_a_handler_that_exits_does_not_take_its_thread_along(desk):
    def handler(request):
        if request.text == "exit":
            raise SystemExit(2)
        return "fine"

    one = desk(handler, workers=1)

    assert not one.ask("exit").executed
    assert one.ask("again").executed


def test_a_coroutine_function_answers_too(desk):
    async def handler(request):
        await asyncio.sleep(0)
        return "later"

    assert desk(handler).ask("x").text == "later"


def test_four_requests_are_answered_at_once(desk):
    together = threading.Barrier(4)
    one = desk(lambda request: (together.wait(5), "met")[1])

    one.ask("a", "b", "c", "d")

    assert [reply.text for reply in one.replies] == ["met"] * 4


def test_a_query_answered_with_nothing_is_a_refusal_that_says_why(desk):
    one = desk(lambda request: None)

    answer = one.ask("x")

    assert not answer.executed
    assert "neither body nor metadata" in answer.error
    assert one.responder.df["error"][0] == answer.error


def test_a_swapped_handler_answers_the_next_request(desk):
    one = desk(lambda request: "old")
    one.ask("a")

    one.responder.swap(lambda request: "new")

    assert one.ask("b").text == "new"
    assert not one.stream.closed


def test_after_stop_nothing_is_answered(desk):
    calls = []
    one = desk(lambda request: calls.append(request) or "x")

    one.responder.stop()
    one.stream.put_payload(request())

    assert one.stream.closed
    assert calls == []


def test_stopping_does_not_wait_for_one_who_thinks(desk):
    one = desk(lambda request: "x", think=60.0)
    one.stream.put_payload(request())
    with one.responder._changed:
        assert one.responder._changed.wait_for(lambda: one.responder.received, 5)

    one.responder.stop()

    assert one.replies == []


@pytest.mark.parametrize(
    ("value", "response"),
    [
        (None, Response(executed=True)),
        (True, Response(executed=True)),
        (False, Response(executed=False, error="the handler returned False")),
        (b"\x00", Response(executed=True, body=b"\x00")),
        ("text", Response(executed=True, body=b"text")),
        ({"a": 1}, Response(executed=True, body=b'{"a": 1}')),
        (12.5, Response(executed=True, body=b"12.5")),
        (Response(executed=False, error="no"), Response(executed=False, error="no")),
    ],
)
def test_what_a_handler_may_return(value, response):
    assert as_response(value, to="command") == response


def test_a_response_may_be_made_of_text_or_json(desk):
    assert desk(lambda request: Response(executed=True, body={"a": 1})).ask("x").body == b'{"a": 1}'


def test_a_response_that_cannot_be_sent_is_a_refusal(desk):
    one = desk(lambda request: Response(executed=True, body=b"x", metadata=5))

    answer = one.ask("x")

    assert not answer.executed
    assert "metadata is text, not 5" in answer.error


def test_an_answer_that_does_not_get_through_is_in_the_log_and_the_next_one_does(desk):
    def broken(request, response):
        raise OSError("the line is dead")

    one = desk(lambda request: "fine")
    one.responder._reply, whole = broken, one.responder._reply
    one.stream.put_payload(request("lost"))
    with one.responder._changed:
        assert one.responder._changed.wait_for(lambda: one.responder.errors, 5)
    assert one.responder.wait(count=1, timeout=5)
    one.responder._reply = whole

    assert one.ask("again").text == "fine"
    assert "the line is dead" in one.responder.status().note


def test_an_error_with_half_a_surrogate_pair_reaches_its_asker(desk):
    def missing(request):
        raise FileNotFoundError("flights-\udce9.csv")

    assert desk(missing).ask("x").error == r"FileNotFoundError: flights-\udce9.csv"


def test_an_answer_that_has_no_form_on_the_wire_is_a_refusal(desk):
    one = desk(lambda request: Response(executed=True, body=b"x", metadata="\ud800"))
    whole = one.responder._reply

    def encoded(request, response):
        response.metadata.encode()
        whole(request, response)

    one.responder._reply = encoded

    answer = one.ask("x")

    assert not answer.executed
    assert "surrogates not allowed" in answer.error
    assert one.responder.errors == 1


def test_what_a_handler_may_not_return_is_named():
    with pytest.raises(TypeError, match="not set"):
        as_response({1, 2}, to="query")


def test_an_error_for_the_asker_is_one_short_line():
    text = short(RuntimeError("line one\nline two " + "x" * 1000))

    assert text.startswith("RuntimeError: line one line two")
    assert len(text) == 300
