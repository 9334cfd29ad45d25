import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb.errors import DeadlineExceeded, RequestRejected
from kubemq_nb.messages import Response
from tests.conformance.support import PATIENCE, eventually, interrupted, pass_time


@pytest.fixture(params=["commands", "queries"])
def pattern(session, request):
    return getattr(session, request.param)


@pytest.mark.rows("R-01")
def test_a_command_is_executed_within_its_timeout(session, channel):
    seen = []
    session.commands.respond(channel, lambda request: seen.append(request.kind))

    answer = session.commands.send(channel, "open gate 7", timeout=PATIENCE)

    assert (answer.executed, answer.error) == (True, "")
    assert 0 < answer.elapsed < PATIENCE
    assert seen == ["command"]


@pytest.mark.rows("R-02")
def test_a_refusal_is_an_answer_with_its_reason(session, channel, pattern):
    pattern.respond(channel, lambda request: Response(executed=False, error="gate C71 is taken"))

    answer = pattern.send(channel, "x")

    assert (answer.executed, answer.error) == (False, "gate C71 is taken")


@pytest.mark.rows("R-02")
def test_what_a_handler_raises_is_a_refusal(session, channel, pattern):
    def handler(request):
        raise LookupError("no such gate")

    responder = pattern.respond(channel, handler)

    answer = pattern.send(channel, "x")

    assert (answer.executed, answer.error) == (False, "LookupError: no such gate")
    assert responder.errors == 1
    assert "no such gate" in responder.status().note


@pytest.mark.rows("R-03")
def test_nobody_answering_is_an_error_after_the_timeout_and_not_before(channel, pattern):
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded) as caught:
        pattern.send(channel, "x", timeout=1.5)

    assert time.monotonic() - began >= 1.4
    assert channel in str(caught.value)
    assert "1.5 s" in str(caught.value)
    assert (caught.value.timeout, caught.value.channel) == (1.5, channel)


@pytest.mark.rows("R-04")
def test_a_stopped_responder_answers_no_more(session, channel):
    calls = []
    responder = session.commands.respond(channel, lambda request: calls.append(request.text))
    session.commands.send(channel, "before")

    responder.stop()

    with pytest.raises(DeadlineExceeded):
        session.commands.send(channel, "after", timeout=0.5)
    assert calls == ["before"]


@pytest.mark.rows("R-04")
def test_commands_of_a_group_go_to_one_member_each(session, channel):
    calls = []
    for member in ("a", "b"):
        session.commands.respond(
            channel, lambda request: calls.append(request.text), group="g", client_id=member
        )

    for number in range(10):
        assert session.commands.send(channel, f"c{number}").executed

    pass_time(0.2)  # for those that should not come
    assert sorted(calls) == [f"c{number}" for number in range(10)]


@pytest.mark.rows("R-05")
def test_a_query_brings_body_metadata_and_tags_of_the_answer(session, channel):
    session.queries.respond(
        channel,
        lambda request: Response(
            executed=True, body=b"\x00\xff", metadata="note ü", tags={"k": "v", "l": "w"}
        ),
    )

    answer = session.queries.send(channel, "x")

    assert (answer.body, answer.metadata, dict(answer.tags)) == (b"\x00\xff", "note ü", {"k": "v", "l": "w"})


@pytest.mark.rows("R-05")
@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"mean": 12.5}, b'{"mean": 12.5}'),
        ("text", b"text"),
        (b"\x00", b"\x00"),
        ([1, 2], b"[1, 2]"),
        (7, b"7"),
    ],
)
def test_what_a_handler_returns_is_the_body_of_the_answer(session, channel, value, body):
    session.queries.respond(channel, lambda request: value)

    assert session.queries.send(channel, "x").body == body


