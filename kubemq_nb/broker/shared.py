"""What processes tell each other through a store's folder: where its broker is, and which sessions use it.

A process is known by its id and the time it started, because ids are used again.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import stat
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

DATABASE_NAME = "broker.sqlite"  # beside it, files with longer names (kubemq_nb.broker.storage.opening)
RUNTIME_NAME = "broker.json"
LOCK_NAME = "broker.lock"
LAUNCH_NAME = "launch.lock"
LOG_NAME = "broker.log"
DAMAGE_NAME = "damage.jsonl"  # what the store says is damaged (kubemq_nb.broker.storage.damage)
TOKEN_NAME = "token"  # noqa: S105  (the name of a file)
SESSIONS_NAME = "sessions"
STOPPED_NAME = "stopped"  # there while the broker is stopped on purpose
SESSION = re.compile(r"([0-9]{1,10}) (.+) [0-9a-f]{8}")  # id and start of its process, and one of its own
PRIVATE = 0o600
LAUNCH_SECONDS = 60.0  # how long one waits for another process that starts a broker or ends one


class Runtime(NamedTuple):
    """A running broker, as it says itself."""

    address: str
    pid: int
    started: str  # when the process started, in the words of the system
    store: str
    token_file: str | None


def start_of(pid: int) -> str | None:
    """When a process started, in words that no later process with its id has; None when it is gone."""
    try:
        # The name of the program comes second and may hold anything: what follows its bracket is numbers.
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_by_ps(pid)
    except ProcessLookupError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _start_by_ps(pid: int) -> str | None:
    found = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def make_folder(store: Path) -> None:
    """Make the folder of a store, for its owner only.

    Raises:
        OSError: It cannot be made, or everybody on the machine may put files of his into it.
    """
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    if store.stat().st_mode & stat.S_IWOTH:
        raise PermissionError(f"everybody may write into {store}; `chmod o-w {store}` ends that")


def open_log(store: Path) -> BinaryIO:
    """Open the log at its end; a link in its place is refused."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(store / LOG_NAME, flags, PRIVATE), "ab")


def write_runtime(store: Path, runtime: Runtime) -> None:
    """Say where the broker of a store is, in a file that only its owner reads; it is not stopped any more."""
    path = store / RUNTIME_NAME
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE), "w") as file:
        json.dump(runtime._asdict(), file)
    (store / STOPPED_NAME).unlink(missing_ok=True)


def read_runtime(store: Path) -> Runtime | None:
    """Where the broker of a store is, if one runs."""
    try:
        runtime = Runtime(**json.loads((store / RUNTIME_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return runtime if start_of(runtime.pid) == runtime.started else None


def take_lock(path: Path) -> int | None:
    """Lock a file until its descriptor is closed; None when it is locked."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def launch_lock(store: Path) -> int:
    """Take the lock under which brokers of this store are started and joined.

    Raises:
        TimeoutError: Another process has had it for too long; perhaps somebody made it stand still.
    """
    path = store / LAUNCH_NAME
    until = time.monotonic() + LAUNCH_SECONDS
    while (descriptor := take_lock(path)) is None:
        if time.monotonic() > until:
            raise TimeoutError(
                errno.ETIMEDOUT,
                f"another process has been starting or ending a broker there for {LAUNCH_SECONDS:g} s",
                str(path),
            )
        time.sleep(0.02)
    return descriptor


@contextlib.contextmanager
def one_at_a_time(store: Path) -> Iterator[None]:
    """Keep others from starting a broker on this store meanwhile."""
    descriptor = launch_lock(store)
    try:
        yield
    finally:
        os.close(descriptor)


def register(store: Path) -> Path:
    """Count a session of this process as a user of the store; returns what to unlink when it leaves."""
    pid = os.getpid()
    path = store / SESSIONS_NAME / f"{pid} {start_of(pid)} {uuid.uuid4().hex[:8]}"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=PRIVATE)
    return path


def users(store: Path) -> int:
    """How many sessions use a store; those whose process has gone are struck off.

    Raises:
        OSError: They cannot be counted.
    """
    count = 0
    for path in (store / SESSIONS_NAME).iterdir():
        session = SESSION.fullmatch(path.name)
        if session is None:  # what a file manager leaves is none
            continue
        if start_of(int(session[1])) == session[2]:
            count += 1
        else:
            path.unlink(missing_ok=True)
    return count
