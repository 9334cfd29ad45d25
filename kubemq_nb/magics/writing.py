"""From a command and the values of its parameters to the line that one would type."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

from IPython.core.error import UsageError

from kubemq_nb.magics.declaration import Command, Parameter
from kubemq_nb.magics.reference import duration
from kubemq_nb.magics.words import Meaning, quoted, split
from kubemq_nb.visible import clean


def line(words: str, arguments: Mapping[str, object]) -> str:
    """A line, or a cell where the body has several lines, that calls a command with these values.

    Args:
        words: Noun and verb.
        arguments: Values by parameter.
    """
    command = _commands()[words]
    body = arguments.get("body")
    as_cell = isinstance(body, str) and "\n" in body and clean(body) == body and command.cell == "body"
    said = [
        _written(each, arguments[each.name])
        for each in command.parameters
        if each.name in arguments and not (as_cell and each.name == "body")
    ]
    head = " ".join([f"{'%%' if as_cell else '%'}kubemq {words}", *said])
    return f"{head}\n{body}" if as_cell else head


@cache
def _commands() -> dict[str, Command]:
    from kubemq_nb.magics.commands import COMMANDS  # noqa: PLC0415  they know sessions, which know this

    return {command.words: command for command in COMMANDS}


def _written(parameter: Parameter, value: object) -> str:
    """A word, or an option with its value."""
    if parameter.repeated and isinstance(value, Mapping):
        if any(not key or "=" in key or not _is_plain(f"{key}{text}") for key, text in value.items()):
            return f"{_name(parameter)} {{{{{dict(value)!r}}}}}"
        return " ".join(f"{_name(parameter)} {quoted(f'{key}={text}')}" for key, text in value.items())
    if not parameter.option:
        return _word(value, as_body=parameter.name == "body")
    if parameter.flag:
        return parameter.option
    return f"{_name(parameter)} {_text(parameter, value)}"


def _name(parameter: Parameter) -> str:
    return parameter.short or parameter.option


def _text(parameter: Parameter, value: object) -> str:
    if parameter.reading.metavar == "DURATION":
        return duration(value.total_seconds() if isinstance(value, timedelta) else float(str(value)))
    return _word(value, as_body=False)


def _word(value: object, *, as_body: bool) -> str:
    """Text as one word, JSON as it is; what no text says is an expression."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) else f"{{{{{value!r}}}}}"
    if not _is_plain(value):
        return f"{{{{{value!r}}}}}"
    if as_body and _is_json(value):
        return value
    # A line that ends in `?` is IPython's.
    return f'"{value}"' if value.endswith("?") and quoted(value) == value else quoted(value)


def _is_plain(value: str) -> bool:
    """Whether a text can stand in a line as it is: whoever reads the line sees all of it."""
    return "\n" not in value and clean(value) == value


def _is_json(value: str) -> bool:
    """Whether a text is read to its own end without quotes."""
    try:
        return [word.meaning for word in split(value)] == [Meaning.JSON]
    except UsageError:
        return False
