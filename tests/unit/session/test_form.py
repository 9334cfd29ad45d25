import inspect
import threading
from datetime import UTC, datetime

import pytest

from kubemq_nb import frames
from kubemq_nb.errors import DeadlineExceeded, InvalidChannel, InvalidMessage, RequestRejected
from kubemq_nb.messages import Event, Response, SendResult
from kubemq_nb.session import form as forms
from kubemq_nb.session.entries import SENDERS, fields_of
from kubemq_nb.session.form import SendForm
from tests.unit.test_render import queue_frame


class Pattern:
    """Takes what a form sends, and answers as it is told."""

    def __init__(self, answer):
        self.calls = []
        self.answer = answer

    def send(self, **arguments):
        self.calls.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(arguments) if callable(self.answer) else self.answer


class Connection:
    """A session as a form sees it."""

    def __init__(self):
        self.name, self.client_id, self.closed, self.read_only = "embedded", "kubemq-nb-1", False, False
        sent = SendResult(id="8c1f20d4", channel="orders", sent_at=datetime.now(UTC))
        self.queues, self.events, self.events_store = Pattern(sent), Pattern(sent), Pattern(sent)
        self.commands = Pattern(Response(executed=False, error="gate C71 is taken"))
        self.queries = Pattern(Response(executed=True, body=b"42", elapsed=0.001))


@pytest.fixture
def connection():
    return Connection()


@pytest.mark.parametrize("noun", SENDERS)
def test_a_form_has_a_field_for_each_option_of_send(noun):
    parameters = set(inspect.signature(SENDERS[noun].send).parameters) - {"self", "rows"}

    assert {field.name for field in fields_of(noun)} == parameters


def test_what_is_filled_in_is_what_is_sent(connection):
    form = SendForm(
        connection, "queues", "orders", body={"n": 1}, tags={"day": "1"}, delay=30, dead_letter="d"
    )
    form.fill(max_receive_count=3, expiration=300)

    result = form.send()

    assert result.id == "8c1f20d4"
    assert connection.queues.calls == [
        {
            "channel": "orders",
            "body": '{"n": 1}',
            "tags": {"day": "1"},
            "expiration": 300.0,
            "delay": 30.0,
            "max_receive_count": 3,
            "dead_letter": "d",
        }
    ]
    assert form.code == (
        '%kubemq queues send orders {"n": 1} -t day=1 --expiration 5m --delay 30s --max-receive-count 3 '
        "--dead-letter d"
    )


@pytest.mark.parametrize(
    ("noun", "values"),
    [
        ("events", {"metadata": "m", "id": "e-1"}),
        ("events_store", {"client_id": "me"}),
        ("commands", {"timeout": 2.5}),
        ("queries", {"timeout": 2, "cache_key": "k", "cache_ttl": 60}),
    ],
)
def test_every_pattern_has_its_own_options(connection, noun, values):
    SendForm(connection, noun, "c", body="x", **values).send()

    assert getattr(connection, noun).calls == [{"channel": "c", "body": "x", **values}]


@pytest.mark.parametrize(
    ("typed", "body_as", "sent"),
    [
        ('{"a":  1e5}', "json", '{"a":  1e5}'),
        ("{no json", "text", "{no json"),
        ("ff 00", "hex", b"\xff\x00"),
        ("/wA=\n", "base64", b"\xff\x00"),
    ],
)
def test_a_body_is_sent_as_it_is_meant_and_to_the_letter(connection, typed, body_as, sent):
    form = SendForm(connection, "queues", "orders")
    form.enter(body=typed, body_as=body_as)

    form.send()

    assert connection.queues.calls[0]["body"] == sent


