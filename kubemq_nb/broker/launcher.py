"""The parent's side of the embedded broker: start it, find it, stop it. Imports no grpc.

A broker without a store's name is private: it gets a fresh temporary store and ends with this process, however that
ends. A broker on a named store is shared by all who name it and ends a few seconds after the last of them has gone.
"""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import weakref
from pathlib import Path

from platformdirs import user_data_dir

from kubemq_nb.broker import shared
from kubemq_nb.broker.shared import LOG_NAME, Runtime
from kubemq_nb.errors import BrokerStartError

START_SECONDS = 20.0  # how long a broker may take to say that it is ready
STOP_SECONDS = 5.0  # how long it may take to end before it is killed
LOG_LINES = 20  # how much of the log an error shows
STORE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def launch(store: str | Path | None = None) -> "RunningBroker":
    """Start a broker, or join the one that runs on the store.

    Args:
        store: None for a private broker on a temporary store; a name, or the path of a folder, for a durable store
            that is shared by all who name it.

    Raises:
        BrokerStartError: It did not start, or the store is not usable.
        ValueError: The name is not one for a store.
    """
    if store is None:
        return RunningBroker(Path(tempfile.mkdtemp(prefix="kubemq-nb-")), private=True)
    return RunningBroker(store_path(store), private=False)


def store_path(store: str | Path) -> Path:
    """The folder of a store: a name means one among the user's data, anything with a slash is a path."""
    if isinstance(store, Path) or os.sep in store:
        return Path(store).expanduser().absolute()
    if not STORE_NAME.fullmatch(store):
        raise ValueError(
            f"a store's name is letters, digits, dots, dashes and underscores, not {store!r}; "
            "a path holds a slash, like ./data"
        )
    return Path(user_data_dir("kubemq-nb", appauthor=False)) / "stores" / store


def attach(store: str | Path) -> "RunningBroker | None":
    """Join the broker that runs on a store; None when none runs."""
    path = store_path(store)
    return RunningBroker(path, private=False) if shared.read_runtime(path) else None


class RunningBroker:
    """A broker that was started or joined.

    Attributes:
        store: The folder of its store.
        private: Whether it belongs to this process alone.
    """

    def __init__(self, store: Path, *, private: bool) -> None:
        self.store = store
        self.private = private
        try:
            store.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerStartError(f"the store {store} cannot be made: {error.strerror}") from error
        self._process: subprocess.Popen[bytes] | None = None
        self._place = None if private else shared.register(store, uuid.uuid4().hex[:8])
        self._runtime = self._start("127.0.0.1:0")
        self._finalizer = weakref.finalize(self, _end, self._state())

    @property
    def address(self) -> str:
        """HOST:PORT where it listens."""
        return self._runtime.address

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._runtime.pid

    @property
    def token_file(self) -> Path | None:
        """Where its token is; None when it lets everybody in."""
        return None if self._runtime.token_file is None else Path(self._runtime.token_file)

    @property
    def log_file(self) -> Path:
        """Where it writes what happens."""
        return self.store / LOG_NAME
