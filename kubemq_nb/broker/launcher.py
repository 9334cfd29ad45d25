"""The parent's side of the embedded broker: start it, find it, stop it. Imports no grpc.

A broker without a store's name is private: it gets a fresh temporary store and ends with this process,
however that ends. A broker on a named store is shared by all who name it and ends a few seconds after the
last of them has gone.
"""

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from kubemq_nb.broker import shared
from kubemq_nb.broker.shared import LOG_NAME, Runtime
from kubemq_nb.errors import BrokerStartError

START_SECONDS = 60.0  # how long a broker may take to say that it is ready; of ten million messages about 20
STOP_SECONDS = 5.0  # how long it may take to end before it is killed
LOG_LINES = 20  # how much of the log an error shows
INHERITED = (
    *("COVERAGE_", "DYLD_", "GRPC_", "HOME", "LANG", "LC_", "LD_", "PATH", "PYTHON"),
    *("TEMP", "TMP", "TZ", "USER", "VIRTUAL_ENV", "XDG_"),
)
# Of a large message many copies are made, and the C library would keep their memory for the next one.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_ARENA_MAX": "2"}
STORE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def launch(store: str | Path | None = None) -> "RunningBroker":
    """Start a broker, or join the one that runs on the store.

    Args:
        store: None for a private broker on a temporary store; a name, or the path of a folder, for a durable
            store that is shared by all who name it.

    Raises:
        BrokerStartError: It did not start, or the store is not usable.
        ValueError: The name is not one for a store.
    """
    if store is None:
        with starting():
            folder = Path(tempfile.mkdtemp(prefix="kubemq-nb-"))
        return RunningBroker(folder, private=True)
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
    return data_folder() / "stores" / store


def data_folder() -> Path:
    """Where this user's stores are, and what is known of running brokers."""
    from platformdirs import user_data_dir  # noqa: PLC0415  most brokers are private

    return Path(user_data_dir("kubemq-nb", appauthor=False))


def attach(store: str | Path) -> "RunningBroker | None":
    """Join the broker that runs on a store; None when none runs."""
    path = store_path(store)
    return RunningBroker(path, private=False) if shared.read_runtime(path) else None


def named() -> dict[str, bool]:
    """The names of all stores, in order, and whether their brokers run now."""
    stores = data_folder() / "stores"
    return {path.name: bool(shared.read_runtime(path)) for path in sorted(stores.glob("*")) if path.is_dir()}


