"""The widget of the desk without a browser: what is open, what is typed, what that comes to."""

import pytest

from kubemq_nb.errors import BrokerUnavailable
from kubemq_nb.session import Answers
from kubemq_nb.widgets.asked import short
from kubemq_nb.widgets.views import Views
from tests.unit.session.lines import COMMAND, Line
from tests.unit.widgets.conftest import eventually

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def desk():
    desk = Answers(code="%kubemq queries respond prices --manual")
    yield desk
    desk.close()


@pytest.fixture
def line(desk):
    return Line(desk)


@pytest.fixture
def variables():
    return {}


@pytest.fixture
def view(desk, line, variables):
    view = Views(variables).of(desk)
    yield view
    view.close()


def ask(view, line, id, body="ask", **fields):
    """Ask, and wait until the view shows it."""
    before = sum(map(int, counts(view).values()))  # those that have ended meanwhile too
    line.ask(id, body, **fields)
    assert eventually(lambda: view.refresh() or sum(map(int, counts(view).values())) > before)


def act(view, name, **more):
    """Do what a button does, and wait until it is done."""
    view.act({"do": name, "turn": "hand 1", **more})
    assert eventually(lambda: not view.busy)


def enter(view, **fields):
    view.act({"do": "enter", "turn": "hand 1", "fields": {"of": view.detail.get("number"), **fields}})


def counts(view):
    return dict(view.status["counts"])


def asked(view):
    return [row["request"] for row in view.waiting["rows"]]


def logged(view, name):
    return [row[name] for row in view.log["rows"]]


@pytest.mark.rows("R-13", "M-24")
def test_the_oldest_request_is_open_in_full(view, line):
    tags = {"class": "intro"}
    ask(
        view,
        line,
        "5d60bc1e-77",
        '{"carrier": "UA"}',
        Tags=tags,
        ClientID="lesson",
        CacheKey="UA",
        CacheTTL=60,
    )
    ask(view, line, "q-2", "B6")

    detail = view.detail
    assert asked(view) == ['{"carrier":"UA"}', "B6"]
    assert (detail["number"], detail["kind"], detail["id"]) == (1, "query", "5d60bc1e-77")
    assert detail["decoded"] == '{\n  "carrier": "UA"\n}'
    assert (detail["raw"], detail["tags"]) == ('{"carrier": "UA"}', [["class", "intro"]])
    assert (detail["sender"], detail["cache"]) == ("lesson", "UA, 60 s")
    assert detail["timeout"] == 10
    assert counts(view) == {"waiting": "2", "answered": "0", "refused": "0", "too late": "0"}
    assert view.status["word"] == "taking requests"


@pytest.mark.rows("R-13", "M-24")
def test_an_answer_goes_to_the_asker_and_the_next_request_is_open(view, line, variables, desk):
    variables["answers"] = desk
    ask(view, line, "5d60bc1e-77", '{"carrier": "UA"}')
    ask(view, line, "q-2", "B6")
    enter(view, body='{"mean": 6.5}', metadata="by me", tags=[["desk", "4"]])
    assert (view.values["body"]["note"], view.heard) == ("JSON, 13 bytes", "hand 1")

    act(view, "answer", number=1)

    ((id, given),) = line.replies
    assert (id, given.executed, given.body) == ("5d60bc1e-77", True, b'{"mean": 6.5}')
    assert (given.metadata, given.tags) == ("by me", {"desk": "4"})
    assert (view.detail["number"], view.values["body"]["text"]) == (2, "")
    assert (logged(view, "answer"), logged(view, "by")) == (['{"mean":6.5}'], ["hand"])
    assert view.foot["code"] == (
        "answers.reply('5d60bc1e', '{\"mean\": 6.5}', metadata='by me', tags={'desk': '4'})"
    )
    assert view.foot["held"] == "2 rows in answers.df"
    assert view.status["spoken"].startswith("Answered prices after")


@pytest.mark.rows("R-13", "M-24")
def test_a_refusal_says_why_and_the_foot_is_a_line_that_can_be_run(view, line):
    ask(view, line, "q 1")
    enter(view, executed="no", error="gate C71 is taken")

    act(view, "answer", number=1)

    assert [(given.executed, given.error) for _, given in line.replies] == [(False, "gate C71 is taken")]
    assert view.foot["code"] == '%kubemq answers refuse "q 1" --error "gate C71 is taken"'
    assert (view.detail, counts(view)["refused"]) == ({}, "1")