@pytest.mark.rows("R-06")
def test_an_answer_has_all_its_fields(session, channel):
    session.queries.respond(
        channel,
        lambda request: Response(executed=True, body=b"body", metadata="m", tags={"k": "v", "l": "w"}),
        client_id="the-responder",
    )

    answer = session.queries.send(channel, "x", id="asked")

    assert (answer.executed, answer.error, answer.cache_hit) == (True, "", False)
    assert (answer.body, answer.metadata, dict(answer.tags)) == (b"body", "m", {"k": "v", "l": "w"})
    assert (answer.id, answer.channel, answer.client_id) == ("asked", channel, "the-responder")
    assert abs(answer.timestamp - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.rows("R-07", "M-07")
def test_a_responder_sees_all_fields_of_the_request(session, channel, pattern):
    responder = pattern.respond(channel, reply="x")

    pattern.send(
        channel,
        b"\x00\xff",
        id="asked",
        metadata="note ü",
        tags={"k": "v", "l": "w"},
        timeout=7.5,
        client_id="the-asker",
    )

    request = responder.last
    assert (request.id, request.body, request.metadata) == ("asked", b"\x00\xff", "note ü")
    assert dict(request.tags) == {"k": "v", "l": "w"}
    assert (request.channel, request.client_id, request.timeout) == (channel, "the-asker", 7.5)
    assert request.reply_channel


@pytest.mark.rows("R-08")
@pytest.mark.embedded_only
def test_asking_again_under_a_cache_key_is_a_hit_until_its_time_is_over(session, channel):
    calls = []
    session.queries.respond(channel, lambda request: calls.append(request.text) or f"answer {len(calls)}")

    def ask():
        return session.queries.send(channel, "x", cache_key=channel, cache_ttl=2)

    first, second = ask(), ask()
    pass_time(2.5)
    third = ask()

    assert [(each.text, each.cache_hit) for each in (first, second, third)] == [
        ("answer 1", False),
        ("answer 1", True),
        ("answer 2", False),
    ]
    assert len(calls) == 2


@pytest.mark.rows("R-08")
@pytest.mark.embedded_only
def test_without_a_cache_key_every_query_reaches_the_responder_once(session, channel):
    responder = session.queries.respond(channel, reply="x")

    for _ in range(3):
        assert not session.queries.send(channel, "x").cache_hit

    assert responder.received == 3


@pytest.mark.rows("R-09")
@pytest.mark.parametrize("ttl", [None, 0, -1, 0.5])
def test_a_cache_key_without_a_time_is_refused(session, channel, ttl):
    with pytest.raises(RequestRejected, match=r"cache_ttl|time to live"):
        session.queries.send(channel, "x", cache_key="k", cache_ttl=ttl)


@pytest.mark.rows("R-10")
def test_a_query_answered_with_nothing_is_refused_in_plain_words(session, channel):
    responder = session.queries.respond(channel, lambda request: None)

    answer = session.queries.send(channel, "x")

    assert not answer.executed
    assert "neither body nor metadata" in answer.error
    assert responder.errors == 1


@pytest.mark.rows("R-11")
def test_two_responders_of_a_group_share_the_queries(session, channel):
    members = [
        session.queries.respond(channel, reply=name, group="g", client_id=name) for name in ("left", "right")
    ]

    answers = [session.queries.send(channel, f"q{number}").text for number in range(40)]

    pass_time(0.2)  # for those that should not come
    received = [member.received for member in members]
    assert [answers.count("left"), answers.count("right")] == received
    assert sum(received) == 40
    assert min(received) > 0


@pytest.mark.rows("R-11")
def test_four_requests_are_answered_at_once(session, channel):
    together = threading.Barrier(4)
    session.queries.respond(channel, lambda request: f"{request.text} met {together.wait(PATIENCE) >= 0}")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda name: session.queries.send(channel, name).text, "abcd"))

    assert answers == [f"{name} met True" for name in "abcd"]


@pytest.mark.rows("R-12")
def test_functions_and_coroutine_functions_answer_alike(session, channel):
    async def later(request):
        await asyncio.sleep(0.01)
        return request.text.upper()

    session.queries.respond(f"{channel}.function", lambda request: request.text.upper())
    session.queries.respond(f"{channel}.coroutine", later)

    assert session.queries.send(f"{channel}.function", "abc").text == "ABC"
    assert session.queries.send(f"{channel}.coroutine", "abc").text == "ABC"


def test_responding_again_swaps_the_handler_and_keeps_the_job(session, channel, pattern):
    first = pattern.respond(
        channel, lambda request: Response(executed=True, body=b"1", tags={"from": "first"})
    )
    pattern.send(channel, "x")

    again = pattern.respond(
        channel, lambda request: Response(executed=True, body=b"2", tags={"from": "second"})
    )

    assert again is first
    assert dict(pattern.send(channel, "x").tags) == {"from": "second"}
    assert first.received == 2


def test_an_echo_returns_what_was_asked(session, channel):
    session.queries.respond(channel, echo=True)

    answer = session.queries.send(channel, b"\x01", metadata="m", tags={"k": "v"})

    assert (answer.body, answer.metadata, dict(answer.tags)) == (b"\x01", "m", {"k": "v"})


@pytest.mark.rows("M-23")
def test_thinking_takes_its_time(session, channel):
    session.queries.respond(channel, reply="x", think=0.3)

    assert session.queries.send(channel, "x").elapsed >= 0.3


@pytest.mark.rows("R-13", "M-24")
def test_what_is_answered_by_hand_reaches_the_asker_as_it_was_given(session, channel):
    desk = session.queries.respond(channel, manual=True)
    session.commands.respond(channel, manual=True)
    with ThreadPoolExecutor(2) as others:
        query = others.submit(session.queries.send, channel, b"\x00?", id="q-1", timeout=PATIENCE)
        command = others.submit(session.commands.send, channel, "open", id="c-1", timeout=PATIENCE)
        assert desk.wait(count=2, timeout=PATIENCE)
        assert {each.request.id: each.request.body for each in desk.open} == {"q-1": b"\x00?", "c-1": b"open"}

        desk.reply("q-1", b"\xff", metadata="by hand", tags={"desk": "4"})
        desk.refuse("c-1", "gate C71 is taken", tags={"until": "06:10"})

        answer, refusal = query.result(), command.result()
    assert (answer.executed, answer.body, answer.metadata) == (True, b"\xff", "by hand")
    assert answer.tags == {"desk": "4"}
    assert (refusal.executed, refusal.error, refusal.tags) == (False, "gate C71 is taken", {"until": "06:10"})


@pytest.mark.parametrize("ways", [{}, {"echo": True, "reply": "x"}, {"handler": print, "echo": True}])
def test_a_responder_has_one_way_to_answer(session, channel, ways):
    with pytest.raises(TypeError, match="one of handler, reply, echo or manual"):
        session.queries.respond(channel, **ways)


def test_an_interrupted_request_leaves_a_session_that_works(session, channel):
    with interrupted():
        session.queries.send(channel, "x", timeout=60)

    session.queries.respond(channel, reply="there")
    assert eventually(lambda: session.queries.send(channel, "x").text) == "there"
