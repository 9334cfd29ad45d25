"""Where a run happens: the server at hand, the sides, and how much they do."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import raw
from benchmarks.sides import Process
from kubemq_nb.broker import launcher
from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.storage.sqlite import SqliteStore
from tests.official import python_with

OFFICIAL = "4.1.5"


@dataclass(frozen=True)
class Sizes:
    """How much each bench does."""

    rounds: int
    looks: int  # peeks and receives of 1,000 a round
    replay: int  # stored events
    batch: int  # rows of a frame
    queries: int
    durable: int  # messages in batches
    stream: int  # stored events in the comparison with a bare stream
    unary: int  # messages sent one by one, of all clients together
    live: int  # seconds of a live table
    cells: int  # short cells beside it
    grown: int  # messages queued and events stored in the comparison with 1,000


FULL = Sizes(9, 5, 100_000, 10_000, 1000, 50_000, 25_000, 3200, 4, 200, 1_000_000)
QUICK = Sizes(3, 3, 20_000, 10_000, 300, 20_000, 10_000, 1600, 3, 100, 100_000)
TINY = Sizes(1, 1, 200, 200, 10, 2000, 200, 64, 1, 5, 3000)


class Place:
    """The server at hand, and the sides that work on it; sides are started when first used.

    Attributes:
        kind: "embedded" or "real".
        pid: The broker's process, None when it is not ours.
    """

    def __init__(
        self,
        address: str,
        sizes: Sizes,
        *,
        token: str | None = None,
        token_file: Path | None = None,
        pid: int | None = None,
    ) -> None:
        self.address = address
        self.sizes = sizes
        self.token = token
        self.token_file = str(token_file) if token_file else None
        self.pid = pid
        self.kind = "embedded" if pid else "real"
        self.opened = ExitStack()

    @cached_property
    def ours(self) -> Process:
        """A session of ours."""
        return self._start("ours", token=self.token, token_file=self.token_file, address=self.address)

    @cached_property
    def official(self) -> Process:
        """The official SDK."""
        access = {"token": self.token, "token_file": self.token_file, "address": self.address}
        return self._start("official", python_with(OFFICIAL), **access)

    @cached_property
    def raw(self) -> Process:
        """Bare grpcio."""
        return self._start("raw", token=self.token, address=self.address)

    @cached_property
    def bare(self) -> Process:
        """A server with nothing to do."""
        return self._start("bare")

    @cached_property
    def kernel(self) -> Process:
        """A notebook's kernel."""
        return self._start("live", token_file=self.token_file, address=self.address)

    @cached_property
    def grown(self) -> "Place":
        """A broker of its own that holds much: a queue and stored events, each `much` and `little`."""
        folder = Path(tempfile.mkdtemp(prefix="kubemq-nb-bench-"))
        self.opened.callback(shutil.rmtree, folder, ignore_errors=True)
        fill_store(folder, self.sizes.grown)
        return self.opened.enter_context(embedded(self.sizes, folder))

    @cached_property
    def flushed(self) -> "Place":
        """A broker on a store of its own that stays: what it answers is on the disk."""
        return self.opened.enter_context(embedded(self.sizes, self.folder / "store"))

    @cached_property
    def folder(self) -> Path:
        """A folder on the disk on which brokers keep their stores."""
        folder = Path(tempfile.mkdtemp(prefix="kubemq-nb-bench-"))
        self.opened.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def channel(self, word: str) -> str:
        """A channel that nobody has used."""
        return f"kubemq-nb-test.bench.{word}.{secrets.token_hex(4)}"

    def _start(self, module: str, *python: str, **made_with: Any) -> Process:
        process = Process(module, *python, **made_with)
        self.opened.callback(process.close)
        return process


@contextmanager
def embedded(sizes: Sizes, store: Path | None = None) -> Iterator[Place]:
    """An embedded broker, on a private store or on this one."""
    broker = launcher.launch(store)
    try:
        assert broker.token_file
        place = Place(
            broker.address,
            sizes,
            token=broker.token_file.read_text().strip(),
            token_file=broker.token_file,
            pid=broker.pid,
        )
        with place.opened:
            yield place
    finally:
        broker.stop()


@contextmanager
def server(address: str, sizes: Sizes, token: str | None) -> Iterator[Place]:
    """Any server."""
    place = Place(address, sizes, token=token)
    with place.opened:
        yield place


def fill_store(folder: Path, count: int) -> None:
    """Put messages and events into a store that no broker uses yet."""
    store = SqliteStore(folder)
    store.apply([[plan.AddChannel(1, "queues", "much"), plan.AddChannel(2, "events_store", "much")]])
    store.apply([[plan.AddChannel(3, "queues", "little"), plan.AddChannel(4, "events_store", "little")]])
    for start in range(0, count, raw.BATCH):
        messages = plan.InsertMessages(raw.stored(1, start, raw.BATCH))
        store.apply([[messages, plan.InsertEvents(2, raw.stored_events("much", start, raw.BATCH))]])
    little = plan.InsertMessages(raw.stored(3, 0, raw.BATCH))
    store.apply([[little, plan.InsertEvents(4, raw.stored_events("little", 0, raw.BATCH))]])
    store.close()
