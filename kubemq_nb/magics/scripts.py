"""Many commands at once: one a line, in Python as in a cell."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from kubemq_nb.magics.dispatch import Dispatcher, located
from kubemq_nb.magics.words import lines
from kubemq_nb.render import Look

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.session import Session


def run(session: "Session", text: str, variables: dict[str, Any]) -> list[object]:
    """Run each line on this session, unless it says `--on`; the results, in order."""
    shell = cast("InteractiveShell", SimpleNamespace(user_ns=variables))
    dispatcher = Dispatcher(shell, Look, default=session)
    results = []
    for number, line in lines(text):
        with located(number, line):
            results.append(dispatcher.line(line, variables))
    return results
