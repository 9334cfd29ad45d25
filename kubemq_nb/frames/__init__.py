"""Frames: what a read brought as a DataFrame, and a DataFrame as messages to send. The only user of pandas.

One column list and one dtype a column for each kind, also when there is no row:

- text, bodies, tags and decoded bodies are `object` in every version of pandas; absent text is None;
- instants are `datetime64[ns, UTC]`, NaT when there is none;
- numbers that are always there are `int64` (spans in seconds), those that may be absent `Int64`;
- yes or no is `bool`, `boolean` where it may be unknown.

`body` is bytes; `decoded` is the same as JSON, else as text, else None. Facts of the read are in `df.attrs`.

pandas takes its time to load: it does so while commands load, a broker starts or a server is reached.
"""

from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from kubemq_nb.frames import collecting
from kubemq_nb.frames.decoding import decode
from kubemq_nb.frames.kinds import COLUMNS, TIME

if TYPE_CHECKING:
    from kubemq_nb.frames.build import QueueMessages, empty, events, queue_messages, requests, results, table
    from kubemq_nb.frames.files import read_csv
    from kubemq_nb.frames.rows import columns, each, of_file, records
    from kubemq_nb.frames.writing import Writer

__all__ = [
    "COLUMNS",
    "TIME",
    "QueueMessages",
    "Writer",
    "columns",
    "decode",
    "each",
    "empty",
    "events",
    "load",
    "load_ahead",
    "of_file",
    "queue_messages",
    "read_csv",
    "records",
    "requests",
    "results",
    "table",
]


def load() -> None:
    """Load pandas now, for whoever has time to wait for it."""
    with collecting.paused():
        for module in ("build", "files", "rows", "writing"):
            home = import_module(f"{__name__}.{module}")
            globals().update({name: getattr(home, name) for name in __all__ if name in vars(home)})


def load_ahead() -> None:
    """Load it in a thread; a process that ends meanwhile waits, as no import can be broken off."""
    Thread(target=_load_ahead, name="kubemq-nb:load").start()


def _load_ahead() -> None:
    with suppress(RuntimeError):  # the interpreter ends, and nobody needs it any more
        load()


def __getattr__(name: str) -> Any:
    """Find what needs pandas when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    load()
    return globals()[name]
