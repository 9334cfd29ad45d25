"""The commands, a module for each family, loaded when one of its commands is wanted."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import cast, overload

from kubemq_nb.magics.declaration import NOUNS, Command

FAMILIES = {
    "connections": (
        *("connect", "ping", "status", "connections", "use", "close", "broker", "channels", "stats", "ui"),
        *("jobs", "stop", "pause", "resume", "clear", "filter", "retry", "restart"),
    ),
    "queues": ("queues", "tx"),
    "events": ("events", "events_store"),
    "requests": ("commands", "queries", "answers"),
    "information": ("help", "config", "version"),
}
"""The first words of the commands of each module, in the order of the help."""


class Commands(Sequence[Command]):
    """Every command; reading them loads all modules."""

    def beginning(self, word: str) -> Sequence[Command]:
        """The commands of the family that has this first word; all, where none has it."""
        first = NOUNS.get(word, word)
        return next((_family(name) for name, words in FAMILIES.items() if first in words), self)

    @cached_property
    def _all(self) -> tuple[Command, ...]:
        return tuple(command for family in FAMILIES for command in _family(family))

    @overload
    def __getitem__(self, place: int) -> Command: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Command]: ...
    def __getitem__(self, place: int | slice) -> Command | Sequence[Command]:
        return self._all[place]

    def __len__(self) -> int:
        return len(self._all)


def _family(name: str) -> tuple[Command, ...]:
    return cast("tuple[Command, ...]", import_module(f"{__name__}.{name}").COMMANDS)


COMMANDS = Commands()
"""Every command, in the order of the help."""
