"""One call of a command: what the line said, and the notebook and session that it is about."""

from typing import TYPE_CHECKING, Any, NamedTuple

from kubemq_nb.magics.declaration import Command
from kubemq_nb.magics.grammar import Presentation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.session import Session, Transaction


class Call(NamedTuple):
    """What a command needs to run.

    Attributes:
        command: Which command.
        arguments: Values by parameter; what the line left out is left out here.
        presentation: The dispatcher's options.
        shell: The shell whose namespace the line belongs to.
        known: All commands.
        latest: The transaction that this shell opened last, if it has opened one.
        line: The line as typed.
        connect: Gives the session, connecting on its first use; nothing is connected before.
    """

    command: Command
    arguments: dict[str, Any]
    presentation: Presentation
    shell: "InteractiveShell"
    known: "Sequence[Command]"
    latest: "Transaction | None"
    line: str
    connect: "Callable[[], Session]"

    @property
    def session(self) -> "Session":
        """The session that the command is about."""
        return self.connect()

    def invoke(self, owner: object | None = None) -> object:
        """Call the method, on its owner if it has one."""
        bound = () if owner is None else (owner,)
        return self.command.method(*bound, **self.arguments)
