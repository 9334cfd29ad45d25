"""The door to the language above the session: its lines run, and calls as lines. Loaded when it is used."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubemq_nb.session.connection import Session


def run(session: "Session", text: str, variables: dict[str, Any]) -> list[object]:
    """See `Session.run`."""
    from kubemq_nb.magics import scripts  # noqa: PLC0415

    return scripts.run(session, text, variables)


def line(words: str, arguments: Mapping[str, object]) -> str:
    """The line, or the cell, that calls a command with these values.

    Args:
        words: Noun and verb.
        arguments: Values by parameter.
    """
    from kubemq_nb.magics import writing  # noqa: PLC0415

    return writing.line(words, arguments)
