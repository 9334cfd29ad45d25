"""JSON that a person typed: read, or refused with the place and what to do about it."""

import json
import re
from typing import NoReturn

LONGEST = 24  # characters of the text that a sentence repeats

_token = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[\w.+-]+|\S')
_constant = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)')
_part = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_OPENING, _CLOSING = ("{", "["), ("}", "]")
_WORDS = {"None": "null", "True": "true", "False": "false", "undefined": "null"}


class NotJSON(ValueError):
    """A text that is no JSON; the message names line and column, counted from 1.

    Attributes:
        position: Where, in characters from the beginning.
    """

    def __init__(self, text: str, position: int, wanted: str) -> None:
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        super().__init__(f"Line {line:,}, column {column:,}: {wanted}.")
        self.position = position


def read(text: str) -> object:
    """The value of a JSON text.

    Raises:
        NotJSON: It is none.
    """
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise NotJSON(text, 0, "it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJSON(text, *_explained(text, error)) from None
    except ValueError as error:
        found = next(found for found in _constant.finditer(text) if found[1])
        raise NotJSON(text, found.start(), f"{error} is no JSON value; null is") from None


def indented(text: str) -> str:
    """The same with one item a line; names and values stay as they were typed.

    Raises:
        NotJSON: It is none.
    """
    read(text)
    written, depth = "", 0
    parts = _part.findall(text)
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if part in _CLOSING:
            depth -= 1
            written += part if before in _OPENING else f"\n{'  ' * depth}{part}"
        elif part in _OPENING:
            depth += 1
            written += part if after in _CLOSING else f"{part}\n{'  ' * depth}"
        else:
            written += {",": f",\n{'  ' * depth}", ":": ": "}.get(part, part)
    return written


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse)


def _explained(text: str, error: json.JSONDecodeError) -> tuple[int, str]:  # noqa: PLR0911  one a mistake
    """Where the mistake is, and what to do about it."""
    at = error.pos
    here = _shown(text, at)
    match error.msg:
        case "Expecting ',' delimiter" if at >= len(text):
            return at, "the closing bracket is missing at the end"
        case "Expecting ',' delimiter" if text[at] in "}]":
            return at, f"{here} does not close what is open here"
        case "Expecting ',' delimiter":
            return _before(text, at), f"a comma is missing before {here}"
        case "Expecting ':' delimiter":
            return _before(text, at), f"a colon is missing before {here}"
        case "Extra data":
            return at, f"the value has ended before {here}"
        case "Unterminated string starting at":
            return at, "the text that begins here has no closing quote"
        case "Invalid control character at":
            return at, "a line break or control character stands inside a text; write \\n for one"
        case msg if msg.startswith("Invalid \\"):
            return at, "a backslash begins no escape here; write two for one"
        case msg if msg.startswith(("Illegal trailing comma", "Expecting")):
            return _of_value(text, at, name="property name" in error.msg)
    return at, error.msg[:1].lower() + error.msg[1:]


def _of_value(text: str, at: int, *, name: bool) -> tuple[int, str]:  # noqa: PLR0911  the same
    """A value or a name that is not there, or is written in another language."""
    here, before = _shown(text, at), _before(text, at)
    wanted = "a name in double quotes" if name else "a value"
    if not text.strip():
        return 0, "there is nothing"
    if at >= len(text):
        return at, f"{wanted} is missing at the end"
    if text[at] == ",":
        return at, "a comma too many" if text[at + 1 :].lstrip()[:1] in ("}", "]") else f"{wanted} is missing"
    if text[at] in "}]":
        comma = text[before - 1 : before] == ","
        return (before - 1, "a comma too many") if comma else (at, f"{wanted} is missing before {here}")
    if text[at] == "'":
        return at, "text stands in double quotes, not in single ones"
    if here in _WORDS:
        return at, f"{here} is no JSON value; {_WORDS[here]} is"
    return (
        at,
        f"{wanted} is wanted, not {here}" if name else f"{here} is no JSON value; text stands in quotes",
    )


def _before(text: str, at: int) -> int:
    """Where what stands before a place ends."""
    return len(text[:at].rstrip())


def _shown(text: str, at: int) -> str:
    found = _token.match(text, at)
    token = found[0] if found else "the end"
    return token if len(token) <= LONGEST else f"{token[: LONGEST - 1]}…"
