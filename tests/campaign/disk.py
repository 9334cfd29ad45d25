"""A disk under the store that is written down, forgets what was not flushed, tears it, or fails.

The store is the product's, on apsw's SQLite instead of Python's, because apsw lets a file system be written
in Python. What is on such a disk is then opened as users do, with Python's own SQLite.
"""

import contextlib
import itertools
import random
import sqlite3
import sys
from pathlib import Path

import apsw

from kubemq_nb.broker.storage.opening import prepare

SECTOR = 512
LOG_PAGES = 40  # so that a short session moves its log into the database some times
NUMBERS = itertools.count(1)


class Connection:
    """As much of `sqlite3.Connection` as the store uses, on a file system of our own."""

    def __init__(self, path, vfs):
        self.text_factory = str
        self._log_pages = 0
        with translated():
            self._connection = apsw.Connection(str(path), vfs=vfs.name)
            self._connection.set_busy_timeout(200)
            self._connection.set_wal_hook(self._committed)

    def execute(self, statement, values=()):
        if statement.startswith("PRAGMA wal_autocheckpoint"):
            return None  # it would take the hook away
        with translated():
            made = Cursor(self._connection.execute(statement, tuple(values)))
        if statement == "COMMIT":
            self._move_log()
        return made

    def _committed(self, connection, name, pages):
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _move_log(self):
        """What SQLite does by itself after a commit; its errors are nobody's there, and apsw raises them."""
        if self._log_pages >= LOG_PAGES:
            with contextlib.suppress(apsw.Error):
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def executemany(self, statement, values):
        with translated():
            return Cursor(self._connection.executemany(statement, values))

    def executescript(self, script):
        with translated():
            for _ in self._connection.execute(script):
                pass

    def close(self):
        with translated():
            self._connection.close()


class Cursor:
    """As much of `sqlite3.Cursor` as the store uses."""

    def __init__(self, cursor):
        self._cursor = cursor

    def __iter__(self):
        with translated():
            yield from self._cursor

    def fetchone(self):
        with translated():
            return self._cursor.fetchone()

    def fetchall(self):
        with translated():
            return self._cursor.fetchall()


@contextlib.contextmanager
def translated():
    """apsw's errors as those of sqlite3."""
    try:
        yield
    except apsw.Error as error:
        made = sqlite3.DatabaseError(str(error))
        made.sqlite_errorcode = getattr(error, "extendedresult", 0) or getattr(error, "result", 1)
        raise made from error


@contextlib.contextmanager
def unsaid():
    """Keep what SQLite passes over from being shown: apsw shows every error that it cannot raise."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


def connector(vfs):
    """What the store opens its database with, on a file system."""
    return lambda path: prepare(Connection(path, vfs))


class FileSystem(apsw.VFS):
    """The machine's file system, with `before` called ahead of everything that touches a file."""

    def __init__(self):
        self.name = f"kubemq-nb-{next(NUMBERS)}"
        super().__init__(self.name, "")

    def before(self, verb, path, *arguments):
        """See, or refuse, what is about to happen."""

    def xOpen(self, name, flags):  # noqa: N802  (apsw's names, here and below)
        return File(self, name, flags)

    def xDelete(self, filename, syncdir):  # noqa: N802
        self.before("delete", Path(filename).name, syncdir)
        super().xDelete(filename, syncdir)


class File(apsw.VFSFile):
    """One open file."""

    def __init__(self, system, name, flags):
        self._system = system
        self._name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name
        super().__init__("", name, flags)

    def xRead(self, amount, offset):  # noqa: N802
        self._system.before("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):  # noqa: N802
        self._system.before("write", self._name, bytes(data), offset)
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self._system.before("truncate", self._name, size)
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        self._system.before("sync", self._name)
        super().xSync(flags)


class Recording(FileSystem):
    """Writes down what changes files.

    Attributes:
        done: Every write, truncation, flush and deletion, in order.
    """

    def __init__(self):
        self.done = []
        super().__init__()

    def before(self, verb, path, *arguments):
        if verb != "read":
            self.done.append((verb, path, *arguments))


class Failing(FileSystem):
    """Fails one call, and all those after it that are told to.

    Attributes:
        calls: How many calls there were.
    """

    def __init__(self, fails_at=0, error=apsw.IOError, verbs=("read", "write", "sync"), lasting=0):
        self.calls = 0
        self.failed = ""
        self._fails = range(fails_at, fails_at + 1 + lasting) if fails_at else range(0)
        self._error = error
        self._verbs = verbs
        super().__init__()

    def before(self, verb, path, *arguments):
        if verb not in self._verbs:
            return
        self.calls += 1
        if self.calls in self._fails:
            self.failed = f"{verb} of {path}"
            raise self._error(f"the disk fails on purpose: {self.failed}")


class Replay:
    """The disk as a power cut at some moment may leave it."""

    def __init__(self, done):
        self._done = done
        self._at = 0
        self._durable = {}
        self._pending = {}  # by file: what was done to it since its last flush

    def forward(self, until):
        """Let everything before this moment happen."""
        for verb, path, *arguments in self._done[self._at : until]:
            self._pending.setdefault(path, []).append((verb, *arguments))
            if verb == "sync":
                self._flush(path)
        self._at = until

    def _flush(self, path):
        self._durable[path] = changed(self._durable.get(path), self._pending.pop(path))
        # File systems that keep a journal flush what was deleted with whatever is flushed after it.
        for other in [name for name, pending in self._pending.items() if pending[-1][0] == "delete"]:
            del self._pending[other]
            self._durable.pop(other, None)

    def left(self, chance):
        """What files hold after the cut: what was flushed, and of the rest whatever it pleases."""
        files = dict(self._durable)
        for path, pending in self._pending.items():
            survived = [torn for each in pending for torn in survivors(each, chance)]
            found = changed(files.pop(path, None), survived)
            if found is not None:
                files[path] = found
        return files


def survivors(change, chance):
    """What a cut leaves of one change that was not flushed: all, nothing, or some sectors."""
    fate = chance.random()
    if fate < 0.4:
        return [change]
    if fate < 0.7 or change[0] != "write":
        return []
    _, data, offset = change
    sectors = [
        ("write", data[start : start + SECTOR], offset + start)
        for start in range(0, len(data), SECTOR)
        if chance.random() < 0.5
    ]
    return sectors[: chance.randint(0, len(sectors))] if chance.random() < 0.3 else sectors


def changed(content, changes):
    """The content of a file after some changes; None when it is deleted."""
    content = None if content is None else bytearray(content)
    for verb, *arguments in changes:
        if verb == "delete":
            content = None
            continue
        if verb == "sync":
            continue
        content = bytearray() if content is None else content
        if verb == "truncate":
            del content[arguments[0] :]
        else:
            data, offset = arguments
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
    return None if content is None else bytes(content)


def any_moment(chance: random.Random, last: int, count: int) -> list[int]:
    """So many moments of a recording, in order."""
    return sorted(chance.randint(0, last) for _ in range(count))
