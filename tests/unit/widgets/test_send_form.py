"""The widget of a send form without a browser: what traits say, and what actions do to the form."""

import inspect
import threading

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerUnavailable, DeadlineExceeded, RequestRejected
from kubemq_nb.messages import Response, SendResult
from kubemq_nb.session.entries import LONGEST, SENDERS
from kubemq_nb.session.form import SendForm
from kubemq_nb.widgets.send_form import SendFormView
from kubemq_nb.widgets.views import Views
from tests.unit.session.test_form import Connection
from tests.unit.widgets.conftest import eventually

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def shown(connection):
    """The widget of a form to a queue."""
    view = Views({}).of(SendForm(connection, "queues", "orders"))
    yield view
    view.close()


def act(view, do, **more):
    """Do what a button does, and wait until it is done."""
    view.act({"do": do, "turn": "hand 9", **more})
    assert eventually(lambda: not view.busy)


def enter(view, turn="hand 1", **fields):
    view.act({"do": "enter", "turn": turn, "fields": fields})


def controls(view):
    return {each["name"]: each for row in view.fields["rows"] for each in row["controls"]}


@pytest.mark.rows("M-19")
@pytest.mark.parametrize("noun", SENDERS)
def test_each_pattern_has_a_control_for_each_of_its_options(shown, noun):
    act(shown, "choose", noun=noun)

    parameters = set(inspect.signature(SENDERS[noun].send).parameters) - {"self", "rows"}
    assert {*controls(shown), "body"} == parameters
    assert all(each["label"] and each["title"].startswith(name) for name, each in controls(shown).items())


def test_what_is_left_out_is_told_where_it_would_stand(shown):
    act(shown, "choose", noun="queries")

    assert controls(shown)["timeout"]["placeholder"] == "5"
    assert controls(shown)["client_id"]["placeholder"] == "kubemq-nb-1"
    assert shown.fields["verb"] == {"name": "Ask", "waits": "Asking", "again": "Ask again"}


@pytest.mark.rows("M-19")
def test_what_is_typed_is_sent(shown, connection):
    enter(
        shown, channel="flights", delay="30", tags=[["day", "1"], ["", ""]], body='{"n": 1}', body_as="json"
    )
    assert shown.body["note"] == "JSON, 8 bytes"
    assert shown.foot["code"] == '%kubemq queues send flights {"n": 1} -t day=1 --delay 30s'

    act(shown, "send")

    assert connection.queues.calls == [
        {"channel": "flights", "delay": 30.0, "tags": {"day": "1"}, "body": '{"n": 1}'}
    ]
    assert (shown.result["tone"], shown.result["head"]) == ("good", "Sent to flights")
    assert "Id 8c1f20d4" in shown.result["rest"]
    assert [row["outcome"] for row in shown.history["rows"]] == ["sent"]


def test_the_turn_of_a_hand_is_heard_with_what_it_typed(shown):
    seen = []
    shown.observe(lambda change: seen.append((change["new"], shown.values["channel"])), "heard")

    enter(shown, turn="hand 1", channel="a")
    enter(shown, turn="hand 2", channel="ab")

    assert seen == [("hand 1", "a"), ("hand 2", "ab")]


def test_what_python_does_is_seen_in_the_view(shown):
    shown.source.fill(body={"n": 1}, tags={"day": "1"})

    assert eventually(lambda: shown.values["tags"] == [["day", "1"]])
    assert shown.body["text"] == '{"n": 1}'


def test_a_body_is_checked_while_it_is_typed(shown):
    enter(shown, body='{"carrier": "MQ" "flight": 4401}')

    assert shown.body["tone"] == "bad"
    assert shown.body["note"] == 'Line 1, column 17: a comma is missing before "flight".'
    assert shown.wrong["hint"] == "Fix the body, or send it as text."
    enter(shown, body_as="text")
    assert (shown.body["tone"], shown.body["note"], shown.wrong["hint"]) == ("good", "Text, 32 bytes", "")


def test_each_mistake_stands_at_its_field(shown):
    enter(shown, delay="soon", max_receive_count="many", tags=[["", "1"]])

    assert shown.wrong["mistakes"] == {
        "delay": "A number of seconds, not soon.",
        "max_receive_count": "A whole number, not many.",
        "tags": "The tag with the value 1 has no name.",
    }
    assert shown.wrong["hint"] == "Fix what is marked."
    enter(shown, delay="5", max_receive_count="")
    enter(shown, tags=[])
    assert shown.wrong["mistakes"] == {}


