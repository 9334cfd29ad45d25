"""From the words of a line to a command and the values of its parameters. The only user of argparse."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, NoReturn, cast

from IPython.core.error import UsageError

from kubemq_nb.magics.declaration import NOUNS, Command, Parameter
from kubemq_nb.magics.values import Unreadable
from kubemq_nb.magics.words import Meaning, Word, quoted
from kubemq_nb.messages import as_tags

CONSUMING = ("queues receive", "queues transaction")
SEVERAL = "BODY is one word; quote it"
SECRETS = ("--token", "--auth-token", "--password", "--secret")
Format = Literal["table", "plain", "json", "jsonl"]
Encoding = Literal["text", "json", "jsonl", "csv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """The options of every command, which are the dispatcher's: where it runs and how its result is shown.

    Attributes:
        on: Name of the connection to use, as in `connections`; the current one when left out.
        out: Variable that takes the result.
        quiet: Show nothing.
        format: How to show the result: a table, its text alone, or JSON for other programs.
        yes: Go ahead, although it destroys something.
        encode: What the cell holds: one body as text or JSON, or many as JSON lines or CSV.
    """

    on: str | None = None
    out: str | None = None
    quiet: bool = False
    format: Format = "table"
    yes: bool = False
    encode: Encoding = "text"


ELSEWHERE = {
    "consume": "receive",
    "disconnect": "close",
    "list": "channels",
    "ls": "channels",
    "publish": "send",
    "purge": "ack_all",
}
"""What other tools call a command of ours, for suggestions."""

PRESENTATION = Command("", Presentation, shorts={"out": "-o", "quiet": "-q", "yes": "-y"})


def options(command: Command) -> tuple[Parameter, ...]:
    """All options that a command takes, its own first."""
    absent = {*(() if command.destroys else ("yes",)), *(() if command.cell == "body" else ("encode",))}
    return (*command.options, *(each for each in PRESENTATION.options if each.name not in absent))


class Parsed(NamedTuple):
    """What a line said: values for some of the command's parameters, and how to present the result."""

    arguments: dict[str, object]
    presentation: Presentation


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        wanted = message.removeprefix("argument ").replace(": expected one argument", " wants a value")
        raise UsageError(f"{self.prog}: {wanted}")


def find(words: Sequence[str], commands: Iterable[Command]) -> tuple[Command, int]:
    """The command that the first words name, and how many words name it.

    Raises:
        UsageError: They name none; the nearest is suggested.
    """
    known = {command.words: command for command in commands}
    head = [NOUNS.get(words[0], words[0]), *(getattr(word, "text", word) for word in words[1:2])]
    if command := known.get(" ".join(head)):
        return command, len(head)
    verbs = [command.verb for command in known.values() if command.noun == head[0]]
    command = known.get(head[0])
    # What follows a command that takes no word, and is also a noun, was meant as a verb.
    if command and (command.arguments or not verbs or head[1].startswith("-")):
        return command, 1
    if verbs:
        raise UsageError(_no_verb(head, verbs))
    raise UsageError(_no_command(words[0], known.values()))


def is_noun(word: str, commands: Iterable[Command]) -> bool:
    """Whether the word is a noun that has verbs and is no command by itself."""
    name = NOUNS.get(word, word)
    known = list(commands)
    return any(each.noun == name for each in known) and not any(each.words == name for each in known)


def _no_verb(head: Sequence[str], verbs: Sequence[str]) -> str:
    if len(head) == 1:
        return f"{head[0]} wants a verb: {', '.join(verbs)}. More: %kubemq help {head[0]}"
    return f"no verb {head[1]} in {head[0]}. {_did_you_mean(head[1], verbs)}All verbs: %kubemq help {head[0]}"


def _no_command(word: str, commands: Iterable[Command]) -> str:
    if word.startswith("-"):
        return f"the command comes first, and {word} after it. All commands: %kubemq help"
    places = [command.words for command in commands if command.verb == word]
    if places:
        return f"{word} wants a noun before it: {', '.join(places)}"
    names = {*NOUNS, *(command.noun or command.verb for command in commands)}
    return f"no command {word}. {_did_you_mean(word, names)}All commands: %kubemq help"


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  for mistakes alone

    names = {each.lstrip("-"): each for each in sorted(choices)}
    typed = word.lstrip("-")
    typed = ELSEWHERE.get(typed, typed)
    begun = [name for name in names if typed and name.startswith(typed)]
    nearest = begun or get_close_matches(typed, names, n=1)
    return f"Did you mean {names[nearest[0]]}? " if nearest else ""


