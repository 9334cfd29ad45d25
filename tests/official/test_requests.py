"""Commands and queries between official clients and ours."""

import pytest

from kubemq_nb.errors import DeadlineExceeded
from kubemq_nb.messages import Response
from tests.official.client import Refused
from tests.official.exchange import MESSAGE, answered, bodies, fields, said, sendable

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

ANSWER = {"metadata": "Antwort", "body": b"\x00\xff", "tags": {"answer": "yes"}}


@pytest.fixture
def responding(theirs):
    """Begins a responder of theirs that gives every request the same answer."""
    begun = []

    def respond(kind, channel, reply, **options):
        begun.append(theirs.subscribe("respond", kind=kind, channel=channel, reply=reply, **options))
        return begun[-1]

    yield respond
    for responder in begun:
        responder.end()


@pytest.mark.rows("R-01", "R-07", "M-51")
def test_their_command_is_executed_by_our_responder(theirs, ours, channel):
    seen = []
    responder = ours.commands.respond(channel, seen.append)

    answer = theirs.ask(kind="commands", timeout=10, **sendable(theirs, channel=channel, **MESSAGE))

    assert fields(vars_of(seen[0])) == said(theirs, channel=channel, **MESSAGE)
    assert (seen[0].client_id, seen[0].timeout) == ("theirs", 10.0)
    assert fields(answer, "executed", "error", "request_id", "client_id") == {
        "executed": True,
        "error": "",
        "request_id": MESSAGE["id"],
        "client_id": "ours",
    }
    responder.stop()


@pytest.mark.rows("M-51")
def test_our_command_is_executed_by_their_responder(ours, responding, channel):
    responder = responding("commands", channel, {"executed": True})

    answer = answered(
        lambda: ours.commands.send(channel, timeout=0.5, **MESSAGE), unanswered=DeadlineExceeded
    )

    assert fields(responder.next()) == MESSAGE | {"channel": channel}
    assert (answer.executed, answer.error, answer.id) == (True, "", MESSAGE["id"])
    assert answer.client_id == "theirs"


@pytest.mark.rows("R-02")
@pytest.mark.parametrize("kind", ["commands", "queries"])
def test_a_refusal_of_our_responder_is_an_answer_to_them(theirs, ours, channel, kind):
    refusal = Response(executed=False, error="kein Platz", metadata="m")
    responder = getattr(ours, kind).respond(channel, lambda _: refusal)

    answer = theirs.ask(kind=kind, timeout=10, channel=channel, body=b"x", metadata="")

    assert fields(answer, "executed", "error") == {"executed": False, "error": "kein Platz"}
    responder.stop()


@pytest.mark.parametrize("kind", ["commands", "queries"])
def test_a_refusal_of_their_responder_is_an_answer_to_us(ours, responding, channel, kind):
    responding(kind, channel, {"executed": False, "error": "kein Platz", "metadata": "m"})

    answer = answered(
        lambda: getattr(ours, kind).send(channel, "x", timeout=0.5), unanswered=DeadlineExceeded
    )

    assert (answer.executed, answer.error) == (False, "kein Platz")


@pytest.mark.rows("R-05", "M-51")
def test_their_query_is_answered_by_our_responder(theirs, ours, channel):
    seen = []

    def answer(request):
        seen.append(request)
        return Response(executed=True, **ANSWER)

    responder = ours.queries.respond(channel, answer)

    given = theirs.ask(kind="queries", timeout=10, **sendable(theirs, channel=channel, **MESSAGE))

    assert fields(vars_of(seen[0])) == said(theirs, channel=channel, **MESSAGE)
    assert fields(given, *ANSWER) == ANSWER
    assert fields(given, "executed", "error", "request_id") == {
        "executed": True,
        "error": "",
        "request_id": MESSAGE["id"],
    }
    responder.stop()


@pytest.mark.rows("R-06", "M-51")
def test_our_query_is_answered_by_their_responder(theirs, ours, responding, channel):
    responder = responding("queries", channel, {"executed": True} | reply_of(theirs, ANSWER))

    answer = answered(lambda: ours.queries.send(channel, timeout=0.5, **MESSAGE), unanswered=DeadlineExceeded)

    assert fields(responder.next()) == MESSAGE | {"channel": channel}
    assert (answer.executed, answer.metadata, answer.body) == (True, ANSWER["metadata"], ANSWER["body"])
    assert dict(answer.tags) == reply_of(theirs, ANSWER).get("tags", {})


@pytest.mark.rows("R-03")
@pytest.mark.parametrize("kind", ["commands", "queries"])
def test_a_request_that_nobody_answers_ends_with_the_text_of_a_server(theirs, channel, kind):
    with pytest.raises(Refused, match="Error 301: timeout for request message"):
        theirs.ask(kind=kind, timeout=1, channel=channel, body=b"x", metadata="")


@pytest.mark.rows("R-08")
def test_their_second_question_is_answered_from_the_cache(theirs, ours, channel):
    asked = []

    def answer(request):
        asked.append(request)
        return b"answer %d" % len(asked)

    responder = ours.queries.respond(channel, answer)
    question = {"channel": channel, "body": b"?", "metadata": "", "cache_key": channel, "cache_ttl": 60}

    answers = [theirs.ask(kind="queries", timeout=10, **question) for _ in range(2)]

    assert bodies(answers) == [b"answer 1", b"answer 1"]
    assert len(asked) == 1
    if "js" not in theirs.name:  # which does not hand out whether it was a hit
        assert [given["cache_hit"] for given in answers] == [False, True]
    responder.stop()


def test_our_second_question_is_answered_from_what_their_responder_said(ours, responding, channel):
    responder = responding("queries", channel, {"executed": True, "body": b"answer", "metadata": "m"})
    first = answered(
        lambda: ours.queries.send(channel, "?", timeout=0.5, cache_key=channel, cache_ttl=60),
        unanswered=DeadlineExceeded,
    )
    responder.next()
    responder.end()

    second = ours.queries.send(channel, "?", cache_key=channel, cache_ttl=60)

    assert (first.cache_hit, second.cache_hit) == (False, True)
    assert first.body == second.body == b"answer"


@pytest.mark.rows("R-11")
def test_a_responder_of_theirs_and_one_of_ours_share_the_requests_of_a_group(
    theirs, ours, responding, channel
):
    member = responding("commands", channel, {"executed": True}, group="workers")
    answered(lambda: ours.commands.send(channel, "?", timeout=0.5), unanswered=DeadlineExceeded)
    seen = []
    responder = ours.commands.respond(channel, seen.append, group="workers")

    for number in range(40):
        assert theirs.ask(kind="commands", timeout=10, channel=channel, body=b"%d" % number, metadata="")[
            "executed"
        ]

    heard_by_us = [request.body for request in seen]
    heard_by_them = [item["body"] for item in member.heard() if item["body"] != b"?"]
    assert sorted(heard_by_us + heard_by_them, key=int) == [b"%d" % number for number in range(40)]
    assert heard_by_us, "nothing came to our responder"
    assert heard_by_them, "nothing came to their responder"
    responder.stop()


def vars_of(request):
    """A request of ours as a dict, with plain tags."""
    return {name: getattr(request, name) for name in request.__slots__} | {"tags": dict(request.tags)}


def reply_of(client, reply):
    """The answer without what a client's responder cannot say: only the newest SDK can answer with tags."""
    return reply if client.name == "kubemq 4.1.5" else {k: v for k, v in reply.items() if k != "tags"}