def test_who_sends_what_cannot_be_read_is_led_to_it(shown, connection):
    enter(shown, channel="")
    assert shown.wrong["mistakes"] == {}  # nobody wanted to send yet

    act(shown, "send")

    assert shown.wrong["mistakes"] == {"channel": "The channel is missing. Nothing was sent."}
    assert (shown.wrong["field"], shown.wrong["turn"]) == ("channel", "hand 9")
    assert shown.said == {}
    assert connection.queues.calls == []


def test_a_refusal_by_the_broker_stands_at_the_field_that_it_is_about(shown, connection):
    connection.queues.answer = RequestRejected(
        "expiration of 99 s is longer than the server allows (error 1)"
    )
    enter(shown, expiration="99")
    act(shown, "send")

    assert shown.wrong["field"] == "expiration"
    assert "Nothing was sent." in shown.wrong["mistakes"]["expiration"]
    assert shown.result == {}
    assert shown.history["rows"][0]["tone"] == "bad"


@pytest.mark.parametrize(
    ("error", "head", "word"),
    [
        (
            BrokerUnavailable("Nothing answers at h:1. Is it running?"),
            "Nothing answers at h:1.",
            "not connected",
        ),
        (
            DeadlineExceeded("No answer on orders within 2 s (error 301).", timeout=2.0),
            "No answer on orders within 2 s",
            "",
        ),
    ],
)
def test_a_failure_is_said_and_can_be_tried_again(shown, connection, error, head, word):
    connection.queues.answer = error
    act(shown, "send")
    assert shown.result["tone"] == "bad"
    assert shown.result["head"].startswith(head)
    assert shown.status["word"] == word
    assert shown.said == {}

    connection.queues.answer = SendResult(id="x", channel="orders")
    act(shown, "again", number=1)

    assert shown.result["tone"] == "good"
    assert shown.status["word"] == ""


@pytest.mark.rows("M-22")
def test_what_was_sent_is_sent_again_or_put_back_into_the_form(shown, connection):
    enter(shown, body="first", body_as="text", id="own", metadata="m")
    act(shown, "send")
    enter(shown, body="second", channel="other")
    act(shown, "send")

    act(shown, "again", number=1)
    assert connection.queues.calls[2] == {"channel": "orders", "body": "first", "metadata": "m"}
    assert [row["number"] for row in shown.history["rows"]] == [3, 2, 1]

    act(shown, "load", number=1)
    assert (shown.values["channel"], shown.values["metadata"], shown.body["text"]) == ("orders", "m", "first")
    assert shown.values.get("id", "") == ""


def test_one_that_was_sent_opens_in_full(shown):
    enter(shown, body='{"a": 1}', tags=[["day", "1"]], delay="5")
    act(shown, "send")
    act(shown, "open", number=1)

    detail = shown.detail
    assert (detail["head"], detail["decoded"], detail["tags"]) == (
        "Message 1",
        '{\n  "a": 1\n}',
        [["day", "1"]],
    )
    assert dict(detail["facts"]) == {"Id": "8c1f20d4", "Delay": "5 s"}
    act(shown, "open", number=None)
    assert shown.detail == {}


def test_an_answer_is_shown_with_who_gave_it_and_how_long_it_took(shown, connection):
    connection.queries.answer = Response(
        executed=True,
        body=b'{"mean": 8.3}',
        elapsed=0.0007,
        client_id="tour",
        cache_hit=True,
        tags={"a": "b"},
    )
    act(shown, "choose", noun="queries")
    act(shown, "send")

    answer = shown.result["answer"]
    assert (answer["word"], answer["cached"], answer["tags"]) == ("executed", True, [["a", "b"]])
    assert answer["about"] == "0.7 ms, 13 B, answered by tour"
    assert answer["body"] == '{\n  "mean": 8.3\n}'


def test_a_refusal_by_a_responder_is_an_answer(shown):
    act(shown, "choose", noun="commands")
    act(shown, "send")

    assert (shown.result["tone"], shown.result["head"]) == ("warn", "Not executed:")
    assert "gate C71 is taken. The responder answered in" in shown.result["rest"]
    assert shown.result["again"] == "Run again"