@pytest.mark.parametrize(
    ("entered", "field", "sentence"),
    [
        (
            {"body": '{\n  "a": 1\n  "b": 2\n}'},
            "body",
            'Line 2, column 9: a comma is missing before "b". Nothing was sent.',
        ),
        (
            {"body": "0g", "body_as": "hex"},
            "body",
            "The body is no hex: pairs of 0-9 and a-f. Nothing was sent.",
        ),
        (
            {"body": "====", "body_as": "base64"},
            "body",
            "The body is no base64: four characters for three bytes. Nothing was sent.",
        ),
        ({"typed": {"delay": "soon"}}, "delay", "delay is a number of seconds, not soon. Nothing was sent."),
        (
            {"typed": {"delay": "-1"}},
            "delay",
            "delay is a number of seconds from 0, not -1. Nothing was sent.",
        ),
        (
            {"typed": {"max_receive_count": "2.5"}},
            "max_receive_count",
            "max_receive_count is a whole number, not 2.5. Nothing was sent.",
        ),
        ({"typed": {"channel": " "}}, "channel", "The channel is missing. Nothing was sent."),
        ({"tags": [("", "1")]}, "tags", "the tag with the value 1 has no name. Nothing was sent."),
        ({"tags": [("a", "1"), ("a", "2")]}, "tags", "the tag a is there twice. Nothing was sent."),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(connection, entered, field, sentence):
    form = SendForm(connection, "queues", "orders", body={"n": 1})
    form.enter(**entered)

    assert form.check().field == field
    with pytest.raises(InvalidMessage) as refused:
        form.send()

    assert str(refused.value) == sentence
    assert form.wrong.field == field
    assert connection.queues.calls == []
    assert form.df.empty


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InvalidChannel("The channel 'a b' holds white space (error 108).", channel="a b"), "channel"),
        (InvalidChannel("The channel 'd d' holds white space (error 120).", channel="d d"), "dead_letter"),
        (InvalidMessage("expiration is 0 to 43,200, not 99,999 (error 133)."), "expiration"),
        (InvalidMessage("max_receive_count needs dead_letter: nothing was sent"), "max_receive_count"),
        (InvalidMessage("A message needs a body or metadata, tags alone are not enough."), "body"),
        (DeadlineExceeded("No answer on orders within 5 s", timeout=5), None),
    ],
)
def test_a_refusal_is_laid_at_the_field_that_it_is_about(connection, error, field):
    connection.queues.answer = error
    form = SendForm(connection, "queues", "a b", body="x", dead_letter="d d")

    with pytest.raises(type(error)):
        form.send()

    assert (form.wrong and form.wrong.field) == field
    assert form.last.error is error
    assert form.df["outcome"].tolist() == [str(error)]


def test_a_row_of_a_peek_is_sent_again_to_the_byte_under_an_id_of_its_own(connection):
    frame = queue_frame(b'{"a":1e5}', tags={"day": "1"}, metadata="note")

    SendForm(connection).fill(frame).send()

    assert connection.queues.calls == [
        {"channel": "orders", "body": '{"a":1e5}', "tags": {"day": "1"}, "metadata": "note"}
    ]


def test_a_row_may_be_changed_before_it_is_sent(connection):
    row = queue_frame(b"one", b"two").iloc[1]

    SendForm(connection).fill(row, body={"n": 2}, channel="elsewhere", delay=5).send()

    assert connection.queues.calls == [{"channel": "elsewhere", "body": '{"n": 2}', "delay": 5.0}]


def test_a_form_takes_one_row(connection):
    with pytest.raises(ValueError, match=r"one row, not 2: df.iloc\[0\] is one"):
        SendForm(connection).fill(queue_frame(b"one", b"two"))
    with pytest.raises(TypeError, match="from a row or a message, not from int"):
        SendForm(connection).fill(5)


def test_a_message_of_ours_fills_a_form_of_another_pattern(connection):
    event = Event(channel="gates", body=b"open", id="e-1", metadata="m", sequence=4)

    SendForm(connection, "commands").fill(event, timeout=2).send()

    assert connection.commands.calls == [
        {"channel": "gates", "body": "open", "metadata": "m", "timeout": 2.0}
    ]


@pytest.mark.parametrize(
    ("body", "body_as"),
    [
        (b'{"a": 1}', "json"),
        (b'"text in quotes"', "text"),
        (b"17", "text"),
        ("ü\n\ttab".encode(), "text"),
        (b"two\r\nlines", "hex"),
        (b"\xff" * 65, "base64"),
        (b"x" * 100_001, "bytes"),
    ],
)
def test_whatever_the_body_it_is_sent_again_as_it_was(connection, body, body_as):
    form = SendForm(connection, "queues", "orders", body=body)

    form.send()

    sent = connection.queues.calls[0]["body"]
    assert form.body_as == body_as
    assert (sent.encode() if isinstance(sent, str) else sent) == body
    assert len(form.body) < 200


def test_another_pattern_keeps_what_both_have(connection):
    form = SendForm(connection, "queues", "orders", body="x", metadata="m", delay=5)

    form.choose("queries")
    form.send()

    assert connection.queries.calls == [{"channel": "orders", "body": "x", "metadata": "m"}]
    assert form.last.elapsed == form.last.result.elapsed
    with pytest.raises(ValueError, match=r"a pattern is queues, .*; not topics"):
        form.choose("topics")


