"""Progress of long sends and replays for whoever watches: a bar in a notebook, a line in a terminal.

Nothing is shown in the first second, and nothing is left when it is over. A notebook that is run without
anybody at it (nbconvert, nbval, papermill) says so by refusing input; its outputs do not depend on speed.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.display import display, update_display

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.session import Session

QUIET = 1.0  # seconds before a bar appears
TICK = 0.25  # seconds between two paints
WIDTH = 40  # of the bar in a terminal

Paint = Callable[[int, int], None]
"""Shows how many of how many are done; 0 of 0 when it is over, of 0 where nobody knows."""


@contextmanager
def shown(session: "Session", shell: "InteractiveShell", done: str = "sent") -> Iterator[None]:
    """Show the progress of what is sent, or read, inside the block; `done` says which."""
    paint = painter(shell, done)
    if paint is None:
        yield
        return
    bar = Bar(paint)
    session.progress = bar
    try:
        yield
    finally:
        session.progress = None
        bar.close()


class Bar:
    """Listens to a session's progress and paints it, not too early and not too often."""

    def __init__(self, paint: Paint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._paint = paint
        self._clock = clock
        self._next = clock() + QUIET
        self._painted = False

    def __call__(self, done: int, total: int) -> None:
        """Take note that so many of so many are done."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + TICK
        self._painted = True
        self._paint(done, total)

    def close(self) -> None:
        """Take away what was painted."""
        if self._painted:
            self._paint(0, 0)


def painter(shell: "InteractiveShell", done: str = "sent") -> Paint | None:
    """What shows progress here, if anybody watches."""
    if getattr(shell, "kernel", None):
        return Notebook(done).paint if _is_watched(shell) else None
    return partial(_paint_line, done) if sys.stderr.isatty() else None


def _is_watched(shell: Any) -> bool:
    """Whether the front end that runs the cell could ask its user for input."""
    return bool(shell.get_parent().get("content", {}).get("allow_stdin"))


class Notebook:
    """A progress bar in the output of a cell, replaced as it grows."""

    def __init__(self, done: str = "sent") -> None:
        self._done = done
        self._handle: Any = None

    def paint(self, done: int, total: int) -> None:
        """Show it, or take it away."""
        text = _told(self._done, done, total)
        bar = f'<progress value="{done}" max="{total}"></progress> {text}' if total else text
        data = {"text/plain": text, "text/html": bar}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            update_display(data, raw=True, display_id=self._handle.display_id)  # type: ignore[no-untyped-call]


def _paint_line(verb: str, done: int, total: int) -> None:
    filled = "#" * (WIDTH * done // total) if total else ""
    told = _told(verb, done, total)
    text = f"[{filled:<{WIDTH}}] {told}" if total else told
    sys.stderr.write(f"\r\033[K{text}")
    sys.stderr.flush()


def _told(verb: str, done: int, total: int) -> str:
    if total:
        return f"{done:,} of {total:,} {verb}"
    return f"{done:,} {verb}" if done else ""
