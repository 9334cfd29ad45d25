"""The grammar over methods of its own: what a signature says is what a line may say."""

from collections.abc import Callable, Iterable
from typing import Literal

import pytest
from IPython.core.error import UsageError

from kubemq_nb.magics import grammar
from kubemq_nb.magics.declaration import Command
from kubemq_nb.magics.words import split
from kubemq_nb.messages import Body, Duration, End, Rows, Start, Tags


class Toys:
    """Toys of a test: not a noun of ours."""

    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        delay: Duration | None = None,
        count: int = 32,
        live: bool = False,
        kind: Literal["red", "blue"] = "red",
        rows: Rows | None = None,
        handler: Callable[[object], object] | None = None,
        start: Start | None = None,
        to: End | None = None,
    ) -> object:
        """Send a toy.

        It rolls.

        Args:
            channel: Where to.
            body: What it
                carries.
            count: How many.
        """

    def stop(self, which: int | Literal["all"]) -> None:
        """Stop toys."""

    def ack(self, id: int | Iterable[int] | None = None) -> None:
        """Keep toys."""

    def list(self, *, count: int = 32) -> None:
        """List toys."""

    def create(self, pattern: Literal["queries", "all"]) -> None:
        """Make toys."""


SEND = Command("toys send", Toys.send, shorts={"metadata": "-m", "tags": "-t", "count": "-n"}, cell="body")
STOP = Command("stop", Toys.stop, destroys=lambda call: "")
ACK = Command("toys ack", Toys.ack)
COMMANDS = (SEND, STOP, ACK, Command("list", Toys.list), Command("list create", Toys.create))
VARIABLES = {"df": [1, 2], "more": {"x": "y"}}


def parse(line):
    words = split(line)
    command, length = grammar.find(words, COMMANDS)
    return grammar.parse(command, words[length:], lambda text: eval(text, VARIABLES))


def refusal(line):
    with pytest.raises(UsageError) as refused:
        parse(line)
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("toys send c hello", {"channel": "c", "body": "hello"}),
        ('toys send c {"id": 1}', {"channel": "c", "body": '{"id": 1}'}),
        ("toys send --delay 5s c hello", {"channel": "c", "body": "hello", "delay": 5.0}),
        ("toys send c --delay 5s hello", {"channel": "c", "body": "hello", "delay": 5.0}),
        ("toys send c hello -n5 --live", {"channel": "c", "body": "hello", "count": 5, "live": True}),
        ("toys send c hello --count=5", {"channel": "c", "body": "hello", "count": 5}),
        ("toys send c -t a=b --tag c=d", {"channel": "c", "tags": {"a": "b", "c": "d"}}),
        ("toys send c -t {{more}} -t k=v", {"channel": "c", "tags": {"x": "y", "k": "v"}}),
        ("toys send c --rows {{df}}", {"channel": "c", "rows": [1, 2]}),
        ("toys send c {{more}}", {"channel": "c", "body": {"x": "y"}}),
        ("toys send c -5", {"channel": "c", "body": "-5"}),
        ("toys send c -5s", {"channel": "c", "body": "-5s"}),
        ("toys send c -- -x", {"channel": "c", "body": "-x"}),
        ('toys send c "-x"', {"channel": "c", "body": "-x"}),
        ("toys send c -m -5", {"channel": "c", "metadata": "-5"}),
        ("toys send c --kind blue", {"channel": "c", "kind": "blue"}),
        ("list create query", {"pattern": "queries"}),
        ("list", {}),
        ("list --count 5", {"count": 5}),
        ("stop 5", {"which": 5}),
        ("stop all", {"which": "all"}),
        ("toys ack --id 5 --id 6", {"id": [5, 6]}),
    ],
)
def test_words_and_options_become_the_keywords_of_the_method(line, arguments):
    assert parse(line).arguments == arguments


def test_presentation_options_are_kept_apart():
    parsed = parse("toys send c hello -qo kept --format json --on other --encode csv")

    assert parsed.arguments == {"channel": "c", "body": "hello"}
    assert parsed.presentation == grammar.Presentation(
        on="other", out="kept", quiet=True, format="json", encode="csv"
    )


@pytest.mark.rows("M-06")
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("tois send c", "no command tois. Did you mean toys? All commands: %kubemq help"),
        ("toys sent c", "no verb sent in toys. Did you mean send? All verbs: %kubemq help toys"),
        ("toys", "toys wants a verb: send, ack. More: %kubemq help toys"),
        ("send c", "send wants a noun before it: toys send"),
        ("toys send c --dealy 5s", "no option --dealy in toys send. Did you mean --delay?"),
        ("toys send c --del 5s", "no option --del in toys send. Did you mean --delay?"),
        ("toys send c --delay -5s", "--delay wants a duration such as 500ms, 5s, 2m or 1h30m, not -5s"),
        ("toys send c --colour red", "no option --colour in toys send. Quote it if it is text."),
        ("toys send c -s", "no option -s in toys send. Did you mean --start?"),
        ("toys send c -t a=b -t a=c", "the tag a is there twice"),
        ("--on lab toys send c", "the command comes first, and --on after it"),
        ("toy", "no command toy. Did you mean toys?"),
        ("nonsense", "no command nonsense. All commands"),
        ("list creat toys", "no verb creat in list. Did you mean create?"),
        ("toys send c big world", 'BODY is one word; quote it: "big world"'),
        ("stop 5 6", "stop takes no word 6; it is: %kubemq stop WHICH"),
        ("stop half", "WHICH wants a number or all; not half"),
        ("stop 5 --encode json", "no option --encode in stop."),
        ("toys send c -y", "no option -y in toys send."),
        ("toys send c -n", "toys send: -n/--count wants a value"),
        ("toys send c -n x", "-n/--count wants a whole number, not x"),
        ("toys send c --live=5", "toys send: --live takes no value"),
        ("toys send c --delay 5", "--delay wants a unit: 5s, 5ms, 5m or 5h"),
        ("toys send c --kind green", "--kind wants red, blue; not green"),
        ("toys send c --handler print", "--handler wants {{FUNCTION}}, a Python object, not print"),
        ("toys send c --start 5", "--start wants seq:5 for a sequence, or 5s for a time ago"),
        ("toys send c --token abc", "a token stays off the line"),
        ("toys send c --token=abc", "a token stays off the line"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(line, complaint):
    assert complaint in refusal(line)


def test_a_refused_token_is_not_repeated():
    assert "abc" not in refusal("toys send c --token=abc")


def test_nothing_is_evaluated_for_a_line_that_does_not_fit():
    calls = []
    words = split("c {{x}} --unknown")

    with pytest.raises(UsageError):
        grammar.parse(SEND, words, calls.append)

    assert calls == []


def test_a_missing_word_is_named_with_the_whole_usage():
    assert grammar.missing(SEND, ["body"]) == "toys send wants a CHANNEL: %kubemq toys send CHANNEL [BODY]"
    assert grammar.missing(SEND, ["channel"]) == ""


def test_help_comes_from_the_docstring():
    assert SEND.doc.summary == "Send a toy."
    assert SEND.doc.details == "It rolls."
    assert [each.help for each in SEND.parameters[:2]] == ["Where to.", "What it carries."]


def test_singular_and_plural_nouns_name_the_same():
    queues = Command("queues send", Toys.send)

    assert grammar.find(["queue", "send"], [queues]) == (queues, 2)
