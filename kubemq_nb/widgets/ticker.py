"""One thread a view that looks at its model a few times a second."""

import threading
import time
from collections.abc import Callable

PERIOD = 0.25
"""Seconds between two looks: as often as a reader can follow, a fifth of what the browser could paint."""

_SHARE = 4
"""A look makes the next one wait that many times as long as it worked; to wait for a busy cell is no work."""


class Ticker:
    """Calls `tick` four times a second until it returns False, is stopped, or the process ends.

    A tick that works long (large bodies) is followed by a longer rest: it takes at most a fifth of a core.
    """

    def __init__(self, tick: Callable[[], bool], *, name: str) -> None:
        self._tick = tick
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"kubemq-nb:view:{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a tick that is running ends by itself."""
        self._ended.set()

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        rest = PERIOD
        while not self._ended.wait(rest):
            began = time.thread_time()
            if not self._tick():
                return
            rest = max(PERIOD, _SHARE * (time.thread_time() - began))
