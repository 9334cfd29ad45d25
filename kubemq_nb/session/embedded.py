"""The embedded broker of a session: started for it, watched, and started again when it dies."""

import logging
import threading
from pathlib import Path

from kubemq_nb.broker import launcher
from kubemq_nb.session import background

LOOK = 0.5  # seconds between two looks at the process

logger = logging.getLogger(__name__)


class Embedded:
    """A broker process that belongs to one session, or is shared by those that name the same store."""

    def __init__(self, store: str | Path | None = None) -> None:
        self.store = store
        self.running = launcher.launch(store)
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._wanted = True
        background.spawn("broker watch", self._watch)

    @property
    def private(self) -> bool:
        """Whether it ends with its session."""
        return self.store is None

    def revive(self) -> None:
        """Start it again if it died: same address, token and store."""
        if not self._missing():
            return
        with self._lock:
            if self._missing():
                self.running.restart()
                logger.warning(
                    "The embedded broker had ended unexpectedly and was started again at %s; "
                    "what it had acknowledged is still there.",
                    self.running.address,
                )

    def start(self) -> None:
        """Start it again after `stop`."""
        with self._lock:
            self._wanted = True
            if not self.running.is_running:
                self.running.restart()

    def stop(self) -> None:
        """Stop it; it stays stopped, with its store, until `start`."""
        with self._lock:
            self._wanted = False
            self.running.halt()

    def restart(self) -> None:
        """Stop it and start it again."""
        with self._lock:
            self._wanted = True
            self.running.restart()

    def reset(self) -> None:
        """Stop it, empty its store and start it again."""
        with self._lock:
            self._wanted = True
            self.running.reset()

    def leave(self) -> None:
        """The session is done with it: a private one ends, a shared one when its last session has gone."""
        self._left.set()
        with self._lock:
            self.running.stop()

    def _missing(self) -> bool:
        return self._wanted and not self._left.is_set() and not self.running.is_running

    def _watch(self) -> None:
        while not self._left.wait(LOOK):
            self.revive()
