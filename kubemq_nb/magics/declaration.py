"""A command is a method: its words, options, defaults and help come from signature and docstring.

See docs/adr/0001. A command adds only what a signature cannot say: short options and examples.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from pathlib import Path
from types import EllipsisType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

from kubemq_nb.magics import values
from kubemq_nb.messages import Body, Decode, Duration, End, Fields, Rows, Start, Tags, Where

if TYPE_CHECKING:
    from kubemq_nb.magics.call import Call

NOUNS = {"queue": "queues", "es": "events_store", "command": "commands", "query": "queries"}
"""Other spellings of the patterns, wherever one is typed."""
OPTIONAL_WORDS = {
    "body",
    "channel",
    "key",
    "value",
    "address",
    "name",
    "noun",
    "verb",
}  # may be left out, and still are words rather than options
OWNERS = {"self", "session", "known", "settings"}  # what a method is called on, which no line names


class Reading(NamedTuple):
    """How text becomes the value of a parameter; `read` is None where only `{{...}}` will do.

    Attributes:
        takes: Types of a Python object in its place, where the method does not look at them itself.
    """

    metavar: str
    read: Callable[[str], object] | None
    choices: tuple[str, ...] = ()
    takes: tuple[type, ...] = (object,)


def _members(annotation: object) -> frozenset[object]:
    """The types of an annotation, without those that mean "left out"."""
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return frozenset(get_args(annotation)) - {NoneType, EllipsisType}
    return frozenset({annotation})


READINGS: dict[frozenset[object], Reading] = {
    _members(Duration): Reading("DURATION", values.duration),
    _members(Start): Reading("POSITION", values.start),
    _members(End): Reading("POSITION", values.end),
    _members(Tags): Reading("KEY=VALUE", values.tag),
    _members(Body): Reading("BODY", str),
    _members(Rows): Reading("ROWS", values.rows),
    _members(Where): Reading("EXPR", str, takes=(str,)),
    _members(Fields): Reading("PATHS", str),
    _members(Decode): Reading("DECODER", str),
    frozenset({int}): Reading("N", values.whole, takes=(Integral,)),
    frozenset({int, Iterable[int]}): Reading("SEQUENCE", values.whole),
    frozenset({str, Path}): Reading("PATH", str),
}


def reading(annotation: object) -> Reading:
    """Find how values of an annotation are read from text."""
    members = _members(annotation)
    if found := READINGS.get(members):
        return found
    choices = tuple(str(choice) for member in members for choice in get_args(member) if _is_literal(member))
    if choices:
        number = values.whole if int in members else None
        kinds = (str, Integral) if number else (str,)
        return Reading("|".join(choices), _choice(choices, number), choices, kinds)
    if any(get_origin(member) is Callable or member is Callable for member in members):
        return Reading("{{FUNCTION}}", None)
    return Reading("TEXT", str, takes=(str,))


def _is_literal(member: object) -> bool:
    return get_origin(member) is Literal


def _choice(choices: tuple[str, ...], number: Callable[[str], object] | None) -> Callable[[str], object]:
    def read(text: str) -> object:
        text = NOUNS[text] if NOUNS.get(text) in choices else text
        if text in choices:
            return text
        if number and text.isdigit():
            return number(text)
        raise values.Unreadable(f"wants {'a number or ' if number else ''}{', '.join(choices)}; not {text}")

    return read


class Parameter(NamedTuple):
    """One word or option of a command."""

    name: str  # the keyword in Python
    option: str  # as `--name`; empty for a word
    short: str  # as `-n`, or empty
    metavar: str
    help: str
    default: object  # inspect.Parameter.empty: it must be given
    reading: Reading
    flag: bool = False
    repeated: bool = False

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty

    @property
    def label(self) -> str:
        """What an error calls it."""
        return f"{self.short}/{self.option}" if self.short else self.option or self.metavar


@dataclass(frozen=True, eq=False)
class Command:
    """A command of the language, declared by the method that it calls.

    Attributes:
        words: Noun and verb, or the verb alone, as typed.
        method: The method, unbound, or a function.
        shorts: Short options, by parameter.
        examples: Lines that can be run as they stand, after `%kubemq `.
        cell: What a cell below `%%kubemq` is to the command: a parameter that it fills.
        destroys: Tells what would be lost; such a command wants `--yes`.
        run: Runs the command in place of a plain call of the method on its owner.
        owner: Attribute of the session that has the method, where it is not the noun.
    """

    words: str
    method: Callable[..., Any]
    shorts: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    cell: Literal["", "body", "handler"] = ""
    destroys: "Callable[[Call], str] | None" = None
    run: "Callable[[Call], object] | None" = None
    owner: str = ""

    @property
    def noun(self) -> str:
        """The first of two words, or empty."""
        return self.words.rpartition(" ")[0]

    @property
    def verb(self) -> str:
        """The last word."""
        return self.words.rpartition(" ")[2]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Words first, then options, in the order of the signature."""
        found = [self._parameter(each) for each in inspect.signature(self.method).parameters.values()]
        return tuple(sorted((each for each in found if each), key=lambda each: bool(each.option)))

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """The parameters that are words."""
        return tuple(each for each in self.parameters if not each.option)

    @property
    def options(self) -> tuple[Parameter, ...]:
        """The parameters that are options."""
        return tuple(each for each in self.parameters if each.option)

    @cached_property
    def doc(self) -> "Docstring":
        """The method's docstring, taken apart."""
        return Docstring.of(self.method)

    def _parameter(self, given: inspect.Parameter) -> Parameter | None:
        if given.name in OWNERS:
            return None
        read = reading(given.annotation)
        word = given.kind is not given.KEYWORD_ONLY and (
            given.default is given.empty or given.name in OPTIONAL_WORDS
        )
        repeated = read.read is values.tag or read.metavar == "SEQUENCE"
        name = given.name.removesuffix("s") if repeated else given.name
        return Parameter(
            name=given.name,
            option="" if word else f"--{name.replace('_', '-')}",
            short=self.shorts.get(given.name, ""),
            metavar=given.name.upper() if word else read.metavar,
            help=self.doc.parameters.get(given.name, ""),
            default=given.default,
            reading=read,
            flag=given.annotation is bool,
            repeated=repeated,
        )


class Docstring(NamedTuple):
    """A docstring in Google form: its first line, what follows, and a text for each parameter."""

    summary: str
    details: str
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, documented: object) -> "Docstring":
        """Take a docstring apart."""
        text = inspect.getdoc(documented) or ""
        body, *sections = re.split(r"\n(Args|Returns|Raises|Attributes):\n", f"{text}\n")
        summary, _, details = body.strip().partition("\n")
        named = dict(zip(sections[::2], sections[1::2], strict=True))
        return cls(
            _joined(summary), details.strip(), _entries(named.get("Args") or named.get("Attributes", ""))
        )


def _entries(section: str) -> dict[str, str]:
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, flags=re.MULTILINE)
    return {name: _joined(text) for name, text in found}


def _joined(text: str) -> str:
    return " ".join(text.split())
