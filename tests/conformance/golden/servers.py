"""The servers that scenarios are spoken to: an embedded broker in its own process, or another one."""

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kubemq_nb.broker import launcher

Restart = Callable[[], None]


class EmbeddedServer:
    """An embedded broker without authentication; it keeps its store and port when it is restarted."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._process, runtime = launcher.spawn(store, "127.0.0.1:0", "--no-auth")
        self.address = runtime.address

    def stop(self) -> None:
        """End it as SIGTERM does."""
        launcher.stop_process(self._process)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self._start()

    def restart_after_kill(self) -> None:
        """Kill it as the system does when memory runs out, and start it again."""
        self._process.kill()
        self.stop()  # reaps what is dead
        self._start()

    def _start(self) -> None:
        self._process, _ = launcher.spawn(self._store, self.address, "--no-auth")


WAYS = {"clean stop": EmbeddedServer.restart, "kill -9": EmbeddedServer.restart_after_kill}


@contextlib.contextmanager
def embedded_server() -> Iterator[EmbeddedServer]:
    """An embedded broker with an empty store, gone after the block."""
    with tempfile.TemporaryDirectory(prefix="kubemq-nb-golden-") as store:
        server = EmbeddedServer(Path(store))
        try:
            yield server
        finally:
            server.stop()


def restart_by(command: str) -> Restart:
    """A restart by a shell command that returns when the server is back."""
    return lambda: subprocess.run(command, shell=True, check=True, stdin=subprocess.DEVNULL) and None
