"""From a line to its result: parse, run, present."""

from contextlib import contextmanager, nullcontext
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError
from IPython.display import display

from kubemq_nb.errors import ConfirmationRequired, SessionClosed
from kubemq_nb.magics import bodies, cells, grammar, progress, reference
from kubemq_nb.magics.call import Call
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.commands.connections import VARIABLE
from kubemq_nb.magics.present import announce, presented
from kubemq_nb.magics.words import Word, lines, split
from kubemq_nb.render import cut
from kubemq_nb.session import Session, Transaction, connect, registry
from kubemq_nb.session.channels import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.magics.declaration import Command
    from kubemq_nb.render import Look
    from kubemq_nb.session import Job

MOST = 500  # channel names that are remembered
SHOWN = 60  # characters of a line that an error repeats
HELP = ("--help", "-h")
LONG = {"events_store receive": "read"}  # commands that may take long, and what they do


@contextmanager
def located(number: int, line: str) -> "Iterator[None]":
    """Let an error of one of several lines tell which it is."""
    try:
        yield
    except BaseException as error:
        where = f"in line {number}: {cut(line, SHOWN)}"
        if isinstance(error, UsageError):  # IPython shows nothing else of it
            error.args = (f"{error} ({where})",)
        else:
            error.add_note(where)
        raise


