"""Brokers on stores that hold much."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import raw
from benchmarks.place import FULL, Place
from benchmarks.samples import Sample
from benchmarks.sides import resident
from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.storage.sqlite import SqliteStore

IN_QUEUE = 10  # messages in each of many queues


@contextmanager
def stores(fill: dict[int, Callable[[Path], None]]) -> Iterator[dict[int, Path]]:
    """Stores that hold something, made anew."""
    with ExitStack() as made:
        folders: dict[int, Path] = {}
        for at, fill_one in fill.items():
            folders[at] = Path(tempfile.mkdtemp(prefix="kubemq-nb-bench-"))
            made.callback(shutil.rmtree, folders[at], ignore_errors=True)
            fill_one(folders[at])
        yield folders


def name_of(number: int) -> str:
    """One of many queues."""
    return f"queue.{number:05}"


def fill_channels(folder: Path, *, count: int) -> None:
    """Make so many queues of ten messages, and one more to look at."""
    store = SqliteStore(folder)
    for id in range(1, count + 2):
        messages = plan.InsertMessages(raw.stored(id, 0, IN_QUEUE))
        store.apply([[plan.AddChannel(id, "queues", name_of(id - 1)), messages]])
    store.close()


@contextmanager
def brokers(folders: dict[int, Path]) -> Iterator[dict[int, Place]]:
    """A broker on each store."""
    with ExitStack() as running:
        yield {at: running.enter_context(broker(folder)) for at, folder in folders.items()}


@contextmanager
def broker(folder: Path) -> Iterator[Place]:
    """A broker on a store, in a process that ends with the block; everybody is let in."""
    options = ("--address", "127.0.0.1:0", "--store", str(folder), "--no-auth")
    command = [sys.executable, "-m", "kubemq_nb.broker", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            place = Place(json.loads(process.stdout.readline())["address"], FULL, pid=process.pid)
            with place.opened:
                yield place
        finally:
            process.terminate()


def started(folder: Path) -> Sample:
    """How long a new process takes until it serves this store."""
    began = time.perf_counter()
    with broker(folder):
        return Sample((time.perf_counter() - began) * 1000)


def memory(place: Place) -> Sample:
    """How much memory the broker has."""
    assert place.pid
    return Sample(resident(place.pid))
