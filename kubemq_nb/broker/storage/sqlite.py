"""The store on SQLite: one connection, one writer, every commit flushed to the disk before it is answered."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Content, Message, Operation, StoredEvent
from kubemq_nb.broker.storage import rows
from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.rows import DELAYED, MESSAGE_COLUMNS, SEQUENCE_BITS, SEQUENCE_MASK, key
from kubemq_nb.broker.storage.sqlite_content import load_content, load_queue

FILE_NAME = "broker.sqlite"
CHECKED_BYTES = 64 * 1024 * 1024  # larger files are not checked when they are opened
CHUNK = 256  # rows in one INSERT: one statement of many rows is faster than many of one
READS = (plan.ReadMessages, plan.ReadEvents, plan.FindEvent, plan.LoadQueue)

INSERT_MESSAGE = f"INSERT INTO message ({MESSAGE_COLUMNS}) VALUES "  # noqa: S608  (constants of this package)
INSERT_EVENT = "INSERT INTO event (key, timestamp, content, crc) VALUES "
SELECT_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE key >= ? AND key < ? ORDER BY key"  # noqa: S608
SELECT_EVENTS = (
    "SELECT key, timestamp, content, crc FROM event WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
)
MOVE_MESSAGE = (
    f"UPDATE message SET ({MESSAGE_COLUMNS}, held) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) WHERE key = ?"  # noqa: S608
)

log = logging.getLogger(__name__)

Connect = Callable[[Path], sqlite3.Connection]


def connect(path: Path, *, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """Open the database in a mode in which a commit is on the disk when it returns."""
    connection = sqlite3.connect(
        path,
        timeout=0.2,  # nobody else writes: a lock means another broker
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=factory,
    )
    # Exclusive: a second broker is kept off the store, and no other process can checkpoint the log.
    for pragma in (
        "locking_mode=EXCLUSIVE",
        "journal_mode=WAL",
        "synchronous=FULL",
        "fullfsync=1",
        "checkpoint_fullfsync=1",
        "wal_autocheckpoint=1000",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class SqliteStore:
    """A store in one file of a folder.

    Args:
        folder: Where the file lies or is made.
        connect: Opens the connection; tests put a failing one here.
    """

    def __init__(self, folder: Path, *, connect: Connect = connect) -> None:
        self.path = folder / FILE_NAME
        self._last_sequences: dict[int, int] = {}
        try:
            self._connection = connect(self.path)
            schema = files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
            self._connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
            self._check()
        except sqlite3.Error as error:
            raise StoreError(f"cannot open {self.path}: {error}", broken=True) from error

    def _check(self) -> None:
        """Refuse a damaged file, unless checking it would take longer than starting may."""
        if self.path.stat().st_size > CHECKED_BYTES:
            return
        found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            self._connection.close()
            reason = found.splitlines()[-1]
            raise StoreError(
                f"{self.path} is damaged ({reason}); `sqlite3 {self.path} .recover` saves what can be read",
                broken=True,
            )

    def load(self) -> Content:
        """Read what the store holds, without bodies."""
        return load_content(self._connection)

    def close(self) -> None:
        """Close the connection, which writes the log back into the file."""
        self._connection.close()

    def apply(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        """Carry out all groups in one commit and give their results, or raise StoreError."""
        try:
            if all(isinstance(operation, READS) for group in groups for operation in group):
                return self._carry_out(groups)
            return self._transact(groups)
        except sqlite3.Error as error:
            self._roll_back()
            raise self._store_error(error) from error
        except OverflowError as error:
            self._roll_back()
            raise StoreError(f"a number does not fit into the store: {error}") from error

    def _transact(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        self._connection.execute("BEGIN IMMEDIATE")
        results = self._carry_out(groups)
        self._connection.executemany(
            "UPDATE channel SET last_sequence = max(last_sequence, ?2) WHERE id = ?1",
            self._last_sequences.items(),
        )
        self._connection.execute("COMMIT")
        self._last_sequences.clear()
        return results

    def _carry_out(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        return [[self._verbs[type(operation)](self, operation) for operation in group] for group in groups]

    def _roll_back(self) -> None:
        self._last_sequences.clear()
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
            self._connection.execute("ROLLBACK")

    def _store_error(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        usable = code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT)
        return StoreError(f"cannot write to {self.path}: {error}", broken=not usable)

    # Channels

    def _add_channel(self, operation: plan.AddChannel) -> None:
        self._connection.execute("INSERT OR IGNORE INTO channel (id, kind, name) VALUES (?, ?, ?)", operation)

    def _remove_channel(self, operation: plan.RemoveChannel) -> None:
        first, after = key(operation.id, 0), key(operation.id + 1, 0)
        self._connection.execute("DELETE FROM message WHERE key >= ? AND key < ?", (first, after))
        self._connection.execute("DELETE FROM event WHERE key >= ? AND key < ?", (first, after))
        self._connection.execute(
            "DELETE FROM message WHERE key IN (SELECT number FROM delayed WHERE queue = ?)", operation
        )
        self._connection.execute("DELETE FROM delayed WHERE queue = ?", operation)
        self._connection.execute("DELETE FROM position WHERE channel = ?", operation)
        self._connection.execute("DELETE FROM channel WHERE id = ?", operation)

    # Messages

    def _insert_messages(self, operation: plan.InsertMessages) -> None:
        self._insert(INSERT_MESSAGE, 11, [rows.message_row(message) for message in operation.messages])
        for message in operation.messages:
            self._numbered(message.queue, message.sequence)

    def _delay_messages(self, operation: plan.DelayMessages) -> None:
        keyed = [(rows.key(DELAYED, item.number), item) for item in operation.delayed]
        self._insert(INSERT_MESSAGE, 11, [rows.message_row(d.message, row_key=k) for k, d in keyed])
        self._connection.executemany(
            "INSERT INTO delayed (number, due, queue) VALUES (?, ?, ?)",
            [(k, item.due, item.message.queue) for k, item in keyed],
        )

    def _release_delayed(self, operation: plan.ReleaseDelayed) -> int | None:
        number = key(DELAYED, operation.number)
        self._connection.execute("DELETE FROM delayed WHERE number = ?", (number,))
        return self._move(number, operation.message)

    def _read_messages(self, operation: plan.ReadMessages | plan.TakeMessages) -> list[Message]:
        found: list[Message] = []
        budget = operation.budget
        for row in self._rows_of(operation.queue, operation.sequences):
            message = rows.message_of(row)
            if message is None:
                self._set_aside("message", row[0])
                continue
            budget -= len(message.content) + plan.ENVELOPE_BYTES
            if budget < 0 and found:
                break
            found.append(message)
        return found

    def _rows_of(self, queue: int, sequences: Sequence[int]) -> Iterator[rows.MessageRow]:
        for start, stop in rows.ranges_of(sequences):
            yield from self._connection.execute(SELECT_MESSAGES, (key(queue, start), key(queue, stop)))

    def _take_messages(self, operation: plan.TakeMessages) -> list[Message]:
        found = self._read_messages(operation)
        self._delete(operation.queue, rows.ranges_of(message.sequence for message in found))
        return found

    def _hold_message(self, operation: plan.HoldMessage) -> list[Message]:
        self._connection.execute("UPDATE message SET held = 1 WHERE key = ?", (key(*operation),))
        return self._read_messages(plan.ReadMessages(operation.queue, [operation.sequence]))

    def _delete_messages(self, operation: plan.DeleteMessages) -> int:
        return self._delete(operation.queue, operation.ranges)

    def _delete(self, queue: int, ranges: Sequence[tuple[int, int]]) -> int:
        freed = 0
        for start, stop in ranges:
            sizes = self._connection.execute(
                "DELETE FROM message WHERE key >= ? AND key < ? RETURNING length(content)",
                (key(queue, start), key(queue, stop)),
            )
            freed += sum(size for (size,) in sizes)
        return freed

    def _move_message(self, operation: plan.MoveMessage) -> int | None:
        return self._move(key(operation.queue, operation.sequence), operation.message)

    def _move(self, old_key: int, message: Message) -> int | None:
        self._numbered(message.queue, message.sequence)
        query = "SELECT content, md5 FROM message WHERE key = ?"
        found = self._connection.execute(query, (old_key,)).fetchone()
        if found is None:
            return None
        row = rows.message_row(message._replace(content=found[0], md5=found[1]))
        self._connection.execute(MOVE_MESSAGE, (*row, old_key))
        return len(found[0])

    # Events

    def _insert_events(self, operation: plan.InsertEvents) -> None:
        made = [rows.event_row(operation.channel, event) for event in operation.events]
        self._insert(INSERT_EVENT, 4, made)
        self._numbered(operation.channel, operation.events[-1].sequence)

    def _read_events(self, operation: plan.ReadEvents) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        budget = operation.budget
        first, after = key(operation.channel, operation.sequence), key(operation.channel + 1, 0)
        for row in self._connection.execute(SELECT_EVENTS, (first, after, operation.limit)):
            event = rows.event_of(row)
            if event is None:
                self._set_aside("event", row[0])
                continue
            found.append(event)
            budget -= len(event.content)
            if budget <= 0:
                break
        return found

    def _find_event(self, operation: plan.FindEvent) -> int | None:
        """Search by halving: times of storing grow with the sequences, and have no index."""
        low, after = key(operation.channel, 0), key(operation.channel + 1, 0)
        high = after
        query = "SELECT key, timestamp FROM event WHERE key >= ? AND key < ? ORDER BY key LIMIT 1"
        found = None
        while low < high:
            middle = (low + high) // 2
            row = self._connection.execute(query, (middle, after)).fetchone()
            if row is None or row[1] >= operation.timestamp:
                found = found if row is None else row[0] & SEQUENCE_MASK
                high = middle
            else:
                low = row[0] + 1
        return found

    def _save_position(self, operation: plan.SavePosition) -> None:
        self._connection.execute(
            "INSERT INTO position (channel, name, sequence) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET sequence = excluded.sequence",
            operation,
        )

    # Both

    def _numbered(self, channel: int, sequence: int) -> None:
        """Remember that a channel has got this far, although its messages come and go."""
        self._last_sequences[channel] = max(self._last_sequences.get(channel, 0), sequence)

    def _load_queue(self, operation: plan.LoadQueue) -> plan.QueueContent:
        return load_queue(self._connection, operation.queue)

    def _insert(self, statement: str, columns: int, made: Sequence[tuple[Any, ...]]) -> None:
        one = f"({', '.join('?' * columns)})"
        full = len(made) - len(made) % CHUNK
        for start in range(0, full, CHUNK):
            values = [value for row in made[start : start + CHUNK] for value in row]
            self._connection.execute(statement + ", ".join([one] * CHUNK), values)
        if full < len(made):
            self._connection.executemany(statement + one, made[full:])

    def _set_aside(self, table: str, row_key: int) -> None:
        """Keep a damaged row where it is not delivered, and say so."""
        log.error(
            "%s: sequence %d of channel %d is damaged and set aside",
            table,
            row_key & SEQUENCE_MASK,
            row_key >> SEQUENCE_BITS,
        )
        self._connection.execute(
            f"INSERT INTO damaged SELECT ?, key, content FROM {table} WHERE key = ?",  # noqa: S608
            (table, row_key),
        )
        self._connection.execute(f"DELETE FROM {table} WHERE key = ?", (row_key,))  # noqa: S608

    _verbs: ClassVar[dict[type[Any], Callable[..., Any]]] = {
        plan.AddChannel: _add_channel,
        plan.RemoveChannel: _remove_channel,
        plan.InsertMessages: _insert_messages,
        plan.DelayMessages: _delay_messages,
        plan.ReleaseDelayed: _release_delayed,
        plan.ReadMessages: _read_messages,
        plan.TakeMessages: _take_messages,
        plan.HoldMessage: _hold_message,
        plan.DeleteMessages: _delete_messages,
        plan.MoveMessage: _move_message,
        plan.InsertEvents: _insert_events,
        plan.ReadEvents: _read_events,
        plan.FindEvent: _find_event,
        plan.SavePosition: _save_position,
        plan.LoadQueue: _load_queue,
    }
