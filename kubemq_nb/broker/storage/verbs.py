"""The operations of plans as SQL, on a connection that is in the right transaction already."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any, ClassVar

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Message, Operation, StoredChannel, StoredEvent, runs
from kubemq_nb.broker.storage import rows
from kubemq_nb.broker.storage.damage import Damage, DamageLog
from kubemq_nb.broker.storage.looks import Looks, bytes_of
from kubemq_nb.broker.storage.rows import DELAYED, MESSAGE_COLUMNS, SEQUENCE_BITS, SEQUENCE_MASK, crc_of, key
from kubemq_nb.broker.storage.sqlite_content import ContentReader, any_text

LARGE = 2**20  # bytes of one value
CHUNK = 250  # rows in one INSERT, which is faster than many of one; of 1,000 none is left over

INSERT_MESSAGE = f"INSERT INTO message ({MESSAGE_COLUMNS}) VALUES "  # noqa: S608  (constants of this package)
RETURN_MESSAGE = INSERT_MESSAGE.replace("INSERT", "INSERT OR IGNORE")
INSERT_EVENT = "INSERT INTO event (key, timestamp, content, crc) VALUES "
SELECT_MESSAGE = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE key = ?"  # noqa: S608
SELECT_MESSAGES = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE key >= ? AND key < ? ORDER BY key"  # noqa: S608
SELECT_EVENTS = (
    "SELECT key, timestamp, content, crc FROM event WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
)
FREED = "SELECT sum(length(content)) FROM message WHERE key >= ? AND key < ?"
MOVE_MESSAGE = (
    f"UPDATE message SET ({MESSAGE_COLUMNS}, held) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) WHERE key = ?"  # noqa: S608
)


@cache
def _of_rows(statement: str, columns: int, count: int) -> str:
    """A statement that inserts so many rows."""
    return statement + ", ".join([f"({', '.join('?' * columns)})"] * count)


class Verbs:
    """Carries out operations one after another.

    Args:
        damage: Where it is told that a row is set aside.
    """

    def __init__(self, connection: sqlite3.Connection, damage: DamageLog) -> None:
        self._connection = connection
        self._damage = damage
        self._last_sequences: dict[int, int] = {}
        self._looks = Looks()
        self.reader = ContentReader(connection, self._set_aside, self._tell)
        self.channels: dict[int, StoredChannel] = {}
        self._before: dict[int, StoredChannel | None] = {}  # channels changed by the transaction under way
        with any_text(connection):
            self.reader.channels(self.channels)

    def carry_out(self, operation: Operation) -> Any:
        """Carry out one operation; gives its result."""
        return self._verbs[type(operation)](self, operation)

    def save_numbers(self) -> None:
        """Store how far each channel has got in this transaction."""
        made: list[tuple[int, int, int]] = []
        for id, sequence in self._last_sequences.items():
            channel = self.channels.get(id)
            if channel is not None and sequence > channel.last_sequence:
                channel = channel._replace(last_sequence=sequence)
                self._change(id, channel)
                made.append((sequence, crc_of(*channel[:4]), id))
        self._connection.executemany("UPDATE channel SET last_sequence = ?, crc = ? WHERE id = ?", made)

    def committed(self) -> None:
        """The transaction is over, and on the disk."""
        self._before.clear()
        self._last_sequences.clear()

    def rolled_back(self) -> None:
        """The transaction is over, and nothing of it is on the disk."""
        for id, channel in self._before.items():
            self._put(id, channel)
        self._looks.clear()
        self.committed()

    def _change(self, id: int, channel: StoredChannel | None) -> None:
        self._before.setdefault(id, self.channels.get(id))
        self._put(id, channel)

    def _put(self, id: int, channel: StoredChannel | None) -> None:
        if channel is None:
            self.channels.pop(id, None)
        else:
            self.channels[id] = channel

    # Channels

    def _add_channel(self, operation: plan.AddChannel) -> None:
        known = self.channels.get(operation.id) or StoredChannel(*operation)
        self._change(operation.id, known)
        self._connection.execute(
            "INSERT OR IGNORE INTO channel (id, kind, name, last_sequence, crc) VALUES (?, ?, ?, ?, ?)",
            (*known[:4], crc_of(*known[:4])),
        )

    def _remove_channel(self, operation: plan.RemoveChannel) -> None:
        self._change(operation.id, None)
        first, after = key(operation.id, 0), key(operation.id + 1, 0)
        self._looks.forget(first, after)
        self._connection.execute("DELETE FROM message WHERE key >= ? AND key < ?", (first, after))
        self._connection.execute("DELETE FROM event WHERE key >= ? AND key < ?", (first, after))
        self._connection.execute(
            "DELETE FROM message WHERE key IN (SELECT number FROM delayed WHERE queue = ?)", operation
        )
        self._connection.execute("DELETE FROM delayed WHERE queue = ?", operation)
        self._connection.execute("DELETE FROM position WHERE channel = ?", operation)
        self._connection.execute("DELETE FROM channel WHERE id = ?", operation)

    # Messages

    def _insert_messages(self, operation: plan.InsertMessages | plan.ReturnMessages) -> None:
        # What returns may be there already: the commit that seemed to fail may have succeeded.
        returns = isinstance(operation, plan.ReturnMessages)
        self._insert(
            RETURN_MESSAGE if returns else INSERT_MESSAGE,
            11,
            [rows.message_row(message) for message in operation.messages],
        )
        last = {message[0]: message[1] for message in operation.messages}  # by place, which is faster
        for queue, highest in last.items():
            self._numbered(queue, highest)

    def _delay_messages(self, operation: plan.DelayMessages) -> None:
        keyed = [(rows.key(DELAYED, item.number), item) for item in operation.delayed]
        self._insert(INSERT_MESSAGE, 11, [rows.message_row(d.message, row_key=k) for k, d in keyed])
        made = [(k, item.due, item.message.queue) for k, item in keyed]
        self._connection.executemany(
            "INSERT INTO delayed (number, due, queue, crc) VALUES (?, ?, ?, ?)",
            [(*row, crc_of(*row)) for row in made],
        )

    def _find_delayed(self, operation: plan.FindDelayed) -> list[int]:
        query = "SELECT 1 FROM delayed WHERE number = ?"
        find = self._connection.execute
        return [n for n in operation.numbers if find(query, (key(DELAYED, n),)).fetchone()]

    def _release_delayed(self, operation: plan.ReleaseDelayed) -> int | None:
        number = key(DELAYED, operation.number)
        self._connection.execute("DELETE FROM delayed WHERE number = ?", (number,))
        return self._move(number, operation.message)

    def _read_messages(self, operation: plan.ReadMessages | plan.TakeMessages) -> list[Message]:
        found: list[Message] = []
        damaged: list[int] = []
        budget = operation.budget
        for row in self._rows_of(operation.queue, operation.sequences):
            message = rows.message_of(row)
            if message is None:
                damaged.append(row[0])
                continue
            budget -= len(message.content) + plan.ENVELOPE_BYTES
            if budget < 0 and found:
                break
            found.append(message)
        for row_key in damaged:
            self._set_aside("message", row_key)
        return found

    def _look_at_messages(self, operation: plan.LookAtMessages) -> list[Message]:
        queue, sequences, budget = operation
        kept = self._looks.find(queue, sequences)
        if kept and bytes_of(kept) <= budget:
            return kept
        found = self._read_messages(plan.ReadMessages(queue, sequences, budget))
        self._looks.add([key(queue, message.sequence) for message in found], found)
        return found

    def _rows_of(self, queue: int, sequences: Sequence[int]) -> Iterator[rows.MessageRow]:
        for start, stop in runs(sequences):
            yield from self._connection.execute(SELECT_MESSAGES, (key(queue, start), key(queue, stop)))

    def _take_messages(self, operation: plan.TakeMessages) -> list[Message]:
        found = self._read_messages(operation)
        self._delete(operation.queue, list(runs(message.sequence for message in found)))
        return found

    def _hold_message(self, operation: plan.HoldMessage) -> list[Message]:
        self._connection.execute("UPDATE message SET held = 1 WHERE key = ?", (key(*operation),))
        return self._read_messages(plan.ReadMessages(operation.queue, [operation.sequence]))

    def _delete_messages(self, operation: plan.DeleteMessages) -> int:
        return self._delete(operation.queue, operation.ranges)

    def _delete(self, queue: int, ranges: Sequence[tuple[int, int]]) -> int:
        freed = 0
        for start, stop in ranges:
            bounds = key(queue, start), key(queue, stop)
            self._looks.forget(*bounds)
            # A row that a statement returns costs more than to look at it and to delete it.
            freed += self._connection.execute(FREED, bounds).fetchone()[0] or 0
            self._connection.execute("DELETE FROM message WHERE key >= ? AND key < ?", bounds)
        return freed

    def _move_message(self, operation: plan.MoveMessage) -> int | None:
        return self._move(key(operation.queue, operation.sequence), operation.message)

    def _move(self, old_key: int, message: Message) -> int | None:
        self._numbered(message.queue, message.sequence)
        self._looks.forget(old_key, old_key + 1)
        row = self._connection.execute(SELECT_MESSAGE, (old_key,)).fetchone()
        if row is None:
            return None
        found = rows.message_of(row)
        if found is None:  # it must not get a check sum that makes it look sound
            self._set_aside("message", old_key)
            return None
        moved = rows.message_row(message._replace(content=found.content, md5=found.md5))
        self._connection.execute(MOVE_MESSAGE, (*moved, old_key))
        return len(found.content)

    # Events

    def _insert_events(self, operation: plan.InsertEvents) -> None:
        made = [rows.event_row(operation.channel, event) for event in operation.events]
        self._insert(INSERT_EVENT, 4, made)
        self._numbered(operation.channel, operation.events[-1].sequence)

    def _read_events(self, operation: plan.ReadEvents) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        start, after = key(operation.channel, operation.sequence), key(operation.channel + 1, 0)
        while not found and start < after:
            damaged: list[int] = []
            budget = operation.budget
            for row in self._connection.execute(SELECT_EVENTS, (start, after, operation.limit)):
                event = rows.event_of(row)
                if event is None:
                    damaged.append(row[0])
                    continue
                budget -= len(event.content)
                if budget < 0 and found:
                    break
                found.append(event)
            if not damaged:
                break
            for row_key in damaged:  # then the next ones are read, if none was sound
                self._set_aside("event", row_key)
            start = max(start, *damaged) + 1
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
            "INSERT INTO position (channel, name, sequence, crc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET sequence = excluded.sequence, crc = excluded.crc",
            (*operation, crc_of(*operation)),
        )

    # Both

    def _numbered(self, channel: int, sequence: int) -> None:
        """Remember that a channel has got this far, although its messages come and go."""
        self._last_sequences[channel] = max(self._last_sequences.get(channel, 0), sequence)

    def _load_queue(self, operation: plan.LoadQueue) -> plan.QueueContent:
        return self.reader.queue(operation.queue)

    def _insert(self, statement: str, columns: int, made: Sequence[tuple[Any, ...]]) -> None:
        full = len(made) - len(made) % CHUNK
        for start in range(0, full, CHUNK):
            values = list(chain.from_iterable(made[start : start + CHUNK]))
            self._connection.execute(_of_rows(statement, columns, CHUNK), values)
        if full < len(made):
            one = _of_rows(statement, columns, 1)
            self._connection.executemany(one, made[full:])
            self._forget_large(one, made[-1])

    def _forget_large(self, statement: str, row: tuple[Any, ...]) -> None:
        """A statement keeps a copy of what it wrote last; this one gets small values, and writes nothing."""
        if any(isinstance(value, bytes) and len(value) > LARGE for value in row):
            small = [b"" if isinstance(value, bytes) else value for value in row]
            with suppress(sqlite3.IntegrityError):  # the row is there
                self._connection.execute(statement, small)

    def _set_aside(self, table: str, row_key: int) -> None:
        """Keep a damaged row where it is not delivered, and say so."""
        self._looks.forget(row_key, row_key + 1)
        channel, sequence = row_key >> SEQUENCE_BITS, row_key & SEQUENCE_MASK
        known = self.channels.get(channel) if channel != DELAYED else None
        place = f"channel {channel}" if known is None else f"{known.kind} channel {known.name}"
        place = "the delayed messages" if channel == DELAYED else place
        what = f"{table} with sequence {sequence} of {place} is damaged and set aside: it is not delivered"
        self._tell(known.name if known else "", sequence, what)
        self._connection.execute(
            f"INSERT INTO damaged SELECT ?, key, content FROM {table} WHERE key = ?",  # noqa: S608
            (table, row_key),
        )
        self._connection.execute(f"DELETE FROM {table} WHERE key = ?", (row_key,))  # noqa: S608

    def _tell(self, channel: str, sequence: int, what: str) -> None:
        self._damage.tell(Damage(channel, sequence, what))

    _verbs: ClassVar[dict[type[Any], Callable[..., Any]]] = {
        plan.AddChannel: _add_channel,
        plan.RemoveChannel: _remove_channel,
        plan.InsertMessages: _insert_messages,
        plan.ReturnMessages: _insert_messages,
        plan.DelayMessages: _delay_messages,
        plan.FindDelayed: _find_delayed,
        plan.ReleaseDelayed: _release_delayed,
        plan.ReadMessages: _read_messages,
        plan.LookAtMessages: _look_at_messages,
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