def test_what_was_sent_can_be_sent_again_or_put_back_into_the_form(connection):
    form = SendForm(connection, "queues", "orders", body={"n": 1}, id="first")
    form.send()
    form.choose("events")
    form.fill(body="other", id=None)
    form.send()

    form.again(1)
    form.load(1)

    assert connection.queues.calls[1] == {"channel": "orders", "body": '{"n": 1}'}
    assert (form.noun, form.body, form.entries.get("id", "")) == ("queues", '{"n": 1}', "")
    assert form.df[["number", "noun", "outcome"]].values.tolist() == [
        [1, "queues", "sent"],
        [2, "events", "sent"],
        [3, "queues", "sent"],
    ]
    with pytest.raises(ValueError, match="Message 9 is no longer held"):
        form.again(9)


def test_the_history_is_bounded_in_messages_and_bytes(connection, monkeypatch):
    form = SendForm(connection, "queues", "orders", body="x" * 1_000)
    for _ in range(forms.KEPT + 5):
        form.send()
    assert form.df["number"].tolist() == list(range(6, forms.KEPT + 6))

    monkeypatch.setattr(forms, "KEPT_BYTES", 2_500)
    form.send()

    assert len(form.df) == 2


def test_a_refusal_of_a_responder_is_an_outcome_and_no_error(connection):
    form = SendForm(connection, "commands", "gates", body="open")

    answer = form.send()

    assert not answer.executed
    assert form.df["outcome"].tolist() == ["not executed: gate C71 is taken"]


def test_a_second_message_waits_for_the_first(connection):
    begun, go_on = threading.Event(), threading.Event()

    def slow(arguments):
        begun.set()
        assert go_on.wait(5)
        return SendResult(id="x", channel="orders")

    connection.queues.answer = slow
    form = SendForm(connection, "queues", "orders", body="x")
    first = threading.Thread(target=form.send)
    first.start()
    assert begun.wait(5)

    assert form.sending
    with pytest.raises(RequestRejected, match=r"still on its way\. Nothing was sent"):
        form.send()

    go_on.set()
    first.join(5)
    assert len(connection.queues.calls) == 1
    assert not form.sending


def test_a_read_only_connection_says_so(connection):
    form = SendForm(connection, "queues", "orders")
    assert form.locked == ""

    connection.read_only = True
    assert form.locked == "embedded is read-only. Connect without read_only to send."
    connection.closed = True
    assert "was closed" in form.locked


def test_an_option_that_the_pattern_does_not_have_is_refused(connection):
    with pytest.raises(TypeError, match="events send has no delay; it has body, channel, client_id"):
        SendForm(connection, "events", "gates", delay=5)


def test_a_form_can_be_emptied(connection):
    form = SendForm(connection, "queues", "orders", body="x", tags={"a": "b"}, delay=5)

    form.clear()

    assert (form.channel, form.body, form.tags, form.entries) == ("orders", "", [], {"channel": "orders"})


def test_a_body_is_written_with_one_field_a_line(connection):
    form = SendForm(connection, "queues", "orders", body='{"a":1e5}')
    form.format()
    assert form.body == '{\n  "a": 1e5\n}'
    assert form.code == '%%kubemq queues send orders\n{\n  "a": 1e5\n}'

    form.enter(body="{", body_as="json")
    with pytest.raises(InvalidMessage, match=r"is missing at the end\. Nothing was sent"):
        form.format()


def test_the_frame_of_what_was_sent_has_its_columns_without_a_row(connection):
    frame = SendForm(connection).df

    assert list(frame.columns) == list(forms.SENT)
    assert str(frame["at"].dtype) == frames.TIME


def test_every_mistake_is_known_by_its_field_and_what_is_left_empty_is_none(connection):
    form = SendForm(connection, "queues")
    assert form.mistakes == {}

    form.enter({"delay": "soon"}, body="{", tags=[("", "1")])

    assert set(form.mistakes) == {"delay", "body", "tags"}
    assert form.mistakes["delay"] == "delay is a number of seconds, not soon"


@pytest.mark.parametrize(
    ("body", "body_as", "raw"),
    [
        ("{}", "json", b"{}"),
        ("ö", "text", "ö".encode()),
        ("ff 00", "hex", b"\xff\0"),
        ("{", "json", None),
        ("", "hex", b""),
    ],
)
def test_the_body_is_known_as_it_would_be_sent(connection, body, body_as, raw):
    form = SendForm(connection, "queues", "orders")
    form.enter(body=body, body_as=body_as)

    assert form.raw == raw


@pytest.mark.parametrize("body", ["x" * (forms.REPEATED + 1), b"\xff" * 200_000])
def test_a_long_body_is_named_in_the_line_rather_than_repeated(connection, body):
    form = SendForm(connection, "queues", "orders", body=body)

    assert form.code == "%kubemq queues send orders {{body}}"
    assert len(form.raw) == len(body)
