"""The embedded broker of a session: started for it, watched, and started again when it dies."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kubemq_nb.broker import launcher
from kubemq_nb.errors import KubeMQError, SessionClosed
from kubemq_nb.session import background
from kubemq_nb.visible import line

LOOK = 0.5  # seconds between two looks at the process
AGAIN = 5.0  # seconds at most until a broker that did not start is tried again
REACH = 5.0  # seconds in which a connection finds a broker that was started again
FOUND = {
    "started": "The embedded broker had ended unexpectedly and was started again at %s; "
    "what it had acknowledged is still there.",
    "joined": "Another session has started the embedded broker again, at %s.",
    "stopped": "Another session has stopped the embedded broker at %s; "
    "`%%kubemq broker start` starts it again.",
}

logger = logging.getLogger(__name__)


class Embedded:
    """A broker process that belongs to one session, or is shared by those that name the same store."""

    def __init__(self, store: str | Path | None = None) -> None:
        self.store = store
        self.running = launcher.launch(store)
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._stopped = False  # as this session knows
        self._told = 0  # damages
        self._reach: Callable[[], object] = lambda: None
        background.spawn("broker watch", self._watch)

    @property
    def private(self) -> bool:
        """Whether it ends with its session."""
        return self.store is None

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it, and nobody has started it since."""
        return self._stopped and not self.running.is_running

    def attach(self, reach: Callable[[], object]) -> None:
        """Have this called after each start, until it succeeds: a connection takes a while to notice."""
        self._reach = reach

    def revive(self) -> None:
        """Start it again if it died: same address, token and store; waits while another thread does.

        A fork leaves that to its parent, some thread of which may have held the lock when it was made.
        """
        if os.getpid() != self._owner:
            return
        with self._lock:
            if self.running.has_left or self.running.is_running:
                return
            found = self.running.revive()
            if found == "stopped" and self._stopped:
                return
            self._stopped = found == "stopped"
            if not self._stopped:
                self._await_reach()
            logger.warning(FOUND[found], self.running.address)

    def start(self) -> None:
        """Start it again after `stop`."""
        with self._lock:
            self._stopped = False
            if not self.running.is_running:
                self.running.restart()
                self._await_reach()

    def stop(self) -> None:
        """Stop it; it stays stopped for all sessions, with its store, until one starts it."""
        with self._lock:
            self.running.halt()
            self._stopped = True

    def restart(self) -> None:
        """Stop it and start it again."""
        with self._lock:
            self._stopped = False
            self.running.restart()
            self._await_reach()

    def reset(self) -> None:
        """Stop it, empty its store and start it again."""
        with self._lock:
            self._stopped = False
            self.running.reset()
            self._await_reach()

    def leave(self) -> None:
        """The session is done with it: a private one ends, a shared one when its last session has gone."""
        self._left.set()
        with self._lock:
            self.running.stop()

    def _await_reach(self) -> None:
        until = time.monotonic() + REACH
        while time.monotonic() < until:
            try:
                self._reach()
            except SessionClosed:
                return
            except KubeMQError:
                self._left.wait(0.05)
            else:
                return

    def _watch(self) -> None:
        pause, told = LOOK, ""
        while not self._left.wait(pause):
            try:
                self.revive()
                self._tell_damage()
            except (KubeMQError, OSError) as error:  # no room, no files: it may pass
                if str(error) != told:
                    logger.warning("%s; it is tried again", line(str(error)))
                pause, told = min(2 * pause, AGAIN), str(error)
            else:
                pause, told = LOOK, ""

    def _tell_damage(self) -> None:
        """Say once, where the notebook shows it, what the broker found damaged."""
        found = self.running.damage()
        new, self._told = found[self._told :], len(found)
        if new:
            more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            logger.warning("%s%s; `%%kubemq broker damage` lists it", line(str(new[-1]["what"])), more)
