"""Saving what can be read of a damaged store into a new one; the damaged files are kept beside it.

What SQLite can still reach is read row by row, around what it cannot; every row has to match its check sum.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from kubemq_nb.broker.storage import rows
from kubemq_nb.broker.storage.damage import aside
from kubemq_nb.broker.storage.mark import SUFFIX as MARK_SUFFIX
from kubemq_nb.broker.storage.opening import FILE_NAME, connect, log_of, make_tables
from kubemq_nb.broker.storage.rows import MESSAGE_COLUMNS, SEQUENCE_BITS, SEQUENCE_MASK, crc_of
from kubemq_nb.broker.storage.sqlite_content import as_text

PAGE = 4096
FIRST, LAST = -(1 << 63), (1 << 63) - 1
READ_AT_ONCE = 256
NEW_NAME = "broker.sqlite.repairing"


class Table(NamedTuple):
    """How one table is saved.

    Attributes:
        key: The column that its rows are ordered by.
        columns: What is read, the key first.
        sound: Whether a row matches its check sum.
    """

    name: str
    key: str
    columns: str
    sound: Callable[[Any], bool]


def small(row: tuple[Any, ...]) -> bool:
    """Whether a row of a few numbers and names matches its check sum, which comes last."""
    return bool(crc_of(*row[:-1]) == row[-1])


TABLES = (
    Table("channel", "id", "id, kind, name, last_sequence, crc", small),
    Table("message", "key", f"{MESSAGE_COLUMNS}, held", lambda row: rows.message_of(row[:11]) is not None),
    Table("delayed", "number", "number, due, queue, crc", small),
    Table("event", "key", "key, timestamp, content, crc", lambda row: rows.event_of(row) is not None),
)
POSITIONS = "SELECT channel, name, sequence, crc FROM position"


def repair(folder: Path) -> list[str]:
    """Make a sound store of a damaged one; gives sentences that say what became of what.

    Raises:
        OSError: There is no room for the copies, or the folder cannot be written to.
        sqlite3.Error: The new database cannot be written. After each error all files are as they were.
    """
    path = folder / FILE_NAME
    if not any(file.exists() for file in files_of(path)):
        return [f"{path} is not there: there is nothing to repair"]
    work, new = folder / f"{NEW_NAME}-from", folder / NEW_NAME
    try:
        copy(path, work)
        saved = fill(new, work)
        place = exchange(path, new)
    finally:
        remove(work)
        remove(new)
    return [
        f"the damaged files are kept as {place}*",
        *saved,
        f"{path} can be used again; what is not in it is in the damaged files alone",
        "what was moved or removed last may be there once more",
    ]


def files_of(path: Path) -> list[Path]:
    """The files of a database: itself, its log, the index of that, its mark."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", MARK_SUFFIX)]


def copy(path: Path, work: Path) -> None:
    """Copy a database and its log to where they may be changed."""
    remove(work)
    work.touch(mode=0o600)  # an empty one, where the log alone is left
    for source, target in ((path, work), (log_of(path), log_of(work))):
        if source.exists():
            shutil.copy2(source, target)


def fill(new: Path, work: Path) -> list[str]:
    """Make a new database of what can be read of another; gives sentences."""
    remove(new)
    with closing(connect(new)) as target:
        make_tables(target)
        target.execute("BEGIN")
        saved = list(save_all(work, target))
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # its log does not go along
    return saved


def exchange(path: Path, new: Path) -> Path:
    """Put the new database in the place of the damaged one; gives where its files are kept."""
    place = aside(path)
    *database, mark = zip(files_of(path), files_of(place), strict=True)
    with ExitStack() as undo:
        # The mark goes last: without a database, it keeps a broker from beginning anew.
        for source, target in (*database, (new, path), mark):
            if source.exists():
                source.replace(target)
                undo.callback(target.replace, source)
        undo.pop_all()
    return place


