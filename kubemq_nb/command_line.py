"""The commands of the magics from a shell: same words, same results as text, exit codes, pipes.

An argument is one word and is itself: the shell has done the quoting, and what a script puts into a variable
is never run as an expression. IPython is loaded with the grammar, whose errors are IPython's.
"""

import argparse
import os
import select
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

from kubemq_nb import render
from kubemq_nb.broker import launcher
from kubemq_nb.errors import KubeMQError
from kubemq_nb.magics import bodies, grammar, reference
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.commands.connections import VARIABLE
from kubemq_nb.magics.declaration import NOUNS
from kubemq_nb.magics.dispatch import Dispatcher
from kubemq_nb.magics.present import shown
from kubemq_nb.magics.values import STANDARD_INPUT
from kubemq_nb.magics.words import Meaning, of_arguments, split
from kubemq_nb.messages import Response, SendResult
from kubemq_nb.render import Look
from kubemq_nb.session import Feed, Responder, Session, connect

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.magics.declaration import Command

REFUSED, MISUSED, INTERRUPTED, UNREAD = 1, 2, 130, 141  # exit codes beside 0; the last two as of signals
ASKS = ("help", "-h", "--help")
ROWS = ("jsonl", "csv")  # encodings of many messages
MOST = 6  # names of stores that a refusal offers
ALL_ROWS = sys.maxsize  # a pipe has no screen that a table could be too long for
TICK = 0.2  # seconds between two looks at what runs until it is interrupted
HOW = """\
usage: kubemq-nb [--store NAME | --profile NAME | --address HOST:PORT [--token-file F] [--tls] ...] COMMAND
       kubemq-nb broker --store STORE [--address HOST:PORT] ...   run a broker in the foreground
       kubemq-nb lab [NOTEBOOK]                                 open JupyterLab

Without --store and --address: KUBEMQ_ADDRESS, else the only named store whose broker runs.
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status: 0, 1 for refused or failed, 2 for a wrong command line."""
    try:
        return run(arguments)
    except (UsageError, TypeError, ValueError, OverflowError) as error:
        refused = isinstance(error, KubeMQError)  # some are a ValueError as well
        return _complain(error, REFUSED if refused else MISUSED)
    except BrokenPipeError:
        # Whoever read has seen enough. Python would complain when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except (KubeMQError, OSError, ImportError) as error:
        return _complain(error, REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED


def run(arguments: Sequence[str]) -> int:
    """Run one command, and let errors pass."""
    place, rest = where(arguments)
    if rest[:1] == ["--version"]:
        rest[0] = "version"
    if not rest or rest[0] in ASKS:
        return _help(rest[1:])
    words = of_arguments(rest)
    known = COMMANDS.beginning(words[0])
    if grammar.is_noun(words[0], known) and (len(words) == 1 or words[1] in ASKS):
        return _help(rest[:1])
    command, length = grammar.find(words, known)
    if any(word in ASKS[1:] for word in words[length:]):
        return _help(words[:length])
    try:
        parsed = grammar.parse(command, words[length:], str)
    except UsageError as error:
        if str(error).startswith(grammar.SEVERAL):
            raise UsageError("BODY is one word: quote it for your shell, JSON in single quotes") from None
        raise
    _check(command, parsed)
    if command.words in OF_WHAT_IS_STORED:
        place.expect()
    # The dispatcher asks a shell for nothing but its variables, unless it gets a cell.
    variables: dict[str, Any] = {}
    shell = cast("InteractiveShell", SimpleNamespace(user_ns=variables))
    dispatcher = Dispatcher(shell, Look, first=place.connect)
    try:
        with with_input(command, parsed) as complete:
            result = dispatcher.carry_out(command, complete, f"kubemq-nb {' '.join(rest)}")
        return _show(result, parsed.presentation)
    finally:
        place.leave()
        if VARIABLE in variables:  # what the command connect opened
            variables[VARIABLE].close()


def _check(command: "Command", parsed: grammar.Parsed) -> None:
    """Refuse what has no meaning in a process of one command."""
    _check_place(command.words)
    if "manual" in parsed.arguments:
        raise UsageError("--manual is for a notebook: a shell answers with --reply or --echo")
    if parsed.presentation.out:
        raise UsageError("-o/--out is for a notebook: a shell takes a result by > or --to-file")
    if parsed.presentation.on:
        raise UsageError("--on is for a notebook: a shell says --store, --address or --profile")


def _check_place(name: str) -> None:
    """Refuse a command, or a noun, that is for notebooks alone."""
    found = [words for words in IN_NOTEBOOKS if words == name or words.startswith(f"{name} ")]
    if found and not any(name in (each.words, each.noun) for each in _of_a_shell()):
        raise UsageError(f"{name} is for a notebook or Python: {IN_NOTEBOOKS[found[0]]}")


IN_NOTEBOOKS = (
    dict.fromkeys(
        ("queues transaction", "tx ack", "tx reject", "tx extend", "tx resend", "tx modify", "tx status"),
        "a transaction ends with its process",
    )
    | dict.fromkeys(
        ("answers reply", "answers refuse", "answers auto"), "what waits for an answer ends with its process"
    )
    | dict.fromkeys(
        ("stop", "pause", "resume", "clear", "filter", "retry", "restart"),
        "what runs in the background ends with its process",
    )
    | dict.fromkeys(("use", "close"), "a connection ends with its process")
    | {"config": "a line in a shell says --format"}
)


OF_WHAT_IS_STORED = ("queues peek", "queues ack_all", "channels", "channels delete", "stats")


@dataclass
class Place:
    """Where a command is to run.

    Attributes:
        options: As `connect` takes them; what was not given is not there.
    """

    options: dict[str, Any]
    _session: Session | None = field(default=None, init=False)

    def connect(self) -> Session:
        """Connect there.

        Raises:
            UsageError: None was named, and none or several run.
        """
        given = dict(self.options)
        if not given.keys() & {"store", "address", "profile"} and not os.environ.get("KUBEMQ_ADDRESS"):
            given["store"] = only_store()
        store = given.get("store")
        is_new = store and not launcher.store_path(store).exists()
        self._session = connect(**given)
        if is_new:  # the name may be mistyped
            sys.stderr.write(f"(there was no store {store}; it was made)\n")
        return self._session

    def expect(self) -> None:
        """Make no store for a line that only looks into one.

        Raises:
            UsageError: There is no store of this name or path.
        """
        store = self.options.get("store")
        if store and not launcher.store_path(store).exists():
            names = ", ".join(launcher.named()) or "none"
            raise UsageError(f"there is no store {store} (stores: {names}); a line that sends makes it")

    def leave(self) -> None:
        """Close the session, if there is one."""
        if self._session:
            self._session.close()


def where(arguments: Sequence[str]) -> tuple[Place, list[str]]:
    """Take from the arguments those that say where the broker is, up to a `--`; `connect` keeps its own."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if arguments[:1] == ["connect"]:
        return Place({}), list(arguments)
    found, rest = _parser().parse_known_args(arguments[:end])
    given = {name: value for name, value in vars(found).items() if value is not None}
    return Place(given), [*rest, *arguments[end:]]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise UsageError(
            message.removeprefix("argument ").replace(": expected one argument", " wants a value")
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    places = ("address", "store", "profile", "token-env", "token-file")
    for name in (*places, "ca", "cert", "key", "server-name"):
        parser.add_argument(f"--{name}")
    for name in ("tls", "insecure", "read-only"):
        parser.add_argument(f"--{name}", action="store_const", const=True)
    return parser


def only_store() -> str:
    """The name of the only store whose broker runs.

    Raises:
        UsageError: There are none, or several to choose from.
    """
    stores = launcher.named()
    running = [name for name in stores if stores[name]]
    if len(running) == 1:
        return running[0]
    if running:
        raise UsageError(f"several brokers run; say which: {_choices(running)}")
    again = f"{_choices(list(stores))} starts it again, " if stores else ""
    raise UsageError(
        f"no broker runs on a named store: {again}--store NAME starts a new one, --address HOST:PORT or "
        "KUBEMQ_ADDRESS names a server"
    )


def _choices(names: Sequence[str]) -> str:
    """As many names of stores as one line takes."""
    more = [f"{len(names) - MOST:,} more"] if len(names) > MOST else []
    return " or ".join([*(f"--store {name}" for name in names[:MOST]), *more])


@contextmanager
def with_input(command: "Command", parsed: grammar.Parsed) -> Iterator[grammar.Parsed]:
    """Take the body or the rows from standard input, where it is `-`, or left out and something is piped in.

    Rows go to a file of their own first, because a pipe may bring more than memory holds, and is read once.
    """
    given, encoding = parsed.arguments, parsed.presentation.encode
    rows = given.get("rows") == Path(STANDARD_INPUT)
    if command.cell != "body" or ("rows" in given and not rows):
        yield parsed
        return
    piped = "body" not in given and sys.stdin is not None and not sys.stdin.isatty()
    if not (rows or piped or given.get("body") == STANDARD_INPUT):
        yield parsed
        return
    if rows and encoding not in ROWS:
        raise UsageError("--rows - wants --encode jsonl or csv: what standard input holds")
    rest = {name: value for name, value in given.items() if name not in ("body", "rows")}
    if encoding not in ROWS:
        content = sys.stdin.buffer.read()
        body = content if encoding == "text" else bodies.of_cell(content.decode(), encoding, above=0)["body"]
        yield grammar.Parsed(rest | {"body": body}, parsed.presentation)
        return
    if "rows" not in {each.name for each in command.parameters}:
        raise UsageError(f"{command.words} sends one message: use --encode text or json")
    with TemporaryDirectory(prefix="kubemq-nb-") as folder:
        file = Path(folder) / f"standard input.{encoding}"
        with file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield grammar.Parsed(rest | {"rows": file}, parsed.presentation)


def _help(words: Sequence[str]) -> int:
    if words:
        _check_place(" ".join([NOUNS.get(words[0], words[0]), *words[1:2]]))
    page = reference.page(_of_a_shell(), *words[:2], without=("on", "out"))
    _write(in_a_shell(page if words else f"{HOW}\n{page}"))
    return 0


def _of_a_shell() -> "list[Command]":
    """The commands that are not for notebooks alone, their examples as a shell takes them."""
    known = [command for command in COMMANDS if command.words not in IN_NOTEBOOKS]
    return [replace(each, examples=tuple(filter(None, map(_typed, each.examples)))) for each in known]


def _typed(example: str) -> str:
    """An example quoted for a shell; empty where it needs a notebook."""
    words = split(example)
    if {"-o", "--manual"}.intersection(words) or any(word.meaning is Meaning.EXPRESSION for word in words):
        return ""
    return shlex.join(word.text for word in words)


def _show(result: object, wanted: grammar.Presentation) -> int:
    """Write a result; the exit status says whether the broker took it."""
    if isinstance(result, Feed | Responder):
        return _follow(result, wanted)
    if not wanted.quiet and result is not None:
        _write(_text(result, wanted.format))
    return REFUSED if is_refused(result) else 0


def is_refused(result: object) -> bool:
    """Whether a result says that something was not done."""
    if isinstance(result, SendResult):
        return result.is_error
    if isinstance(result, Response):
        return not result.executed
    return bool(getattr(result, "attrs", {}).get("refused"))


def _text(result: object, form: grammar.Format) -> str:
    if form in ("json", "jsonl"):
        return render.as_json(result, lines=form == "jsonl")
    both = shown(result, Look(max_rows=ALL_ROWS))
    return in_a_shell(both.text if both else str(result))


def _follow(source: Feed | Responder, wanted: grammar.Presentation) -> int:
    """Write rows as they come, until the source ends or somebody interrupts.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    written, stopped = 0, False
    while not stopped:
        stopped = source.finished or interrupted.is_set()
        written = _write_new(source, written, wanted)
        if not _is_read():
            raise BrokenPipeError
        source.wait(timeout=0 if stopped else TICK)
    return 0


def _is_read() -> bool:
    """Whether the pipe that is written to is still open at its other end; True where that cannot be known."""
    with suppress(AttributeError, OSError, ValueError):  # a system without poll, no file, a closed one
        looking = select.poll()
        looking.register(sys.stdout.fileno(), 0)  # its end is told without being asked for
        return not looking.poll(0)
    return True


def _write_new(source: Feed | Responder, written: int, wanted: grammar.Presentation) -> int:
    """Write what came after so many; how many have come by then."""
    rows = source.behind(written)
    last = int(rows.attrs["last"])
    if missed := last - written - len(rows):
        sys.stderr.write(f"({missed:,} came too fast to be shown)\n")
    if len(rows) and not wanted.quiet:
        _write(_lines(rows, wanted.format))
    return last


def _lines(rows: Any, form: grammar.Format) -> str:
    if form in ("json", "jsonl"):
        return render.as_json(rows, lines=True)
    return "\n".join(render.lines(rows))


def in_a_shell(text: str) -> str:
    """What is told of magics, as it is typed in a shell, where a broker without a store ends at once."""
    named = text.replace("`%kubemq connect` without an address", "--store NAME").replace(reference.CELL, "")
    named = named.replace(" See `%kubemq jobs`.", "")  # each line is a process of its own
    return named.replace("%kubemq", "kubemq-nb")


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(error: BaseException, status: int) -> int:
    told = in_a_shell(render.clean(" ".join(str(error).split("\n"))))
    sys.stderr.write(f"kubemq-nb: {told or type(error).__name__}\n")
    return status
