"""A feed in a terminal: its rows as they come, a line each, until Ctrl-C; the feed itself goes on."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubemq_nb import render
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from kubemq_nb.session import Feed

MOST = 1000  # rows that one look takes


def is_terminal(shell: object) -> bool:
    """Whether somebody sits at a terminal, rather than at a notebook or a pipe."""
    return not getattr(shell, "kernel", None) and sys.stdout.isatty()


def follow(source: "Feed", write: Callable[[str], Any]) -> str:
    """Write rows until the source ends or the user interrupts; what there is to say then."""
    shown = 0
    if not source.finished:
        write(f"{line(source.channel)}: Ctrl-C gives the prompt back; it goes on as job {source.id}\n")
    try:
        while True:
            stopped = source.finished
            shown = _write_new(source, shown, write)
            if stopped:
                return f"{line(source.channel)}: stopped after {shown:,}"
            source.wait(timeout=0.2)
    except KeyboardInterrupt:
        return f"{line(source.channel)}: goes on as job {source.id}; %kubemq stop {source.id} ends it"


def _write_new(source: "Feed", shown: int, write: Callable[[str], Any]) -> int:
    rows = source.behind(shown).tail(MOST)
    last = int(rows.attrs["last"])
    if missed := last - shown - len(rows):
        write(f"({missed:,} came too fast to be shown)\n")
    for text in render.lines(rows):
        write(f"{text}\n")
    return last
