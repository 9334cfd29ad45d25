"""Help and version."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from traitlets import Bool, HasTraits, TraitType

from kubemq_nb.magics import reference
from kubemq_nb.magics.declaration import Command
from kubemq_nb.render import Page, Text, columns

if TYPE_CHECKING:
    from kubemq_nb.magics.call import Call

SWITCH = {"on": True, "true": True, "off": False, "false": False}


def help(known: Sequence[Command], noun: str | None = None, verb: str | None = None) -> Page:
    """Show all commands, those of a noun, or one in full.

    Args:
        known: All commands.
        noun: Noun, or a command without one.
        verb: Its verb.
    """
    return reference.page(known, noun, verb)


def config(settings: HasTraits, key: str | None = None, value: str | None = None) -> Text:
    """Show how results are displayed, or change it; `%config KubeMQMagics` does the same.

    Args:
        settings: The magics of this shell.
        key: Which setting; all when left out: max_rows, the rows that a display shows; deterministic, which
            leaves out what differs from run to run; traceback, which shows errors whole.
        value: Its new value: a number, or on or off.
    """
    known = settings.traits(config=True)
    if key is not None and key not in known:
        raise UsageError(f"no setting {key}; there are {', '.join(sorted(known))}")
    if key is not None and value is not None:
        setattr(settings, key, _setting(known[key], key, value))
    rows = [
        [name, str(getattr(settings, name)), known[name].help] for name in ([key] if key else sorted(known))
    ]
    return Text("\n".join(columns(rows)))


def _setting(trait: TraitType[Any, Any], name: str, value: str) -> object:
    if isinstance(trait, Bool):
        if value.lower() not in SWITCH:
            raise UsageError(f"{name} wants on or off, not {value}")
        return SWITCH[value.lower()]
    if not value.isdigit() or not int(value):
        raise UsageError(f"{name} wants a whole number from 1, not {value}")
    return int(value)


def _config(call: "Call") -> object:
    manager = getattr(call.shell, "magics_manager", None)
    if manager is None:
        raise UsageError("config is for notebooks and IPython: a line in a shell says --format instead")
    return call.invoke(manager.registry["KubeMQMagics"])


def version() -> Text:
    """Show the version of this package."""
    from importlib.metadata import version as installed  # noqa: PLC0415  it takes longer than the answer

    return Text(f"kubemq_nb {installed('kubemq-nb')}")


COMMANDS = (
    Command("help", help, run=lambda call: call.invoke(call.known), examples=("help queues send",)),
    Command("config", config, run=_config, examples=("config", "config max_rows 50", "config traceback on")),
    Command("version", version, run=lambda call: call.invoke(), examples=("version",)),
)
