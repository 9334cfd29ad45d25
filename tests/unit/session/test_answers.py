import threading

import pytest

from kubemq_nb import render
from kubemq_nb.errors import BrokerUnavailable, DeadlineExceeded, InvalidMessage, RequestRejected
from kubemq_nb.messages import Response
from kubemq_nb.session import answers
from kubemq_nb.session.answers import Answers
from tests.unit.session.lines import COMMAND, Line


@pytest.fixture
def desk():
    desk = Answers()
    yield desk
    desk.close()


@pytest.fixture
def line(desk):
    return Line(desk)


def waits(desk, count):
    """Whether so many wait at last."""
    with desk._changed:
        return desk._changed.wait_for(lambda: len(desk._waiting) == count, 5)


def settled(desk, count):
    with desk._changed:
        return desk._changed.wait_for(lambda: desk._settled.total() == count, 5)


def test_requests_of_all_channels_wait_at_one_desk(desk, line):
    gates = Line(desk, "commands", "gates")
    line.ask("q-1", '{"carrier": "UA"}')
    assert waits(desk, 1)
    gates.ask("c-1", "open", **COMMAND)
    assert waits(desk, 2)

    waiting = desk.waiting

    assert desk.channels == ("prices", "gates")
    assert waiting["kind"].tolist() == ["query", "command"]
    assert waiting["decoded"].tolist() == [{"carrier": "UA"}, "open"]
    assert all(0 < left <= 10 for left in waiting["left"])
    assert (waiting["deadline"] - waiting["timestamp"]).dt.total_seconds().tolist() == [10.0, 10.0]
    head, first, *_ = render.frame(waiting).text.splitlines()
    assert head.split()[:4] == ["id", "kind", "channel", "left"]
    assert first.split()[:3] == ["q-1", "query", "prices"]


def test_a_reply_reaches_the_asker_and_stands_in_both_logs(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)

    given = desk.reply("q-1", {"mean": 6.5}, metadata="by me", tags={"desk": "4"})

    assert line.replies == [
        ("q-1", Response(executed=True, body=b'{"mean": 6.5}', metadata="by me", tags={"desk": "4"}))
    ]
    assert (given.id, given.channel, given.executed) == ("q-1", "prices", True)
    for log in (desk.df, line.responder.df):
        row = log.iloc[0]
        assert (row.outcome, row.by, row.answer) == ("answered", "hand", {"mean": 6.5})
        assert row.elapsed > 0
    assert len(desk.waiting) == 0


def test_a_refusal_says_why(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)

    desk.refuse("q-1", "gate C71 is taken")

    assert line.replies == [("q-1", Response(executed=False, error="gate C71 is taken"))]
    assert desk.df["outcome"][0] == "refused"
    assert (desk.status().refused, line.responder.status().refused) == (1, 1)


def test_the_beginning_of_an_id_is_enough_while_it_is_the_only_one(desk, line):
    line.ask("5d60bc1e-1")
    line.ask("5d60ffff-2")
    assert waits(desk, 2)

    with pytest.raises(ValueError, match="2 requests that wait begin with 5d60"):
        desk.reply("5d60", "x")
    desk.reply("5d60b", "x")

    assert [id for id, _ in line.replies] == ["5d60bc1e-1"]


def test_of_two_requests_with_one_id_the_one_that_was_meant_gets_the_answer(desk, line):
    line.ask("q-1", "first", ReplyChannel="inbox-1")
    line.ask("q-1", "second", ReplyChannel="inbox-2")
    assert waits(desk, 2)
    first, second = sorted(desk.open, key=lambda each: each.request.body)

    desk.reply(second, "to the second")

    assert desk.open == [first]
    with pytest.raises(RequestRejected, match="The request q-1 has its answer"):
        desk.refuse(second)
    desk.refuse("q-1", "to the first")
    assert [response.body or response.error for _, response in line.replies] == [
        b"to the second",
        "to the first",
    ]


