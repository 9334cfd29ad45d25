"""What `%load_ext kubemq_nb` sets up in a shell, and `%unload_ext` takes away."""

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Bunch, Int

from kubemq_nb.errors import KubeMQError, told_of
from kubemq_nb.magics import history, question
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.completion import Completion
from kubemq_nb.magics.dispatch import Dispatcher
from kubemq_nb.magics.present import Formatters, shorten
from kubemq_nb.render import Look
from kubemq_nb.session import registry

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class KubeMQMagics(Magics):
    """Explore a KubeMQ broker: `%kubemq help`."""

    max_rows = Int(20, min=1, help="Rows of a frame that a display shows; the frame has them all.").tag(
        config=True
    )
    deterministic = Bool(
        default_value=False,
        help="Leave out of displays what differs from run to run: times, ids, ports, measured spans.",
    ).tag(config=True)
    traceback = Bool(default_value=False, help="Show whole tracebacks of errors.").tag(config=True)

    def __init__(self, shell: "InteractiveShell") -> None:
        super().__init__(shell)
        self.owner = shell  # `shell`, which may be None to the type checker
        self.dispatcher = Dispatcher(shell, self.look)
        self.formatters = Formatters(shell, self.look)
        self.completion = Completion(
            shell, COMMANDS, self.dispatcher.channels, lambda: self.traits(config=True)
        )
        self.question = question.transformer(COMMANDS)
        self.observe(_show_whole, "traceback")

    def add(self) -> None:
        """Take part in displays, completion and help of the shell."""
        self.formatters.add()
        self.completion.add()
        self.owner.input_transformers_cleanup.append(self.question)

    def remove(self) -> None:
        """Leave the shell as it was."""
        self.traceback = False
        self.owner.input_transformers_cleanup.remove(self.question)
        self.completion.remove()
        self.formatters.remove()

    def look(self) -> Look:
        """What the user chose of all displays."""
        return Look(max_rows=self.max_rows, deterministic=self.deterministic)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def kubemq(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> object:
        """Explore a KubeMQ broker: `%kubemq help`."""
        local = self.owner.user_ns if local_ns is None else local_ns
        try:
            if cell is None:
                return self.dispatcher.line(line, local)
            return self.dispatcher.cell(line, cell, local)
        except UsageError:
            history.forget(self.owner, f"{line}\n{cell or ''}")
            raise
        except (KubeMQError, KeyboardInterrupt) as error:
            if not self.traceback:
                shorten(error)
            raise
        except (TypeError, ValueError, OverflowError, OSError, ImportError) as error:
            if self.traceback:
                raise
            raise UsageError(told_of(error)) from error


def _show_whole(change: Bunch) -> None:
    KubeMQError.whole_traceback = change.new


def _overview() -> str:
    """What `%kubemq?` shows."""
    from kubemq_nb.magics import reference  # noqa: PLC0415  it takes all commands, and with them everything

    return reference.overview(COMMANDS)


KubeMQMagics.kubemq.getdoc = _overview  # type: ignore[union-attr]  # IPython asks for it


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Register magics, formatters and completion; doing it again changes nothing."""
    if any(isinstance(each, KubeMQMagics) for each in shell.magics_manager.registry.values()):
        return
    magics = KubeMQMagics(shell)
    shell.register_magics(magics)
    magics.add()


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """Take all of it away and close every session."""
    magics = shell.magics_manager.registry.pop(KubeMQMagics.__name__, None)
    if magics is None:
        return
    for table in shell.magics_manager.magics.values():
        table.pop("kubemq", None)
    magics.remove()
    try:
        registry.close_all()
    finally:
        magics.formatters.let_go()
