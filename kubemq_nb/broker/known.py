"""Where the brokers of this user listen, so that a session finds the token of one by its address alone.

Each has a file of its address among the user's data, which names the folder of its store. It counts only
while that broker runs, and only if nobody else could have written it, or what it leads to.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from kubemq_nb.broker import shared
from kubemq_nb.broker.launcher import data_folder
from kubemq_nb.broker.shared import PRIVATE, RUNTIME_NAME, Runtime


def folder() -> Path:
    """Where the files are."""
    return data_folder() / "running"


def tell(runtime: Runtime) -> None:
    """Let sessions of this user find a broker by its address, where files can be written."""
    with contextlib.suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder().iterdir():  # brokers that were killed leave theirs
            if _running(left) is None:
                left.unlink()
        path = folder() / runtime.address
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
            file.write(runtime.store)


def forget(runtime: Runtime) -> None:
    """The broker ends."""
    path = folder() / runtime.address
    with contextlib.suppress(OSError):
        if path.read_text(encoding="utf-8") == runtime.store:
            path.unlink()


def token_file(address: str) -> Path | None:
    """The token file of this user's broker that listens at an address now; None where there is none."""
    with contextlib.suppress(OSError):
        runtime = _running(folder() / address) if _is_mine(folder(), stat.S_ISDIR) else None
        if runtime and runtime.address == address and runtime.token_file:
            path = Path(runtime.token_file)
            return path if _is_mine(path) else None
    return None


def _running(path: Path) -> Runtime | None:
    """The broker that a file leads to, if it runs."""
    if not _is_mine(path):
        return None
    store = Path(path.read_text(encoding="utf-8"))
    return shared.read_runtime(store) if _is_mine(store / RUNTIME_NAME) else None


def _is_mine(path: Path, is_kind: Callable[[int], bool] = stat.S_ISREG) -> bool:
    """Whether it is there, no link, this user's, and nobody else's to read or write."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        return is_kind(found.st_mode) and found.st_uid == os.geteuid() and private
    return False