def test_json_is_written_with_one_field_a_line_and_a_form_is_emptied(shown):
    enter(shown, body='{"a":1}', delay="5")
    act(shown, "format")
    assert shown.body["text"] == '{\n  "a": 1\n}'
    enter(shown, body="{")
    act(shown, "format")
    assert shown.wrong["turn"] == "hand 9"
    assert "Nothing was sent." in shown.body["note"]

    act(shown, "clear")

    assert {name: text for name, text in shown.values.items() if text} == {"channel": "orders"}
    assert set(shown.values) == set(controls(shown))  # what was emptied is told, too
    assert shown.body["text"] == ""


def test_a_body_that_is_too_long_to_be_edited_is_kept_in_the_kernel(shown, connection):
    text = "x" * (LONGEST + 1)
    enter(shown, body=text, body_as="text")
    assert shown.body["kept"]
    assert len(shown.body["text"]) < 2_100
    assert shown.body["note"].startswith("100 kB, kept as it was given")
    act(shown, "send")
    assert connection.queues.calls[0]["body"] == text.encode()

    enter(shown, body_as="json")
    assert (shown.body["kept"], shown.body["text"]) == (False, "")


def test_a_long_body_is_checked_before_it_is_taken_over(shown):
    enter(shown, body='{"a": 1}')
    enter(shown, body="{" + " " * LONGEST, metadata="m")

    assert shown.said["head"].endswith("is missing at the end.")
    assert shown.said["rest"] == "The body stays as it was."
    assert shown.values["metadata"] == "m"
    assert shown.body["text"] == '{"a": 1}'


def test_the_beginning_of_bytes_is_shown_in_hexadecimal(shown):
    shown.source.fill(body=b"\xff\xfe" * LONGEST)
    shown.refresh()

    assert shown.body["text"].startswith("ff fe ff fe")


def test_one_message_goes_at_a_time_and_the_form_can_be_filled_meanwhile(shown, connection):
    begun, go_on = threading.Event(), threading.Event()

    def slow(arguments):
        begun.set()
        assert go_on.wait(5)
        return SendResult(id="x", channel="orders")

    connection.queues.answer = slow
    shown.act({"do": "send", "turn": "hand 1"})
    assert begun.wait(5)
    assert (shown.busy, shown.source.sending) == ("send", True)

    shown.act({"do": "send", "turn": "hand 2"})
    enter(shown, body="next", body_as="text")
    go_on.set()

    assert eventually(lambda: not shown.busy)
    assert len(connection.queues.calls) == 1
    assert shown.body["text"] == "next"
    assert not shown.source.sending


def test_a_connection_that_only_looks_says_why_nothing_can_be_sent(shown, connection):
    connection.read_only = True
    assert eventually(lambda: shown.status["locked"])
    assert (shown.status["read_only"], shown.status["word"]) == (True, "")

    connection.closed = True
    assert eventually(lambda: shown.status["word"] == "closed")
    assert "was closed" in shown.status["locked"]


def test_what_a_form_shows_of_very_many_bytes_is_bounded(shown):
    enter(shown, metadata="m", tags=[["t", "x" * 10_000]])
    shown.source.fill(body=b"y" * 5_000_000)
    act(shown, "send")
    act(shown, "open", number=1)

    state = shown.get_state(["history", "detail", "result", "body", "foot"])
    assert len(repr(state)) < 60_000
    assert shown.foot["code"].count("{{body}}") == 1


def test_every_pattern_is_sent_by_the_real_thing(session, channel):
    """The same on a broker: a refused entry, each pattern, and a message that is sent again."""
    session.queries.respond(channel, echo=True)
    session.commands.respond(channel, echo=True)
    view = SendFormView(session.ui("queues", channel, send=True))
    for noun in SENDERS:
        act(view, "choose", noun=noun)
        enter(view, body='{"n": 1}', body_as="json")
        act(view, "send")
        assert view.result["tone"] == "good", noun
    act(view, "again", number=1)

    assert session.queues.receive(channel, count=2).decoded.tolist() == [{"n": 1}] * 2
    assert [row["outcome"] for row in view.history["rows"]] == ["sent", "executed", "executed", *["sent"] * 3]
    session.stop("all")
    view.close()


def test_a_read_only_connection_to_the_real_thing_refuses_in_the_view(address, credentials, channel):
    with kubemq_nb.connect(address, name="onlooker", read_only=True, **credentials) as onlooker:
        view = SendFormView(onlooker.ui("queues", channel, send=True))
        act(view, "send")

        assert view.status["locked"] == "onlooker is read-only. Connect without read_only to send."
        assert "read-only and refuses" in view.result["head"]
        view.close()
