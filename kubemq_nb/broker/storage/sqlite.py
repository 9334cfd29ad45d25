"""The store on SQLite: one connection, one writer, commits flushed to the disk before they are answered."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Content, Operation
from kubemq_nb.broker.storage.base import StoreError, Undecided
from kubemq_nb.broker.storage.damage import DamageLog
from kubemq_nb.broker.storage.mark import Mark
from kubemq_nb.broker.storage.opening import (
    FILE_NAME,
    Connect,
    code_of,
    connect,
    damaged,
    log_of,
    move_log,
    open_checked,
)
from kubemq_nb.broker.storage.space import PAGE_BYTES, Space, size_of
from kubemq_nb.broker.storage.sqlite_content import any_text, as_text
from kubemq_nb.broker.storage.verbs import Verbs

READS = (
    plan.ReadMessages,
    plan.LookAtMessages,
    plan.ReadEvents,
    plan.FindDelayed,
    plan.FindEvent,
    plan.LoadQueue,
)

Groups = Sequence[Sequence[Operation]]


class SqliteStore:
    """A store in one file of a folder.

    Args:
        folder: Where the file lies or is made.
        connect: Opens the connection; tests put a failing one here.
        quota: The most bytes that the file may have; 0 leaves that to the disk.
        flushed: Whether a commit is on the disk when it returns. If not, it survives the end of this process,
            but not that of the system.

    Attributes:
        commits: How many commits there were since the store was made.
    """

    def __init__(
        self, folder: Path, *, connect: Connect = connect, quota: int = 0, flushed: bool = True
    ) -> None:
        self.path = folder / FILE_NAME
        self._quota = quota
        self._undecided: Undecided | None = None
        try:
            damage = DamageLog(folder)
            self._space = Space(folder)
            self._mark = Mark(self.path)
        except OSError as error:
            raise StoreError(f"cannot open {self.path}: {error}", broken=True) from error
        try:
            self._connection = open_checked(self.path, connect, self._mark, damage)
        except StoreError:
            self._mark.close()
            raise
        try:
            self.commits = self._one("SELECT commits FROM state")
            self._connection.execute(f"PRAGMA wal_autocheckpoint={self._space.log_pages}")
            if not flushed:
                self._connection.execute("PRAGMA synchronous=OFF")
            if quota:
                self._one(f"PRAGMA max_page_count={quota // PAGE_BYTES}")
            self._verbs = Verbs(self._connection, damage)
        except sqlite3.Error as error:
            self.close()
            raise self._error(error) from error

    def load(self) -> Content:
        """Read what the store holds, without bodies."""
        try:
            with any_text(self._connection):
                return self._verbs.reader.content(self._verbs.channels)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Close the connection, which writes the log back into the file."""
        self._mark.close()
        with suppress(sqlite3.Error):  # what was committed is in the log, and found there
            self._connection.close()

    def apply(self, groups: Groups) -> list[list[Any]]:
        """Carry out all groups in one commit and give their results, or raise StoreError."""
        if all(isinstance(operation, READS) for group in groups for operation in group):
            return self._attempt(self._carry_out, groups)
        try:
            refusal = self._space.refusal(groups, self._log_bytes, self._unused_bytes)
        except OSError as error:
            raise StoreError(f"cannot write to {self.path}: {error.strerror}", broken=True) from error
        if refusal:
            raise StoreError(refusal)
        return self._attempt(self._transact, groups)

    def _attempt(self, way: Callable[[Groups], list[list[Any]]], groups: Groups) -> list[list[Any]]:
        """Carry groups out; a second time where something can be done about what failed."""
        try:
            return way(groups)
        except sqlite3.Error as error:
            self._roll_back()
            if not self._can_be_helped(error, groups):
                raise self._error(error) from error
        except OverflowError as error:
            self._roll_back()
            raise StoreError(f"a number does not fit into the store: {error}") from error
        try:
            return way(groups)
        except sqlite3.Error as error:
            self._roll_back()
            raise self._error(error) from error

    def _can_be_helped(self, error: sqlite3.Error, groups: Groups) -> bool:
        if "decode" in str(error) and self._connection.text_factory is str:
            self._connection.text_factory = as_text  # slower; the check sum says which row it is
            return True
        grows = any(size_of(operation) for group in groups for operation in group)
        if code_of(error) != sqlite3.SQLITE_FULL or self._quota or grows:
            return False
        # Deleting is what makes room, and needs a little for its log.
        self._space.give_up()
        with suppress(sqlite3.Error):
            move_log(self._connection)
        return True

    def _transact(self, groups: Groups) -> list[list[Any]]:
        self._one("BEGIN IMMEDIATE")
        results = self._carry_out(groups)
        self._verbs.save_numbers()
        self._connection.execute("UPDATE state SET commits = ?", (self.commits + 1,))
        self._undecided = Undecided(self.commits + 1, results)
        self._one("COMMIT")
        self._undecided = None
        self._verbs.committed()
        self.commits += 1
        self._mark.set(self.commits)
        return results

    def _carry_out(self, groups: Groups) -> list[list[Any]]:
        carry_out = self._verbs.carry_out
        return [[carry_out(operation) for operation in group] for group in groups]

    def _roll_back(self) -> None:
        self._verbs.rolled_back()
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
            self._one("ROLLBACK")

    def _error(self, error: sqlite3.Error) -> StoreError:
        undecided, self._undecided = self._undecided, None
        code = code_of(error)
        if code == sqlite3.SQLITE_FULL:
            return StoreError(self._quota_sentence() if self._quota else self._space.sentence())
        if code == sqlite3.SQLITE_CORRUPT:
            return damaged(self.path, str(error))
        text = f"cannot write to {self.path}: {error}"
        if code in (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT):
            return StoreError(text)
        return StoreError(text, broken=True, undecided=undecided)

    def _quota_sentence(self) -> str:
        return (
            f"the store {self.path.parent} has reached its quota of {self._quota:,} bytes and nothing was "
            "stored: receive or purge messages, and send again"
        )

    def _log_bytes(self) -> int:
        log = log_of(self.path)
        return log.stat().st_size if log.exists() else 0

    def _unused_bytes(self) -> int:
        return int(self._one("PRAGMA freelist_count")) * PAGE_BYTES

    def _one(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else None
