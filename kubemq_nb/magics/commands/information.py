"""Help and version."""

from collections.abc import Sequence
from importlib.metadata import version as installed

from kubemq_nb.magics import reference
from kubemq_nb.magics.declaration import Command
from kubemq_nb.render import Page, Text


def help(known: Sequence[Command], noun: str | None = None, verb: str | None = None) -> Page:
    """Show all commands, those of a noun, or one in full.

    Args:
        known: All commands.
        noun: Noun, or a command without one.
        verb: Its verb.
    """
    return reference.page(known, noun, verb)


def version() -> Text:
    """Show the version of this package."""
    return Text(f"kubemq_nb {installed('kubemq-nb')}")


COMMANDS = (
    Command("help", help, run=lambda call: call.invoke(call.known), examples=("help queues send",)),
    Command("version", version, run=lambda call: call.invoke(), examples=("version",)),
)
