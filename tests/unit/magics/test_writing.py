"""A line that is written is read back as what was meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from kubemq_nb.magics import bodies, cells, grammar, writing
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.words import split

TEXT = some.text(some.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=30)


def read(written):
    """The arguments that a written line or cell means."""
    head, _, cell = written.partition("\n")
    words = split(head.removeprefix("%%").removeprefix("%").removeprefix("kubemq "))
    command, length = grammar.find(words, COMMANDS)
    parsed = grammar.parse(command, words[length:], lambda text: cells.evaluate(text, {}))
    return parsed.arguments | (bodies.of_cell(f"{cell}\n", "text") if cell else {})


@pytest.mark.parametrize(
    ("words", "arguments", "line"),
    [
        (
            "queues send",
            {
                "channel": "c",
                "body": '{"a": "MQ"}',
                "tags": {"day": "1", "desk": "night shift"},
                "delay": 30.0,
                "expiration": 300.0,
                "max_receive_count": 3,
                "dead_letter": "dead",
            },
            (
                '%kubemq queues send c {"a": "MQ"} -t day=1 -t "desk=night shift" '
                "--expiration 5m --delay 30s --max-receive-count 3 --dead-letter dead"
            ),
        ),
        (
            "queries send",
            {"channel": "delays.mean", "body": "UA", "timeout": 0.5},
            "%kubemq queries send delays.mean UA --timeout 500ms",
        ),
        (
            "events send",
            {"channel": "gates", "body": "two\nlines", "metadata": "note"},
            "%%kubemq events send gates -m note\ntwo\nlines",
        ),
        ("queues send", {"channel": "q", "body": b"\xff\x00"}, r"%kubemq queues send q {{b'\xff\x00'}}"),
        ("queues send", {"channel": "q", "body": "a\u202eb"}, r"%kubemq queues send q {{'a\u202eb'}}"),
        ("queues send", {"channel": "q", "body": "why?"}, '%kubemq queues send q "why?"'),
        ("queues send", {"channel": "q", "body": "{no json}"}, '%kubemq queues send q "{no json}"'),
    ],
)
def test_a_call_is_written_as_one_would_type_it(words, arguments, line):
    assert writing.line(words, arguments) == line
    assert read(line) == arguments


@given(
    body=TEXT,
    metadata=TEXT,
    key=TEXT.filter(lambda key: "=" not in key),
    value=TEXT,
    seconds=some.integers(0, 43_200),
)
def test_whatever_is_said_comes_back(body, metadata, key, value, seconds):
    arguments = {
        "channel": "q",
        "body": body,
        "metadata": metadata,
        "tags": {key: value},
        "delay": float(seconds),
    }

    assert read(writing.line("queues send", arguments)) == arguments


@settings(max_examples=30)
@given(some.binary(min_size=1))
def test_bytes_come_back(body):
    assert read(writing.line("queues send", {"channel": "q", "body": body}))["body"] == body
