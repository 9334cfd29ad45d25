"""Opening a database: what is checked before it is trusted, and what is refused, and how that is repaired."""

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from kubemq_nb.broker.storage import wal
from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.damage import Damage, DamageLog, keep
from kubemq_nb.broker.storage.mark import Mark

FILE_NAME = "broker.sqlite"
FORMAT = 1  # of the tables; PRAGMA user_version
CHECKED_BYTES = 512 * 1024 * 1024  # larger files are not checked when they are opened
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
LOG_HEADER = 32  # bytes of a log before its first frame
NO_LOOK = 1 << 32  # more frames than there are

Connect = Callable[[Path], sqlite3.Connection]


def connect(path: Path, *, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Open the database."""
    return prepare(
        sqlite3.connect(
            path,
            timeout=0.2,  # nobody else writes: a lock means another broker
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=factory,
        )
    )


def prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Put a connection into a mode in which a commit is on the disk when it returns."""
    # Exclusive: a second broker is kept off the store, and no other process can checkpoint the log.
    try:
        for pragma in (
            "locking_mode=EXCLUSIVE",
            "journal_mode=WAL",
            "synchronous=FULL",
            "fullfsync=1",
            "checkpoint_fullfsync=1",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_checked(path: Path, connect: Connect, mark: Mark, damage: DamageLog) -> sqlite3.Connection:
    """Open the database of a store, made if need be; what is missing of its log is told.

    Raises:
        StoreError: It cannot be opened, or not be trusted; then nothing of it was changed.
    """
    connection = None
    try:
        refuse_vanished(path, mark)
        connection = connect(path)
        make_tables(connection)
        check(path, connection)
        look_for_lost_commits(path, connection, mark, damage)
    except (sqlite3.Error, StoreError, OSError) as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if isinstance(error, StoreError):
            raise
        if isinstance(error, sqlite3.Error) and code_of(error) in DAMAGED:
            raise damaged(path, str(error)) from error
        raise StoreError(f"cannot open {path}: {error}", broken=True) from error
    return connection


def code_of(error: sqlite3.Error) -> int:
    """What kind of error it is, as SQLite says it."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def damaged(path: Path, reason: str) -> StoreError:
    """The error for a database that cannot be trusted."""
    return StoreError(
        f"{path} is damaged ({reason}); `{repair_command(path)}` keeps it aside and saves what can be read",
        broken=True,
    )


def repair_command(path: Path) -> str:
    """What a person types to go on with a damaged database."""
    return f"kubemq-nb broker --store {shlex.quote(str(path.parent))} --repair"


def refuse_vanished(path: Path, mark: Mark) -> None:
    """Refuse to begin anew where messages were: SQLite would take an empty file for a new database."""
    log = log_of(path)
    if path.exists() and path.stat().st_size:
        return
    if mark.commits or (log.exists() and log.stat().st_size > LOG_HEADER):
        raise damaged(path, "the file is empty" if path.exists() else "the file is gone")


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a new database; another format than ours is refused."""
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        schema = files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
        connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version={FORMAT}; COMMIT;")


def check(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a damaged file, unless checking it would take longer than starting may."""
    if path.stat().st_size <= CHECKED_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise damaged(path, found.splitlines()[-1])
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise StoreError(
            f"{path} is of format {version}, and this version of kubemq_nb reads format {FORMAT}: open it "
            "with the version that wrote it, or name another store; if none did, "
            f"`{repair_command(path)}` saves what can be read",
            broken=True,
        )


def look_for_lost_commits(path: Path, connection: sqlite3.Connection, mark: Mark, damage: DamageLog) -> None:
    """Move the log into the database; if not all of it could be read, tell that and keep a copy of it."""
    commits = connection.execute("SELECT commits FROM state").fetchone()[0]
    missing = max(0, (mark.commits or 0) - commits)
    frames = move_log(connection)
    tail = wal.unread(log_of(path), frames)
    if missing or (tail.damaged and mark.commits != commits):
        damage.tell(Damage("", 0, lost_sentence(path, missing, frames, tail)))
    mark.set(commits)


def move_log(connection: sqlite3.Connection) -> int:
    """Move the log into the database; returns how many of its frames SQLite could read."""
    try:
        frames = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    except sqlite3.Error as error:
        if code_of(error) != sqlite3.SQLITE_FULL:
            raise
        return NO_LOOK  # it stays where it is until there is room
    return max(0, int(frames))


def lost_sentence(path: Path, missing: int, frames: int, tail: wal.Tail) -> str:
    """What is said of a log that could not be read to its end."""
    log = log_of(path)
    there = log.exists() and log.stat().st_size > LOG_HEADER
    commits = f"{missing} acknowledged commits are missing" if missing else "acknowledged commits are missing"
    read = f"{tail.frames} frames after frame {frames} of its log could not be read" if there else ""
    kept = f"the log is kept in {keep(log)}" if there else "its log was cut, replaced or deleted"
    again = "what was moved or removed last may be there once more"
    return f"{path} is damaged: " + ", ".join(part for part in (commits, read, kept, again) if part)


def log_of(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")