def remove(path: Path) -> None:
    """Delete a database and its log."""
    for each in (path, log_of(path), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


def save_all(work: Path, target: sqlite3.Connection) -> Iterator[str]:
    """Copy every sound row that can be reached."""
    if not is_readable(work):
        renew_first_page(work, target)
    source = sqlite3.connect(work, isolation_level=None)
    source.text_factory = as_text
    with closing(source):
        for table in TABLES:
            yield from save(table, source, target)
        try:
            found = [row for row in source.execute(POSITIONS) if small(row)]
            target.executemany("INSERT OR IGNORE INTO position VALUES (?, ?, ?, ?)", found)
        except sqlite3.Error:
            yield "how far subscriptions had read is lost: they start where they ask to"


def is_readable(path: Path) -> bool:
    """Whether SQLite finds our tables in a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as source:
        try:
            for table in TABLES:
                source.execute(f"SELECT {table.columns} FROM {table.name} LIMIT 0")  # noqa: S608
        except sqlite3.Error:
            return False
        return True


def renew_first_page(path: Path, new: sqlite3.Connection) -> None:
    """Put a sound first page into a database: that of a new one, whose tables are at the same places."""
    page = bytearray(first_page(new))
    size = path.stat().st_size // PAGE
    page[28:32] = size.to_bytes(4, "big")  # how many pages there are
    page[32:40] = bytes(8)  # no list of free pages: they are not read
    with path.open("r+b" if size else "wb") as file:
        file.write(page)


def first_page(new: sqlite3.Connection) -> bytes:
    """The first page of a new database that has our tables."""
    new.execute("COMMIT")
    new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    new.execute("BEGIN")
    with Path(new.execute("PRAGMA database_list").fetchone()[2]).open("rb") as file:
        return file.read(PAGE)


def save(table: Table, source: sqlite3.Connection, target: sqlite3.Connection) -> Iterator[str]:
    """Copy the sound rows of one table."""
    saved = 0
    marks = ", ".join("?" * len(table.columns.split(",")))
    insert = f"INSERT OR IGNORE INTO {table.name} ({table.columns}) VALUES ({marks})"  # noqa: S608
    for found in readable(table, source):
        if isinstance(found, str):
            yield found
            continue
        sound = [row for row in found if table.sound(row)]
        target.executemany(insert, sound)
        saved += len(sound)
        for row in found:
            if not table.sound(row):
                yield f"a damaged {table.name} ({place_of(table, row[0])}) was left out"
    yield f"{saved} rows of {table.name} were saved"


def readable(table: Table, source: sqlite3.Connection) -> Iterator[list[tuple[Any, ...]] | str]:
    """The rows of a table that can be reached, some at a time, and a sentence for each gap."""
    query = f"SELECT {table.columns} FROM {table.name} WHERE {table.key} >= ? ORDER BY {table.key} LIMIT ?"  # noqa: S608

    def read(start: int, limit: int) -> list[tuple[Any, ...]] | None:
        try:
            found = source.execute(query, (start, limit)).fetchall()
        except sqlite3.Error:
            return None
        # A damaged tree may lead back to rows that were read before, again and again.
        return found if all(row[0] >= start for row in found) else None

    start, limit = FIRST, READ_AT_ONCE
    while True:
        found = read(start, limit)
        if found:
            yield found
            last = max(row[0] for row in found)
            if last == LAST:
                return
            start, limit = last + 1, READ_AT_ONCE
        elif found is not None:
            return
        elif limit > 1:
            limit = 1
        else:
            after = next_readable(lambda key: read(key, 1) is not None, start)
            gap = f"between {place_of(table, start)} and {place_of(table, after)}"
            yield f"what {table.name} held {gap} is lost"
            if after > LAST:
                return
            start = after


def next_readable(can_read: Callable[[int], bool], start: int) -> int:
    """The first key behind `start` that can be read, about; one more than the last key when none can."""
    step = 1
    while start + step <= LAST and not can_read(start + step):
        step *= 2
    if start + step > LAST:
        return LAST + 1
    low, high = start + step // 2, start + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if can_read(middle) else (middle, high)
    return high


def place_of(table: Table, row_key: int) -> str:
    """A key in words."""
    if table.key != "key" or not FIRST < row_key <= LAST:
        return {FIRST: "its beginning", LAST + 1: "its end"}.get(row_key, f"number {row_key}")
    return f"sequence {row_key & SEQUENCE_MASK} of channel {row_key >> SEQUENCE_BITS}"