class RunningBroker:
    """A broker that was started or joined.

    Attributes:
        store: The folder of its store.
        private: Whether it belongs to this process alone.
        is_new: Whether there was no store in its folder before.
    """

    def __init__(self, store: Path, *, private: bool) -> None:
        self.store = store
        self.private = private
        make_folder(store)
        self.is_new = not (store / shared.DATABASE_NAME).exists()
        with starting(store):
            self._hold = Hold(store if private else None, None if private else shared.register(store))
        # Runs when this object is dropped or the interpreter ends, whatever comes first.
        self._finalizer = weakref.finalize(self, Hold.let_go, self._hold)
        try:
            self._runtime = self._find_or_start("127.0.0.1:0")
        except BaseException:
            self._finalizer()
            raise

    def __repr__(self) -> str:
        kind = "private" if self.private else self.store.name
        return f"<RunningBroker {kind} at {self.address}, process {self.pid}>"

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

    @property
    def is_running(self) -> bool:
        """Whether its process is there; asked before every call, so a child is not looked up by its id."""
        if child := self._hold.child(self.pid):
            return child.poll() is None
        return shared.start_of(self.pid) == self._runtime.started

    @property
    def has_left(self) -> bool:
        """Whether it was left: by `stop`, or because the interpreter ends."""
        return not self._finalizer.alive

    def damage(self) -> list[dict[str, object]]:
        """What of its store was found damaged so far, oldest first: `at`, `channel`, `sequence`, `what`."""
        try:
            lines = (
                (self.store / shared.DAMAGE_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
            )
        except FileNotFoundError:
            return []
        return list(filter(None, map(told_damage, lines)))

    def token(self) -> str | None:
        """The token that clients show; None when it lets everybody in."""
        return self.token_file.read_text(encoding="ascii").strip() if self.token_file else None

    def restart(self) -> None:
        """Start it anew on the same port, token and store, first ending it if it still runs.

        Raises:
            BrokerStartError: It did not start; the port may have gone to somebody else meanwhile.
        """
        with self._alone():
            end(self._runtime, self._hold.process)
            self._runtime = shared.read_runtime(self.store) or self._start(self.address)

    def revive(self) -> Literal["started", "joined", "stopped"]:
        """Start it anew if it died, or join the one that somebody else started since; not if it was stopped.

        Raises:
            BrokerStartError: It did not start.
        """
        with self._alone():
            found = shared.read_runtime(self.store)
            if not found and (self.store / shared.STOPPED_NAME).exists():
                return "stopped"
            self._runtime = found or self._start(self.address)
        return "joined" if found else "started"

    def halt(self) -> None:
        """End its process and keep its store; nobody revives it, `restart` brings it back."""
        with self._alone():
            (self.store / shared.STOPPED_NAME).touch(mode=shared.PRIVATE)
            self._end()

    def reset(self) -> None:
        """Start it anew on the same port and token, with an empty store."""
        with self._alone():
            self._end()
            for path in (*self.store.glob(f"{shared.DATABASE_NAME}*"), self.store / shared.DAMAGE_NAME):
                path.unlink(missing_ok=True)
            self._runtime = self._start(self.address)

    def stop(self) -> None:
        """Leave it: a private one ends with its store, a shared one a few seconds after all have left."""
        self._finalizer()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other sessions from starting and ending it meanwhile."""
        with starting(self.store), shared.one_at_a_time(self.store):
            yield

    def _find_or_start(self, address: str) -> Runtime:
        with self._alone():
            return shared.read_runtime(self.store) or self._start(address)

    def _start(self, address: str) -> Runtime:
        if not self.private:
            return start_shared(self.store, address)
        if self._hold.process is not None:
            stop_process(self._hold.process)  # dead or not: its pipe is open
        self._hold.process, runtime = spawn(self.store, address, "--leash", str(os.getpid()))
        return runtime

    def _end(self) -> None:
        """End it, also where somebody else has started it anew."""
        end(shared.read_runtime(self.store) or self._runtime, self._hold.process)


class Hold:
    """What has to be given up when a running broker is left."""

    def __init__(self, temporary: Path | None, place: Path | None) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._temporary = temporary
        self._place = place
        self._owner = os.getpid()

    def child(self, pid: int) -> subprocess.Popen[bytes] | None:
        """The broker, if it is a child of this process; a fork is told that its child has ended."""
        mine = self.process is not None and self.process.pid == pid and os.getpid() == self._owner
        return self.process if mine else None

    def let_go(self) -> None:
        """End a private broker and its store; strike this session off a shared one."""
        if os.getpid() != self._owner:  # a fork ends: nothing here is its own
            return
        if self._place is not None:
            self._place.unlink(missing_ok=True)
        if self._temporary is not None:
            try:
                if self.process is not None:
                    if self.process.stdin is not None:
                        self.process.stdin.close()  # so that it removes its store if this process ends before
                    stop_process(self.process)
            finally:
                shutil.rmtree(self._temporary, ignore_errors=True)


def told_damage(line: str) -> dict[str, object] | None:
    """One line of what was found damaged; None for what is none: a full disk or a bad one left it."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        found = json.loads(line)
        datetime.fromisoformat(found["at"])
        return {name: found[name] for name in ("at", "channel", "sequence", "what")}
    return None


@contextlib.contextmanager
def starting(store: Path | None = None) -> Iterator[None]:
    """Let what the system refuses meanwhile be told as what it means: no broker."""
    try:
        yield
    except OSError as error:
        if store and not store.exists():
            raise BrokerStartError(
                f"the store {store} was removed; connect again to have a new one"
            ) from error
        where = error.filename or store
        place = f" ({where})" if where else ""
        raise BrokerStartError(
            f"the embedded broker did not start: {error.strerror or error}{place}"
        ) from error


def make_folder(store: Path) -> None:
    """Make the folder of a store, for its owner only."""
    try:
        shared.make_folder(store)
    except OSError as error:
        raise BrokerStartError(f"the store {store} cannot be used: {error.strerror or error}") from error


def start_shared(store: Path, address: str) -> Runtime:
    """Start a broker that is nobody's child, because it outlives whoever starts it."""
    process, runtime = spawn(store, address, "--until-left")
    process.wait()  # it left the broker behind
    stop_process(process)
    return runtime


def spawn(store: Path, address: str, *flags: str) -> tuple[subprocess.Popen[bytes], Runtime]:
    """Start a broker and wait until it says that it is ready."""
    command = [sys.executable, "-P", "-m", "kubemq_nb.broker"]
    with shared.open_log(store) as log:
        before = os.fstat(log.fileno()).st_size
        process = subprocess.Popen(  # noqa: S603
            [*command, "--address", address, "--store", str(store), *flags],
            stdin=subprocess.PIPE,  # the leash: it breaks when this process ends, however that happens
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # an interrupted kernel signals its whole group
            env=environment(),
        )
    try:
        return process, Runtime(**json.loads(first_line(process, store, before)))
    except BaseException:  # an interrupt too: who catches it would keep the process with its frames
        stop_process(process)
        raise


def first_line(process: subprocess.Popen[bytes], store: Path, before: int) -> bytes:
    """What a broker says when it is ready; its log had `before` bytes until then."""
    assert process.stdout is not None
    with process.stdout as stdout, selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        line = stdout.readline() if selector.select(START_SECONDS) else b""
    if not line:
        raise start_error(store, before, silence(process, store))
    return line


def environment() -> dict[str, str]:
    """What a broker needs of this process's environment; the tokens and passwords of a kernel stay here."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
    return MEMORY | kept


def silence(process: subprocess.Popen[bytes], store: Path) -> str:
    """What is known of a broker that never said that it is ready."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = process.wait(0.5)  # it has closed its end, and is gone a moment later
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"it said nothing; {shutil.disk_usage(store).free:,} bytes are free on the disk of {store}"
    return f"it was not ready after {START_SECONDS:g} s"


def start_error(store: Path, before: int, otherwise: str) -> BrokerStartError:
    """The error for a broker that did not start; its own last words, behind what the log held, come first."""
    words = (store / LOG_NAME).read_bytes()[before:]
    lines = words.decode(errors="replace").splitlines()[-LOG_LINES:]
    reason = lines[-1].strip() if lines else otherwise
    return BrokerStartError(f"the embedded broker did not start: {reason}", log_tail="\n".join(lines))


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, then make it."""
    process.terminate()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:  # an interrupt does not wait so long
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def end(runtime: Runtime, process: subprocess.Popen[bytes] | None) -> None:
    """End a broker, a child of ours or not, and wait until it has gone."""
    if process is not None and process.pid == runtime.pid:
        stop_process(process)
        return
    deadline = time.monotonic() + STOP_SECONDS
    number = signal.SIGTERM
    while shared.start_of(runtime.pid) == runtime.started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(runtime.pid, number)
        number = signal.SIGKILL if time.monotonic() > deadline else number
        time.sleep(0.02)