def test_a_request_whose_answer_was_interrupted_waits_on(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)
    line.broken = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        desk.reply("q-1", "x")

    assert [each.request.id for each in desk.open] == ["q-1"]


def test_a_request_whose_time_ran_out_leaves_and_is_unanswered_in_the_log(desk, line):
    line.ask("q-1", Timeout=30)

    assert settled(desk, 1)
    assert len(desk.waiting) == 0
    row = desk.df.iloc[0]
    assert (row.outcome, row.by, row.error) == ("unanswered", None, "nobody answered within 0.03 s")
    assert (desk.status().unanswered, line.responder.status().unanswered) == (1, 1)
    with pytest.raises(RequestRejected, match=r"its asker gave up after 0.03 s\. Nothing was sent"):
        desk.reply("q-1", "late")
    assert line.replies == []


def test_a_second_answer_is_refused_and_names_the_first(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)
    desk.reply("q-1", "x")

    with pytest.raises(RequestRejected, match="q-1 has its answer"):
        desk.reply("q-1", "y")
    with pytest.raises(RequestRejected, match="No request q-2 waits here"):
        desk.refuse("q-2")

    assert len(line.replies) == 1


def test_of_two_who_answer_at_once_one_does(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)
    together, refused = threading.Barrier(2), []

    def answer(body):
        together.wait(5)
        try:
            desk.reply("q-1", body)
        except RequestRejected as error:
            refused.append(error)

    both = [threading.Thread(target=answer, args=(body,)) for body in ("a", "b")]
    for each in both:
        each.start()
    for each in both:
        each.join(5)

    assert (len(line.replies), len(refused)) == (1, 1)


@pytest.mark.parametrize("error", [BrokerUnavailable("gone"), InvalidMessage("a query needs a body")])
def test_what_does_not_get_through_waits_on_in_its_place(desk, line, error):
    for id in ("q-1", "q-2"):
        line.ask(id)
        assert waits(desk, int(id[-1]))
    line.broken = error

    with pytest.raises(type(error)):
        desk.reply("q-1")
    line.broken = None

    assert desk.waiting["id"].tolist() == ["q-1", "q-2"]
    desk.reply("q-1", "now")
    assert [id for id, _ in line.replies] == ["q-1"]


def test_an_answer_at_the_last_moment_that_is_too_late_says_so(desk, line, monkeypatch):
    line.ask("q-1")
    assert waits(desk, 1)
    monkeypatch.setattr(answers.OpenRequest, "left", 0.0)

    with pytest.raises(DeadlineExceeded, match=r"the asker of q-1 gave up after 10 s\. Nothing was sent"):
        desk.reply("q-1", "x")

    assert line.replies == []


@pytest.mark.parametrize(
    ("chosen", "reply"),
    [
        ({"mode": "echo"}, Response(executed=True, body=b"ask", metadata="m")),
        ({"mode": "fixed", "body": {"a": 1}}, Response(executed=True, body=b'{"a": 1}')),
        ({"mode": "fixed", "metadata": "n"}, Response(executed=True, metadata="n")),
        ({"mode": "delay", "after": 0.02}, Response(executed=True, body=b"ask", metadata="m")),
        ({"mode": "error", "error": "closed"}, Response(executed=False, error="closed")),
    ],
)
def test_a_desk_answers_by_itself_what_waits_and_what_comes(desk, line, chosen, reply):
    line.ask("q-1", Metadata="m")
    assert waits(desk, 1)

    desk.auto(**chosen)
    line.ask("q-2", Metadata="m")

    assert settled(desk, 2)
    assert [response for _, response in line.replies] == [reply, reply]
    assert set(desk.df["by"]) == {"auto"}


def test_switched_off_requests_wait_for_the_hand_again(desk, line):
    desk.auto("delay", after=60)
    line.ask("q-1")
    assert waits(desk, 1)

    desk.auto("off")
    desk.reply("q-1", "by hand")

    assert desk.df["by"].tolist() == ["hand"]