def parse(command: Command, words: Sequence[Word], evaluate: Callable[[str], object]) -> Parsed:
    """Read the words after those that name the command.

    Args:
        command: What they are for.
        words: As `words.split` gave them.
        evaluate: Gives the value of an expression; called only when all words are in their places.

    Raises:
        UsageError: They do not fit the command; says which and what it wants.
    """
    flags = {name for each in options(command) if each.flag for name in (each.option, each.short)}
    if valued := [word for word in words if word.joined and word in flags]:
        raise UsageError(f"{command.words}: {valued[0]} takes no value")
    words = [word.as_text() if word[1:2].isdigit() and word[0] == "-" else word for word in words]
    # Known ones only: what is left over gets an answer of ours, with a suggestion, in place of argparse's.
    found, unknown = parser(command).parse_known_intermixed_args(words)
    if unknown:
        raise UsageError(_no_option(command, unknown[0]))
    said = {name: value for name, value in vars(found).items() if value is not None}
    placed = cast("list[Word]", said.pop("words"))
    if "where" in said and len(placed) > len(command.arguments):
        raise UsageError('--where is one word; quote a condition that has spaces: --where "body.total > 10"')
    said |= _placed(command, placed)
    parameters = {each.name: each for each in (*command.arguments, *options(command))}
    values = {name: _value(parameters[name], value, evaluate) for name, value in said.items()}
    shown = {name: values.pop(name) for name in Presentation.__slots__ if name in values}
    return Parsed(values, Presentation(**cast("dict[str, Any]", shown)))


@cache
def parser(command: Command) -> argparse.ArgumentParser:
    """One flat parser a command; it sorts words, and leaves values to `_value`."""
    made = _Parser(prog=command.words, add_help=False, allow_abbrev=False, argument_default=None)
    made.add_argument("words", nargs="*")
    for option in options(command):
        names = [name for name in (option.short, option.option) if name]
        if option.flag:
            made.add_argument(*names, dest=option.name, action="store_const", const=True)
        else:
            made.add_argument(*names, dest=option.name, action="append" if option.repeated else "store")
    return made


def _no_option(command: Command, word: str) -> str:
    if word in SECRETS:
        return "a token stays off the line, which the notebook keeps: use --token-env or --token-file"
    if word == "--where" and command.words in CONSUMING:
        return (
            f"--where is for reads that leave messages where they are: {command.words} would take those that "
            "do not match as well; use queues peek --where"
        )
    nearest = _did_you_mean(word, [each.option for each in options(command)]) or "Quote it if it is text. "
    return f"no option {word} in {command.words}. {nearest}More: %kubemq help {command.words}"


def _placed(command: Command, words: Sequence[Word]) -> dict[str, object]:
    """Give each word its parameter."""
    places = command.arguments
    if len(words) > len(places):
        raise UsageError(_too_many(command, words))
    return {place.name: word for place, word in zip(places, words, strict=False)}


def _too_many(command: Command, words: Sequence[Word]) -> str:
    places = command.arguments
    if places and places[-1].name == "body":
        text = " ".join(word.text for word in words[len(places) - 1 :])
        return f"{SEVERAL}: {quoted(text)}"
    extra = words[len(places)].text
    return f"{command.words} takes no word {extra}; it is: {usage(command)}"


def missing(command: Command, arguments: Iterable[str]) -> str:
    """What the command still wants, or nothing."""
    given = set(arguments)
    for place in command.arguments:
        if place.required and place.name not in given:
            article = "an" if place.metavar == "ID" else "a"
            return f"{command.words} wants {article} {place.metavar}: {usage(command)}"
    return ""


def usage(command: Command) -> str:
    """The command with its words, as one would type it."""
    shown = [each.metavar if each.required else f"[{each.metavar}]" for each in command.arguments]
    return " ".join(["%kubemq", command.words, *shown])


def _value(parameter: Parameter, said: object, evaluate: Callable[[str], object]) -> object:
    if said is True:
        return True
    if isinstance(said, list):
        return _many(parameter, [_read(parameter, each, evaluate) for each in said])
    return _read(parameter, cast("str", said), evaluate)


def _read(parameter: Parameter, word: str, evaluate: Callable[[str], object]) -> object:
    """An expression is passed as the object that it is; text is read as the parameter wants it."""
    text = getattr(word, "text", word)
    if getattr(word, "meaning", None) is Meaning.EXPRESSION:
        return _object(parameter, evaluate(text))
    return _text(parameter, text)


def _text(parameter: Parameter, text: str) -> object:
    if parameter.reading.read is None:
        wanted = parameter.reading.metavar
        raise UsageError(f"{parameter.label} wants {wanted}, a Python object, not {text}")
    try:
        return parameter.reading.read(text)
    except Unreadable as error:
        raise UsageError(f"{parameter.label} {error}") from None


def _object(parameter: Parameter, value: object) -> object:
    if parameter.name == "body" and hasattr(value, "columns"):
        raise UsageError("BODY is one message, a DataFrame is many: use --rows")
    if value is None and parameter.default is None:
        return None
    if not isinstance(value, parameter.reading.takes):
        raise UsageError(f"{parameter.label} wants {parameter.reading.metavar}, not {type(value).__name__}")
    return _text(parameter, value) if parameter.reading.choices and isinstance(value, str) else value


def _many(parameter: Parameter, said: list[object]) -> object:
    """Tags as one mapping, sequences as a list; an expression may give several at once."""
    found: list[Any] = []
    for value in said:
        if isinstance(value, dict):
            found += value.items()
        else:
            found += value if isinstance(value, list) else [value]
    try:
        return found if parameter.reading.metavar == "SEQUENCE" else as_tags(found)
    except ValueError as error:
        raise UsageError(str(error)) from None
