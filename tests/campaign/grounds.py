"""What properties of the client stand on: a broker of their own, sessions on it, a line that can be cut."""

import contextlib
import itertools
import queue
import select
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import kubemq_nb
from kubemq_nb.broker import launcher
from kubemq_nb.session import Session


@contextlib.contextmanager
def own_broker() -> Iterator[launcher.RunningBroker]:
    """An embedded broker that may be killed, frozen and started again."""
    broker = launcher.launch()
    try:
        yield broker
    finally:
        broker.stop()


_numbers = itertools.count(1)


def session(address: str, token_file: Path | None = None) -> Session:
    """A session beside all others."""
    return kubemq_nb.connect(address, token_file=token_file, name=f"campaign-{next(_numbers)}")


def fresh(words: str) -> str:
    """A channel that nobody has used."""
    return f"kubemq-nb-test.{words}.{uuid.uuid4().hex[:8]}"


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process has now."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


class Peak:
    """The most memory that a process has had since this was made.

    Attributes:
        before: Bytes that it had then.
    """

    def __init__(self, pid: int | str = "self") -> None:
        self._pid = pid
        self.before = resident(pid)
        Path(f"/proc/{pid}/clear_refs").write_text("5")

    @property
    def bytes(self) -> int:
        """The most until now."""
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) * 1024

    @property
    def growth(self) -> int:
        """By how much that is more than before."""
        return self.bytes - self.before


class Line:
    """A TCP line to an address, in threads of its own, that can be cut and mended, and can stand still.

    Attributes:
        address: Where to connect instead.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._whole = True
        self._moves = threading.Event()
        self._moves.set()
        self._pairs: queue.SimpleQueue[tuple[socket.socket, socket.socket]] = queue.SimpleQueue()
        threading.Thread(target=self._accept, daemon=True, name="line").start()

    def cut(self) -> None:
        """End all connections, and refuse new ones."""
        self._whole = False
        while not self._pairs.empty():
            for end in self._pairs.get():
                _shut(end)

    def mend(self) -> None:
        """Let connections through again."""
        self._whole = True

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Nothing goes through in this block; it comes later."""
        self._moves.clear()
        try:
            yield
        finally:
            self._moves.set()

    def close(self) -> None:
        """End it for good."""
        self.cut()
        _shut(self._server)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if not self._whole:
                    _shut(near)
                    continue
                far = socket.create_connection(self._target)
                self._pairs.put((near, far))
                threading.Thread(
                    target=_carry, args=(near, far, self._moves), daemon=True, name="line"
                ).start()


def _carry(near: socket.socket, far: socket.socket, moves: threading.Event) -> None:
    other = {near: far, far: near}
    with contextlib.suppress(OSError, ValueError):
        while True:
            for end in select.select([near, far], [], [])[0]:
                piece = end.recv(65536)
                moves.wait()
                if not piece:
                    return _shut_both(near, far)
                other[end].sendall(piece)
    return _shut_both(near, far)


def _shut_both(near: socket.socket, far: socket.socket) -> None:
    _shut(near)
    _shut(far)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
