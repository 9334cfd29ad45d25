"""Whatever is typed reads, or is refused in one clean line; nothing connects and nothing is evaluated."""

from hypothesis import given
from hypothesis import strategies as some
from IPython.core.error import UsageError

from kubemq_nb.magics import grammar
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.words import of_arguments, split
from kubemq_nb.render import clean

PIECES = [
    *(command.words for command in COMMANDS),
    *sorted({each.option for command in COMMANDS for each in grammar.options(command)}),
    *[
        "-n",
        "-m",
        "-t",
        "-o",
        "--",
        "=",
        "-n=5",
        "--tag=a=b",
        '--metadata="x y"',
        "orders",
        "5s",
        "500ms",
        "seq:5",
    ],
    *[
        "now",
        "2013-01-31T23:59Z",
        "{",
        "}",
        "{{",
        "}}",
        "{{1 + 1}}",
        "{{ rows['a'] }}",
        '{"a": 1}',
        "[1, 2]",
        "[1,",
    ],
    *[
        '"two words"',
        "'",
        '"',
        "it's",
        "\\",
        r"C:\temp\x",
        "?",
        "$HOME",
        "\t",
        "\u202e",
        "é",
        "\0",
        "--token=x",
    ],
]
LINES = some.lists(some.sampled_from(PIECES) | some.text(max_size=6), max_size=8).map(" ".join)


def read(words):
    if not words:
        return
    command, length = grammar.find(words, COMMANDS)
    parsed = grammar.parse(command, words[length:], lambda text: text)
    grammar.missing(command, parsed.arguments)


def answer(make):
    """What somebody is told of it, or nothing."""
    try:
        read(make())
    except UsageError as error:
        return str(error)
    return ""


@given(line=LINES)
def test_every_line_reads_or_is_refused_in_one_clean_line(line):
    told = answer(lambda: split(line.strip()))

    assert "\n" not in clean(told) or "\n" in line
    assert len(told) < 500 + len(line)


@given(noun=some.sampled_from([command.words for command in COMMANDS]), rest=LINES)
def test_every_line_that_begins_with_a_command_does_so_too(noun, rest):
    told = answer(lambda: split(f"{noun} {rest}".strip()))

    assert "\n" not in clean(told) or "\n" in rest


@given(arguments=some.lists(some.sampled_from(PIECES) | some.text(max_size=6), max_size=8))
def test_every_command_line_does_so_too(arguments):
    told = answer(lambda: of_arguments(arguments))

    assert "\n" not in clean(told) or any("\n" in argument for argument in arguments)