def test_the_hand_may_be_faster_than_a_delay(desk, line):
    desk.auto("delay", after=60)
    line.ask("q-1")
    assert waits(desk, 1)

    desk.reply("q-1", "now")

    assert line.replies[0][1].body == b"now"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ({"mode": "echo", "body": "x"}, "echo has no body"),
        ({"mode": "fixed", "error": "x"}, "fixed gives no reason"),
        ({"mode": "fixed"}, "fixed wants the answer: a body or metadata"),
        ({"mode": "fixed", "tags": {"k": "v"}}, "fixed wants the answer: a body or metadata"),
        ({"mode": "sometimes"}, "mode is off, echo, fixed, delay, error; not sometimes"),
        ({"mode": "delay", "after": -1}, "0 seconds after its request or later, not -1"),
    ],
)
def test_an_auto_answer_that_makes_no_sense_is_refused(desk, call, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        desk.auto(**call)


def test_a_full_desk_refuses_what_comes_and_says_so(desk, line, monkeypatch):
    monkeypatch.setattr(answers, "MOST", 2)
    for number in range(4):
        line.ask(f"q-{number}")

    assert settled(desk, 2)
    assert waits(desk, 2)
    assert {response.error for _, response in line.replies} == {answers.FULL}
    assert "2 that came beyond that were refused" in desk.status().note


def test_a_desk_is_full_of_bytes_as_well(desk, line, monkeypatch):
    monkeypatch.setattr(answers, "MOST_BYTES", 1_000)
    line.ask("q-1", "x" * 900)
    assert waits(desk, 1)
    line.ask("q-2", "x" * 900)

    assert settled(desk, 1)
    assert [id for id, _ in line.replies] == ["q-2"]


def test_the_same_request_by_two_ways_is_answered_once(desk, line):
    second = Line(desk, channel="prices.>")
    line.ask("q-1")
    second.ask("q-1")
    with desk._changed:
        assert desk._changed.wait_for(lambda: desk._received == 2, 5)
    assert desk.waiting["id"].tolist() == ["q-1"]

    desk.reply("q-1", "once")

    assert len(line.replies) + len(second.replies) == 1
    assert desk.df["outcome"].tolist() == ["answered", "answered"]


def test_what_waits_when_listening_ends_can_still_be_answered(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)

    desk.stop()
    desk.reply("q-1", "late but in time")

    assert desk.status().state == "stopped"
    assert len(line.replies) == 1


def test_a_closed_desk_lets_go_of_what_waits(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)

    desk.close()

    assert len(desk.waiting) == 0
    assert desk.df[["outcome", "error"]].values.tolist() == [
        ["unanswered", "the connection was closed before anybody answered"]
    ]


def test_a_handler_takes_over_from_the_hand(desk, line):
    line.responder.swap(lambda request: "by a handler")
    line.ask("q-1")

    assert line.responder.wait(count=1, timeout=5)
    assert line.replies[0][1].body == b"by a handler"
    assert desk.responders == ()


def test_no_thread_looks_after_an_empty_desk(desk, line):
    line.ask("q-1")
    assert waits(desk, 1)
    desk.reply("q-1", "x")

    with desk._changed:
        assert desk._changed.wait_for(lambda: not desk._watched, 5) or not desk._watched


def test_the_version_grows_with_every_change(desk, line):
    seen = [desk.version]
    line.ask("q-1")
    assert waits(desk, 1)
    seen.append(desk.version)
    desk.reply("q-1", "x")
    seen.append(desk.version)
    desk.auto("echo")
    seen.append(desk.version)

    assert seen == sorted(set(seen))


def test_latency_tells_the_median_and_the_slowest(desk, line):
    assert desk.latency() is None
    line.ask("q-1")
    assert waits(desk, 1)
    desk.reply("q-1", "x")

    middle, slowest = desk.latency()

    assert 0 < middle <= slowest