class Dispatcher:
    """Runs lines and cells for one shell.

    Args:
        shell: Whose variables the lines use.
        look: What the user chose of all displays.
        first: Opens the session of a line when none is open; an embedded broker's when left out.
        default: Session of lines that name none; the current one when left out.
    """

    def __init__(
        self,
        shell: "InteractiveShell",
        look: "Callable[[], Look]",
        *,
        first: "Callable[[], Session] | None" = None,
        default: Session | None = None,
    ) -> None:
        self._default = default
        self._shell = shell
        self._look = look
        self._connect = first or self._first
        self._before = shell.user_ns.get(VARIABLE)  # not of this extension, or of one that was unloaded
        self._seen: dict[tuple[str, str], None] = {}  # noun and name of channels, the newest last
        self._latest: Transaction | None = None

    def channels(self, noun: str) -> list[str]:
        """Names of channels that this shell has used, the newest first, then others that are known.

        Args:
            noun: Those of this pattern; another word than a pattern's is for all.
        """
        known = (each for session in registry.all() for each in session.channels.names)
        places = [*reversed(self._seen), *known]
        return list(dict.fromkeys(name for kind, name in places if noun not in KINDS or kind in (noun, "")))

    def line(self, line: str, local: dict[str, Any]) -> object:
        """Run one line and give what it shows."""
        words = split(line.strip())
        if not words:
            return reference.page(COMMANDS)
        if len(words) == 1 and grammar.is_noun(words[0], COMMANDS.beginning(words[0])):
            return reference.page(COMMANDS, words[0])
        if words[-1] in HELP:
            return reference.page(COMMANDS, *words[:-1][:2])
        return self._run(words, line.strip(), local)

    def cell(self, line: str, cell: str, local: dict[str, Any]) -> object:
        """Run a line with the cell below it; without a line, each line of the cell."""
        words = split(line.strip())
        if not words:
            self._lines(cell, local)
            return None
        return self._run(words, line.strip(), local, cell)

    def _lines(self, cell: str, local: dict[str, Any]) -> None:
        """One command a line, each shown; the first error ends it."""
        for number, line in lines(cell, first=2):  # the first is `%%kubemq`
            with located(number, line):
                result = self.line(line, local)
            if result is not None:
                display(result)  # type: ignore[no-untyped-call]

    def _run(self, words: list[Word], line: str, local: dict[str, Any], cell: str | None = None) -> object:
        command, length = grammar.find(words, COMMANDS.beginning(words[0]))
        # One mapping, because a comprehension inside an expression would not see a function's variables.
        variables = self._shell.user_ns if local is self._shell.user_ns else self._shell.user_ns | local
        parsed = grammar.parse(command, words[length:], lambda text: cells.evaluate(text, variables))
        if cell is not None:
            parsed = self._with_cell(command, parsed, line, cell)
        elif parsed.presentation.encode != "text":
            raise UsageError("--encode says what a cell holds: begin it with %%kubemq, and write that below")
        result = self.carry_out(command, parsed, f"{'%' if cell is None else '%%'}kubemq {line}")
        return self._shown(result, parsed.presentation)

    def carry_out(self, command: "Command", parsed: grammar.Parsed, line: str) -> object:
        """Run a command as it was read, and give its result."""
        # Before anything runs: a result that cannot be kept must not have been taken from a queue.
        if (out := parsed.presentation.out) and (not out.isidentifier() or iskeyword(out)):
            raise UsageError(f"-o/--out wants the name of a variable, not {out}")
        if wanted := grammar.missing(command, parsed.arguments):
            raise UsageError(wanted)
        call = Call(
            command=command,
            arguments=parsed.arguments,
            presentation=parsed.presentation,
            shell=self._shell,
            known=COMMANDS,
            latest=self._latest,
            line=line,
            connect=lambda: self.session(parsed.presentation.on),
        )
        result = self._result(call)
        # After it ran, so that completion offers no name that was refused.
        self._remember(command.noun, call.arguments.get("channel"))
        return result

    def _remember(self, noun: str, channel: object) -> None:
        if isinstance(channel, str):
            place = noun if noun in KINDS else "", channel
            self._seen.pop(place, None)
            self._seen[place] = None
            if len(self._seen) > MOST:
                del self._seen[next(iter(self._seen))]

    def _shown(self, result: object, wanted: grammar.Presentation) -> object:
        if wanted.out:
            self._shell.user_ns[wanted.out] = result
        return None if wanted.quiet else presented(result, wanted.format, self._look())

    def _with_cell(self, command: "Command", parsed: grammar.Parsed, line: str, cell: str) -> grammar.Parsed:
        """Give the cell its place among the arguments."""
        if not command.cell:
            raise UsageError(f"{command.words} takes no cell: use %kubemq {command.words}")
        taken = [
            name
            for name in ("body", "rows", "handler", "reply", "echo", "manual")
            if name in parsed.arguments
        ]
        if taken:
            raise UsageError(f"the cell is the {command.cell}: leave out {', '.join(taken)}")
        if command.cell == "handler":
            found: dict[str, object] = {"handler": cells.as_function(cell, self._shell, f"%%kubemq {line}")}
        else:
            found = bodies.of_cell(cell, parsed.presentation.encode)
            if "rows" in found and "rows" not in {each.name for each in command.parameters}:
                raise UsageError(f"{command.words} sends one message: use --encode text or json")
        return grammar.Parsed(parsed.arguments | found, parsed.presentation)

    def _result(self, call: Call) -> object:
        command = call.command
        if command.destroys and not call.presentation.yes:
            raise ConfirmationRequired(f"{command.destroys(call)}. Nothing was done; repeat it with -y.")
        if command.run:
            return command.run(call)
        owner = command.owner or command.noun
        session = call.session
        done = "sent" if "rows" in call.arguments else LONG.get(command.words)
        with progress.shown(session, self._shell, done) if done else nullcontext():
            result = call.invoke(getattr(session, owner) if owner else session)
        if isinstance(result, Transaction):
            self._latest = result
            if result.empty and not call.presentation.quiet:
                announce(result.note)  # where a name is given to it, nothing else would say so
        elif type(result).__module__.startswith("kubemq_nb.session."):
            cast("Job", result).code = call.line
        return result

    def session(self, name: str | None) -> Session:
        """The session of this name, or the current one; the first use connects."""
        if name:
            return registry.get(name)
        if self._default:
            return self._default
        try:
            return registry.current()
        except SessionClosed:
            used = self._shell.user_ns.get(VARIABLE)
            # Nothing is opened in its place unasked.
            if isinstance(used, Session) and used.closed and used is not self._before:
                told = f"{used.name} was closed, and no other connection is open; `connect` opens one"
                raise SessionClosed(told) from None
            return self._connect()

    def _first(self) -> Session:
        session = connect()
        self._shell.user_ns[VARIABLE] = session
        where = "an embedded broker, started for this kernel" if session.embedded else session.address
        announce(f"Connected to {where}; in Python it is `{VARIABLE}`.")
        return session
