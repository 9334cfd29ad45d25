"""The words of a line: how a line is split, and what each word stands for. Pure, nothing is evaluated here.

Split at spaces. A quote counts at the start of a word or right after `=`. `{{...}}` is one Python expression,
`{...}` and `[...]` are one JSON value, `--` ends options, everything else is itself.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NoReturn, Self

from IPython.core.error import UsageError

QUOTES = "\"'"
OPENINGS = QUOTES + "{["  # what begins a word that has its own end

_quote_after_equals = re.compile(r"=(?=[\"'])")


class Meaning(Enum):
    """What a word stands for."""

    ITSELF = "itself"  # text as typed; an option if it starts with a dash
    TEXT = "text"  # quoted, or after `--`: never an option
    JSON = "json"  # one JSON value, kept as it was typed
    EXPRESSION = "expression"  # Python, to be evaluated by whoever runs the command


class Word(str):
    """One word. As a str it is what the parser sees, which is never an option unless it was typed as one.

    Attributes:
        text: What the word says: quotes resolved, braces of an expression removed.
        meaning: What it stands for.
        start: Where it begins in the line.
        joined: Whether it is an option with `=` and a value behind it.
    """

    __slots__ = ("joined", "meaning", "start", "text")
    text: str
    meaning: Meaning
    start: int
    joined: bool

    def __new__(cls, text: str, meaning: Meaning, start: int, *, joined: bool = False) -> Self:
        """Make a word; one that is not itself gets a leading NUL, which no option and no typed word has."""
        word = super().__new__(cls, text if meaning is Meaning.ITSELF else f"\0{text}")
        word.text, word.meaning, word.start, word.joined = text, meaning, start, joined
        return word

    def as_text(self) -> "Word":
        """The same word, never an option."""
        return Word(self.text, Meaning.TEXT, self.start)


def split(line: str) -> list[Word]:
    """Split a line into words.

    Raises:
        UsageError: A quote, JSON value or expression does not end, or something follows it without a space.
    """
    words: list[Word] = []
    at, options = 0, True
    while (at := _next(line, at)) < len(line):
        found, at = _read(line, at)
        if not options:
            found = [word.as_text() if word.meaning is Meaning.ITSELF else word for word in found]
        elif found[0].meaning is Meaning.ITSELF and found[0] == "--":
            options = False
            continue
        words += found
    return words


def of_arguments(arguments: Sequence[str]) -> list[Word]:
    """The words of a command line that a shell has split: each is itself, never an expression."""
    words: list[Word] = []
    options = True
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if options and argument == "--":
            options = False
        elif options and equals and name.startswith("--"):
            words += [Word(name, Meaning.ITSELF, 0, joined=True), Word(value, Meaning.TEXT, 0)]
        else:
            words.append(Word(argument, Meaning.ITSELF if options else Meaning.TEXT, 0))
    return words


def lines(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """The commands of a text with the numbers of their lines; empty lines and comments are none."""
    for number, line in enumerate(text.splitlines(), start=first):
        command = line.strip().removeprefix("%kubemq ")
        if command and not command.startswith("#"):
            yield number, command


def quoted(text: str) -> str:
    """Write text as one word."""
    if text and not any(c in text for c in " \"'\\") and text[0] not in "{[-":
        return text
    if '"' in text and "'" not in text and "\\" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _next(line: str, at: int) -> int:
    while at < len(line) and line[at] == " ":
        at += 1
    return at


def _read(line: str, at: int) -> tuple[list[Word], int]:
    """The word that begins at `at`, or an option and its value when they are joined by `=`."""
    if line.startswith("{{", at):
        return _one(line, at, *_expression(line, at), Meaning.EXPRESSION)
    if line[at] in "{[":
        return _one(line, at, *_json(line, at), Meaning.JSON)
    if line[at] in QUOTES:
        return _one(line, at, *_quotation(line, at), Meaning.TEXT)
    equals = line.find("=", at, _end(line, at)) + 1
    if equals and line.startswith("--", at):
        return _option(line, at, equals)
    return _plain(line, at)


def _plain(line: str, at: int) -> tuple[list[Word], int]:
    """A word that ends at a space, or at the quote that closes its `="..."`."""
    end = _end(line, at)
    if quote := _quote_after_equals.search(line, at, end):
        text, end = _quotation(line, quote.end())
        return _one(line, at, line[at : quote.end()] + text, end, Meaning.TEXT)
    return [Word(line[at:end], Meaning.ITSELF, at)], end


def _one(line: str, at: int, text: str, end: int, meaning: Meaning) -> tuple[list[Word], int]:
    """A word that has its own end; only a space may follow it."""
    if end < len(line) and line[end] != " ":
        rest = line[end:].partition(" ")[0]
        raise UsageError(
            f"{rest!r} follows {line[at:end]} without a space; quote the whole if it is one piece of text"
        )
    return [Word(text, meaning, at)], end


def _option(line: str, at: int, end: int) -> tuple[list[Word], int]:
    """`--name=value`: the option as a word, and its value as another, read like any word."""
    name = Word(line[at : end - 1], Meaning.ITSELF, at, joined=True)
    if line[end:].startswith(tuple(OPENINGS)):
        found, after = _read(line, end)
        return [name, *found], after
    value, after = _plain(line, end)
    return [name, Word(value[0].text, Meaning.TEXT, end)], after


def _end(line: str, at: int) -> int:
    """Where a plain word ends."""
    end = line.find(" ", at)
    return len(line) if end < 0 else end


def _quotation(line: str, at: int) -> tuple[str, int]:
    quote, text, end = line[at], "", at + 1
    while end < len(line):
        if line[end] == quote:
            return text, end + 1
        if line[end] == "\\" and line[end + 1 : end + 2] in (quote, "\\"):
            end += 1
        text += line[end]
        end += 1
    raise UsageError(f"the quote in {_shown(line[at:])} is not closed")


def _json(line: str, at: int) -> tuple[str, int]:
    try:
        _, end = _decoder.raw_decode(line, at)
    except RecursionError:
        raise UsageError(f"the JSON value in {_shown(line[at:])} is nested too deeply") from None
    except ValueError as error:
        where = f" at its character {error.pos - at + 1}" if isinstance(error, json.JSONDecodeError) else ""
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise UsageError(
            f"not JSON{where}: {what} in {_shown(line[at:])}; quote it to send it as text"
        ) from None
    return line[at:end], end


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_constant)


def _expression(line: str, at: int) -> tuple[str, int]:
    """The shortest text up to a `}}` that is a Python expression and ends a word."""
    end = line.find("}}", at + 2)
    if end < 0:
        raise UsageError(f"the expression in {_shown(line[at:])} is not closed by }}}}")
    first = line[at : end + 2]
    while end >= 0:
        text = line[at + 2 : end].strip()
        if _is_expression(text) and line[end + 2 : end + 3] in ("", " "):
            return text, end + 2
        end = line.find("}}", end + 1)
    if _is_expression(first[2:-2].strip()):
        return first[2:-2].strip(), at + len(first)
    raise UsageError(f"not a Python expression: {_shown(first)}")


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _shown(text: str, width: int = 40) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