def test_a_body_that_cannot_be_read_is_not_sent(view, line):
    ask(view, line, "q-1", '{"carrier": "UA"}')
    enter(view, body='{"mean": ')

    act(view, "answer", number=1)

    assert (line.replies, view.wrong["field"], view.wrong["turn"]) == ([], "body", "hand 1")
    assert "Line 1" in view.values["body"]["note"]
    enter(view, body='{"mean":1}')
    act(view, "format")
    assert view.values["body"]["text"] == '{\n  "mean": 1\n}'
    enter(view, body_as="hex", body="00 ff")
    act(view, "answer", number=1)
    assert line.replies[0][1].body == b"\x00\xff"


def test_what_does_not_get_through_waits_on_with_what_was_typed(view, line):
    ask(view, line, "q-1")
    enter(view, body="now")
    line.broken = BrokerUnavailable("Nothing answers. Is it running?")

    act(view, "answer", number=1)

    assert (view.said["head"], view.said["tone"]) == ("Nothing answers.", "bad")
    assert (view.detail["number"], view.values["body"]["text"]) == (1, "now")
    line.broken = None
    act(view, "answer", number=1)
    assert line.replies[0][1].body == b"now"


@pytest.mark.rows("M-24")
def test_a_request_that_runs_out_keeps_what_was_typed_and_says_so(view, line):
    ask(view, line, "q-1", Timeout=2000)
    enter(view, body="almost")
    ask(view, line, "q-2")

    assert eventually(lambda: view.detail["end"])

    assert view.detail["end"] == {
        "head": "Too late: the asker gave up after 2 s.",
        "rest": "Nothing of what you typed was sent; it is still here.",
    }
    assert (asked(view), counts(view)["too late"]) == (["ask"], "1")
    act(view, "answer", number=1)
    assert line.replies == []
    act(view, "carry")
    assert (view.detail["number"], view.values["body"]["text"]) == (2, "almost")
    act(view, "answer", number=2)
    assert [(id, given.body) for id, given in line.replies] == [("q-2", b"almost")]


def test_what_nobody_attends_to_makes_room_when_it_ends(view, line):
    ask(view, line, "q-1", Timeout=100)
    assert eventually(lambda: view.detail == {})
    ask(view, line, "q-2", Timeout=2000)
    view.act({"do": "attend", "number": 2})

    assert eventually(lambda: view.detail["end"])

    assert view.detail["end"]["rest"] == ""
    act(view, "discard")
    assert view.detail == {}


def test_a_request_that_a_call_answers_says_so(view, line, desk):
    ask(view, line, "q-1")
    enter(view, body="mine")

    desk.reply("q-1", "theirs")

    assert eventually(lambda: view.detail["end"])
    assert view.detail["end"]["head"].startswith("Answered by a call or in another view after")
    act(view, "answer", number=1)
    assert (len(line.replies), view.said) == (1, {})


def test_each_request_has_its_own_draft_and_its_own_letters(view, line):
    ask(view, line, "same", "first", ReplyChannel="inbox-1")
    ask(view, line, "same", "second", ReplyChannel="inbox-2")
    enter(view, body="to the first")
    act(view, "open", number=2)
    view.act({"do": "enter", "turn": "hand 2", "fields": {"of": 1, "metadata": "late letters"}})
    enter(view, body="to the second")
    act(view, "answer", number=2)

    assert view.detail["number"] == 1
    assert (view.values["body"]["text"], view.values["metadata"]) == ("to the first", "late letters")
    assert [given.body for _, given in line.replies] == [b"to the second"]
    assert asked(view) == ["first"]


def test_a_command_is_executed_without_a_body(view, line, desk):
    gates = Line(desk, "commands", "gates")
    ask(view, gates, "c-1", "open", **COMMAND)
    assert (view.detail["kind"], view.about["channel"]) == ("command", "prices, gates")

    act(view, "answer", number=1)

    assert [given.executed for _, given in gates.replies] == [True]


@pytest.mark.rows("M-24")
def test_the_auto_answer_is_switched_in_each_of_its_modes(view, line, variables, desk):
    variables["answers"] = desk
    for number, (mode, fields, answer) in enumerate(
        [
            ("echo", {}, b"ask"),
            ("fixed", {"fixed": '{"mean": 0}'}, b'{"mean": 0}'),
            ("delay", {"after": "0.01"}, b"ask"),
            ("error", {"reason": "closed"}, b""),
        ],
        1,
    ):
        enter(view, **fields)
        act(view, "auto", on=True, mode=mode)
        assert (view.auto["on"], view.auto["mode"]) == (True, mode)
        line.ask(f"q-{number}")
        assert eventually(lambda number=number: len(line.replies) == number)
        assert line.replies[-1][1].body == answer

    assert line.replies[-1][1].error == "closed"
    assert view.foot["code"] == "answers.auto('error', error='closed', after=0.01)"
    act(view, "auto", on=False)
    assert (view.auto["on"], view.foot["code"]) == (False, "answers.auto('off')")
    assert eventually(lambda: logged(view, "by") == ["auto"] * 4)


