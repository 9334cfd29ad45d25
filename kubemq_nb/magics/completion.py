"""Completion of a line as it is typed: from declarations and from what was seen, never from the network."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError

from kubemq_nb.frames.decoders import NAMES
from kubemq_nb.magics import grammar
from kubemq_nb.magics.declaration import NOUNS, Command, Parameter
from kubemq_nb.magics.words import quoted
from kubemq_nb.session import profiles, registry

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MOST = 200  # names that one completion offers
FILES = ("PATH", "ROWS")  # kinds of values that are files

_magic = re.compile(r"(?:^|=)\s*%%?kubemq +(.*)$")


class Completion:
    """The matcher of one shell.

    Args:
        shell: Where to offer completions.
        commands: What can be typed.
        channels: Gives the channel names that were seen, of a pattern or of all.
        settings: Gives the names of what `config` sets.
    """

    def __init__(
        self,
        shell: "InteractiveShell",
        commands: Sequence[Command],
        channels: Callable[[str], Iterable[str]],
        settings: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._shell = shell
        self._commands = commands
        self._channels = channels
        self._named: dict[str, Callable[[], Iterable[str]]] = {
            **dict.fromkeys(("on", "name"), lambda: [session.name for session in registry.all()]),
            "profile": profiles.names,
            "key": lambda: sorted(settings()),
            "job": _jobs,
            "start": lambda: ("new", "first", "last", "seq:"),
            "decode": lambda: (*NAMES[:-1], "protobuf:"),
        }

        def kubemq_matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.match(_line(context.full_text, context.cursor_line, context.text_until_cursor))

        self._matcher = context_matcher()(kubemq_matcher)

    def add(self) -> None:
        """Offer completions."""
        self._shell.Completer.custom_matchers.append(self._matcher)

    def remove(self) -> None:
        """Offer none any more."""
        if self._matcher in self._shell.Completer.custom_matchers:
            self._shell.Completer.custom_matchers.remove(self._matcher)

    def match(self, typed: str) -> SimpleMatcherResult:
        """What may follow the text before the cursor; nothing where the line is not ours."""
        found = _magic.search(typed)
        if not found:
            return SimpleMatcherResult(completions=[], suppress=False)
        *before, fragment = found[1].split(" ")
        offered = self._offered([word for word in before if word], fragment)
        fitting = [each for each in offered if each.text.startswith(fragment)][:MOST]
        return SimpleMatcherResult(completions=fitting, suppress=True, matched_fragment=fragment)

    def _offered(self, before: list[str], fragment: str) -> Iterable[SimpleCompletion]:
        if not before or before == ["help"]:
            names = dict.fromkeys(command.noun or command.words for command in self._commands)
            return _all(names, "command")
        if before[0] == "help":
            before = before[1:]
        noun = NOUNS.get(before[0], before[0])
        verbs = [command.verb for command in self._commands if command.noun == noun]
        if len(before) == 1 and verbs and not fragment.startswith("-"):
            return _all(verbs, "command")
        try:
            command, length = grammar.find(before, self._commands)
        except UsageError:
            return []
        return self._after(command, before[length:], fragment)

    def _after(self, command: Command, before: list[str], fragment: str) -> Iterable[SimpleCompletion]:
        """Options, their values, and the words of a command."""
        if fragment.startswith("{{"):
            return _all(self._variables(object), "variable")
        options = grammar.options(command)
        name, equals, value = fragment.partition("=")
        if equals and (joined := [each for each in options if each.option == name and not each.flag]):
            return _all([f"{name}={each}" for each in self._values(joined[0], value, command.noun)], "value")
        last = before[-1] if before else ""
        awaiting = [each for each in options if last and last in (each.short, each.option) and not each.flag]
        if awaiting:
            return _all(self._values(awaiting[0], fragment, command.noun), "value")
        if fragment.startswith("-"):
            return _all([each.option for each in options], "option")
        place = _words(before, options)
        if place < len(command.arguments):
            return _all(self._values(command.arguments[place], fragment, command.noun), "value")
        return []

    def _values(self, parameter: Parameter, fragment: str, noun: str) -> Iterable[str]:
        if parameter.reading.metavar in FILES and parameter.name != "store":
            return _files(fragment)
        if parameter.metavar == "ID":  # the word; an option --id is a name that one makes
            return _waiting()
        if parameter.reading.read is None:
            return self._variables(Callable)
        if parameter.name in ("channel", "dead_letter"):
            return self._channels(noun)
        named = self._named.get(parameter.name, tuple)
        return [*named(), *parameter.reading.choices]

    def _variables(self, kind: Any) -> list[str]:
        """The user's own variables of a kind, as expressions."""
        own = self._shell.user_ns.keys() - self._shell.user_ns_hidden.keys()
        found = [
            name for name, value in self._shell.user_ns.items() if name in own and isinstance(value, kind)
        ]
        return [f"{{{{{name}}}}}" for name in found if not name.startswith("_")]


def _line(text: str, number: int, typed: str) -> str:
    """The line before the cursor as a magic; below a bare `%%kubemq` each line is one."""
    bare = number > 0 and text.partition("\n")[0].split() == ["%%kubemq"]
    return f"%kubemq {typed.lstrip()}" if bare and "%kubemq" not in typed else typed


def _jobs() -> list[str]:
    """The numbers of what runs, of all connections."""
    jobs = [job for session in registry.all() for job in session.open_jobs()]
    return [*dict.fromkeys(str(job.id) for job in jobs)]


def _waiting() -> list[str]:
    """The ids of the requests that wait for an answer by hand, oldest first; those that are one word."""
    ids = [each.request.id for session in registry.all() for each in session.answers.open]
    return [*dict.fromkeys(id for id in ids if id == quoted(id))]


def _files(typed: str) -> list[str]:
    """Files and folders whose names may go on from what is typed; of one word each."""
    folder = typed[: typed.rfind("/") + 1]
    try:
        found = sorted(os.scandir(Path(folder or ".").expanduser()), key=lambda each: each.name)
    except OSError:
        return []
    names = [f"{folder}{each.name}{'/' * each.is_dir()}" for each in found if each.name[0] != "."]
    return [name for name in names if " " not in name]


def _words(before: Sequence[str], options: Sequence[Parameter]) -> int:
    """How many words stand before the cursor that are no option and no value of one."""
    valued = {name for each in options if not each.flag for name in (each.short, each.option) if name}
    count = 0
    for previous, word in zip(["", *before], before, strict=False):
        count += not word.startswith("-") and previous not in valued
    return count


def _all(texts: Iterable[str], kind: str) -> list[SimpleCompletion]:
    return [SimpleCompletion(text, type=kind) for text in texts]
