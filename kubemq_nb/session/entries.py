"""What stands in the fields of a form: text, as a person types it, and the values that it means."""

import base64
import binascii
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from kubemq_nb.messages import Body, Duration, Kind, Tags, encode_body
from kubemq_nb.session import json_text
from kubemq_nb.session.events import Events
from kubemq_nb.session.events_store import EventsStore
from kubemq_nb.session.json_text import NotJSON
from kubemq_nb.session.queues import Queues
from kubemq_nb.session.requests import Commands, Queries

if TYPE_CHECKING:
    from collections.abc import Iterable

BodyAs = Literal["json", "text", "hex", "base64", "bytes"]
"""How the text of a body is meant; "bytes" is a body that is kept as it was given, and not edited."""

Meaning = Literal["body", "tags", "seconds", "whole", "text"]

LONGEST = 100_000  # bytes of a body that is edited; a longer one is kept as it is
_HEX = 64  # bytes of a body that are shown as hexadecimal rather than base64

SENDERS: Final[Mapping[Kind, type]] = MappingProxyType(
    {
        "queues": Queues,
        "events": Events,
        "events_store": EventsStore,
        "commands": Commands,
        "queries": Queries,
    }
)
NOT_TYPED = {"self", "rows"}  # parameters of `send` that are no field of one message
_MEANINGS: Final[Mapping[Any, Meaning]] = MappingProxyType(
    {
        Body: "body",
        Tags | None: "tags",
        Duration: "seconds",
        Duration | None: "seconds",
        int | None: "whole",
        str: "text",
        str | None: "text",
    }
)


class WrongEntry(ValueError):
    """What stands in a field cannot be read; the message says what it wants."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a `send`, as a field of a form.

    Attributes:
        name: The keyword in Python.
        meaning: How its text is read.
        default: What is sent when it is left empty.
        required: Whether it may not be.
    """

    name: str
    meaning: Meaning
    default: object
    required: bool


@cache
def fields_of(noun: Kind) -> tuple[Field, ...]:
    """The fields of a pattern, from the signature of its `send`."""
    found = inspect.signature(SENDERS[noun].send).parameters.values()  # type: ignore[attr-defined]
    return tuple(
        Field(each.name, _MEANINGS[each.annotation], each.default, required=each.default is each.empty)
        for each in found
        if each.name not in NOT_TYPED
    )


def value(field: Field, entry: str) -> object:
    """What an entry means; an empty one is left out before.

    Raises:
        WrongEntry: It cannot be read.
    """
    if field.meaning == "whole":
        if not entry.isdecimal():
            raise WrongEntry(field.name, f"{field.name} is a whole number, not {entry}")
        return int(entry)
    if field.meaning == "seconds":
        return _seconds(field.name, entry)
    return entry


def _seconds(name: str, entry: str) -> float:
    try:
        seconds = float(entry)
    except ValueError:
        raise WrongEntry(name, f"{name} is a number of seconds, not {entry}") from None
    if not math.isfinite(seconds) or seconds < 0:
        raise WrongEntry(name, f"{name} is a number of seconds from 0, not {entry}")
    return seconds


def tags_of(pairs: "Iterable[tuple[str, str]]") -> dict[str, str]:
    """Tags of a form's pairs; a pair without name and value is one that nobody has filled.

    Raises:
        WrongEntry: A name is missing, or stands there twice.
    """
    tags: dict[str, str] = {}
    for name, text in pairs:
        if not name and text:
            raise WrongEntry("tags", f"the tag with the value {text} has no name")
        if name in tags:
            raise WrongEntry("tags", f"the tag {name} is there twice")
        if name:
            tags[name] = text
    return tags


def body_of(entry: str, form: BodyAs) -> str | bytes:
    """The body that an entry means: text as it was typed, also JSON, or bytes.

    Raises:
        WrongEntry: It is not what the form says.
    """
    try:
        return _READERS[form](entry)
    except NotJSON as error:
        raise WrongEntry("body", str(error)) from None
    except (ValueError, binascii.Error):
        wanted = "pairs of 0-9 and a-f" if form == "hex" else "four characters for three bytes"
        raise WrongEntry("body", f"The body is no {form}: {wanted}.") from None


def _checked(entry: str) -> str:
    json_text.read(entry)
    return entry


_READERS: Final[Mapping[BodyAs, Callable[[str], str | bytes]]] = MappingProxyType(
    {
        "json": _checked,
        "text": lambda entry: entry,
        "hex": bytes.fromhex,
        "base64": lambda entry: base64.b64decode("".join(entry.split()), validate=True),
    }
)


def entry_of(given: object) -> str:
    """A value as one would type it; "" for what is left out."""
    if given is None or given != given:  # noqa: PLR0124  NaN and NaT are not themselves
        return ""
    if isinstance(given, timedelta):
        given = given.total_seconds()
    return f"{given:g}" if isinstance(given, float) else str(given)


def entry_of_body(body: Body) -> tuple[str, BodyAs]:
    """A body as one would type it, and how that is meant."""
    raw = encode_body(body)
    if len(raw) > LONGEST:
        return "", "bytes"
    text = _typed(raw)
    if text is None:
        return (raw.hex(" "), "hex") if len(raw) <= _HEX else (base64.b64encode(raw).decode(), "base64")
    return text, "json" if isinstance(body, dict | list) or _is_structure(text) else "text"


def _typed(raw: bytes) -> str | None:
    """Text that a field gives back as it was given: no other control characters than tab and line feed."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\n\t" for character in text) else None


def _is_structure(text: str) -> bool:
    try:
        return isinstance(json_text.read(text), dict | list)
    except NotJSON:
        return False