def test_a_fixed_answer_without_a_body_is_one_on_purpose(view, variables, desk):
    variables["answers"] = desk
    act(view, "auto", on=True, mode="fixed")

    assert desk.auto_answer.response.body == b""
    assert view.foot["code"] == "answers.auto('fixed', '')"
    assert desk.auto_answer.code == "auto('fixed', '')"
    assert view.auto["hint"].startswith("Empty: commands are executed")


def test_an_auto_answer_chosen_by_a_call_shows_its_parts(view, desk):
    desk.auto("fixed", {"mean": 0}, metadata="note", after=0.05)
    assert eventually(lambda: view.auto["on"])
    assert (view.auto["fixed"], view.auto["after"]) == ('{"mean": 0}', "0.05")
    assert view.auto["hint"] == "With its metadata."

    desk.auto("fixed", b"\x00" * 200_000)
    assert eventually(lambda: "200 kB" in view.auto["hint"])
    act(view, "auto", on=True, mode="fixed")
    assert desk.auto_answer.response.body == b"\x00" * 200_000


def test_a_wrong_delay_is_said_and_nothing_changes(view, desk):
    enter(view, after="soon")
    act(view, "auto", on=True)

    assert view.auto["mistakes"] == {"after": "After is a number of seconds, not soon."}
    assert desk.auto_answer is None


def test_an_answer_by_hand_is_kept_for_the_auto_answer(view, line, desk):
    ask(view, line, "q-1")
    enter(view, body="8.33", metadata="mean")
    act(view, "keep")

    assert (view.auto["on"], view.auto["mode"], view.auto["fixed"]) == (False, "fixed", "8.33")
    act(view, "auto", on=True)
    assert eventually(lambda: len(line.replies) == 1)
    assert (line.replies[0][1].body, line.replies[0][1].metadata) == (b"8.33", "mean")


def test_stopped_it_takes_nothing_and_what_waits_can_be_answered(view, line):
    ask(view, line, "q-1")
    act(view, "stop")

    assert (view.status["word"], view.foot["code"]) == ("stopped", f"%kubemq stop {line.responder.id}")
    enter(view, body="x")
    act(view, "answer", number=1)
    assert len(line.replies) == 1


def test_two_displays_are_one_view_and_a_closed_desk_is_over(desk, line, variables):
    views = Views(variables)
    view = views.of(desk)
    assert views.of(desk) is view

    desk.close()

    assert eventually(lambda: view.ended and view.status["word"] == "closed")
    view.close()


def test_no_more_reaches_the_browser_than_it_can_show(view, line, desk):
    for number in range(250):
        line.ask(f"q-{number}", f"<b>{number}</b>" + "x" * 1000)
    assert eventually(lambda: view.refresh() or counts(view)["waiting"] == "250")

    assert (len(view.waiting["rows"]), view.waiting["of"]) == (200, 250)
    assert max(map(len, asked(view))) <= 201
    desk.auto("echo")
    assert eventually(lambda: len(view.log["rows"]) == 200)
    assert view.waiting["rows"] == []


def test_the_log_goes_into_a_variable(view, line, variables, desk):
    ask(view, line, "q-1")
    act(view, "frame")

    assert len(variables["prices"]) == 1
    assert view.said["code"] == "prices"


def test_markup_and_control_characters_stay_text(view, line):
    ask(view, line, f"{MARKUP}\n\u202e", MARKUP, Metadata=MARKUP, Tags={MARKUP: MARKUP}, ClientID=MARKUP)
    enter(view, body=MARKUP)
    act(view, "answer", number=1)

    assert logged(view, "request") == [MARKUP]
    assert "\u202e" not in view.foot["code"]


@pytest.mark.parametrize(
    ("id", "others", "expected"),
    [("5d60bc1e-1", [], "5d60bc1e"), ("5d60bc1e-1", ["5d60bc1e-2"], "5d60bc1e-1"), ("q", ["q"], "q")],
)
def test_an_id_is_as_short_as_it_can_be(id, others, expected):
    assert short(id, others) == expected
