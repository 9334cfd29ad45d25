"""Reading what a SQLite store holds, when a broker starts or looks at a queue again.

Whatever the engine goes by without reading the message is checked here: names and numbers of channels, times
when messages expire or are due, places of readers. What is damaged is set aside and told.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kubemq_nb.broker.engine.plan import (
    Content,
    Delayed,
    Message,
    QueueContent,
    SavePosition,
    StoredChannel,
    runs,
)
from kubemq_nb.broker.storage import rows
from kubemq_nb.broker.storage.rows import DELAYED, MESSAGE_COLUMNS, SEQUENCE_BITS, SEQUENCE_MASK, crc_of, key

LAST = (1 << 63) - 1
SUMMARY = """
    SELECT min(key), max(key), count(*), total(length(content)), sum(expires_at IS NOT 0)
    FROM message WHERE key >= ? AND key < ?
"""
QUEUES, EVENTS_STORE = "queues", "events_store"
LAST_EVENT = """
    SELECT key, timestamp, content, crc FROM event WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1
"""

SetAside = Callable[[str, int], None]
"""Takes a table and a key: keeps that row where it is not delivered, and says so."""

Tell = Callable[[str, int, str], None]
"""Takes a channel, a sequence and a sentence."""


@contextmanager
def any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read text that is no UTF-8 any more instead of failing; its check sum tells."""
    before, connection.text_factory = connection.text_factory, as_text
    try:
        yield
    finally:
        connection.text_factory = before


def as_text(stored: bytes) -> str:
    """Text whatever its bytes are."""
    return stored.decode(errors="surrogateescape")


class ContentReader:
    """Reads what a store holds, without bodies."""

    def __init__(self, connection: sqlite3.Connection, set_aside: SetAside, tell: Tell) -> None:
        self._connection = connection
        self._set_aside = set_aside
        self._tell = tell

    def channels(self, found: dict[int, StoredChannel]) -> None:
        """Put all channels into `found`; one whose row is damaged keeps what it holds, under another name."""
        for id, kind, name, last_sequence, crc in self._all("SELECT * FROM channel"):
            if crc_of(id, kind, name, last_sequence) == crc:
                found[id] = StoredChannel(id, kind, name, last_sequence)
                found[id] = found[id]._replace(last_timestamp=self._last_timestamp(id))
            elif made := self._renamed(id, name):
                found[id] = made
        for id in sorted({*self._used("message"), *self._used("event")} - found.keys()):
            if made := self._renamed(id, ""):
                found[id] = made

    def content(self, channels: dict[int, StoredChannel]) -> Content:
        """All of it."""
        return Content(
            channels=list(channels.values()),
            queues={id: self.queue(id) for id in self._used("message")},
            held=[
                message._replace(content=b"")
                for message in self._sound_messages("WHERE held AND key >= ?", key(DELAYED + 1, 0))
            ],
            delayed=self._delayed(channels),
            positions=self._positions(channels),
        )

    def queue(self, queue: int) -> QueueContent:
        """One queue."""
        bounds = (key(queue, 0), key(queue + 1, 0))
        first, last, count, size, expiring = self._one(SUMMARY, bounds)
        expiries: dict[int, int] = {}
        if expiring:  # these are deleted unread when their time has come, so they are looked at now
            sound = self._sound_messages("WHERE key >= ? AND key < ? AND expires_at IS NOT 0", *bounds)
            expiries = {message.sequence: message.expires_at for message in sound}
            first, last, count, size, _ = self._one(SUMMARY, bounds)
        if count and last - first + 1 == count:
            ranges = [(first & SEQUENCE_MASK, (last & SEQUENCE_MASK) + 1)]
        else:
            keys = self._all("SELECT key FROM message WHERE key >= ? AND key < ? ORDER BY key", *bounds)
            ranges = list(runs(row_key & SEQUENCE_MASK for (row_key,) in keys))
        return QueueContent(ranges, expiries, int(size))

    def _last_timestamp(self, channel: int) -> int:
        """When the last event of a channel was stored: the next one must not be older."""
        before = key(channel + 1, 0)
        while row := self._one(LAST_EVENT, (key(channel, 0), before)):
            if event := rows.event_of(row):
                return event.timestamp
            before = row[0]
            self._set_aside("event", before)
        return 0

    def _renamed(self, id: int, name: object) -> StoredChannel | None:
        """A channel whose row is damaged, as far as what it holds tells what it was."""
        self._connection.execute("DELETE FROM channel WHERE id = ?", (id,))
        bounds = (key(id, 0), key(id + 1, 0))
        sequences = [m.sequence for m in self._sound_messages("WHERE key >= ? AND key < ?", *bounds)]
        kind = QUEUES if sequences else EVENTS_STORE
        last_timestamp = self._last_timestamp(id)
        sequences = sequences or [
            row_key & SEQUENCE_MASK
            for (row_key,) in self._all("SELECT key FROM event WHERE key >= ? AND key < ?", *bounds)
        ]
        reads = (
            f"a channel's name reads {name!r} and is damaged" if name else f"the name of channel {id} is gone"
        )
        if not sequences:
            if name:
                self._tell(str(name), 0, f"{reads}; it held nothing")
            return None
        made = StoredChannel(id, kind, f"damaged.{id}", max(sequences), last_timestamp)
        self._tell(made.name, 0, f"{reads}: what it held ({len(sequences)}) is in {made.name} ({kind})")
        insert = "INSERT INTO channel (id, kind, name, last_sequence, crc) VALUES (?, ?, ?, ?, ?)"
        self._connection.execute(insert, (*made[:4], crc_of(*made[:4])))
        return made

    def _used(self, table: str) -> Iterator[int]:
        """The ids of channels of which a table holds something, each found by one look."""
        query = f"SELECT key FROM {table} WHERE key >= ? ORDER BY key LIMIT 1"  # noqa: S608
        id = DELAYED
        while id < LAST >> SEQUENCE_BITS and (row := self._one(query, (key(id + 1, 0),))):
            id = max(id + 1, row[0] >> SEQUENCE_BITS)  # in a damaged file a search may lead back
            yield id

    def _delayed(self, channels: dict[int, StoredChannel]) -> list[Delayed]:
        where: dict[int, tuple[int, int]] = {}
        for number, due, queue, crc in self._all("SELECT number, due, queue, crc FROM delayed"):
            if crc_of(number, due, queue) == crc and queue in channels:
                where[number] = (due, queue)
        found: list[Delayed] = []
        for message in self._sound_messages("WHERE key < ?", key(DELAYED + 1, 0)):
            number = key(DELAYED, message.sequence)
            if number not in where:  # when it is due, or where it goes, is not known
                self._set_aside("message", number)
                continue
            due, queue = where[number]
            found.append(
                Delayed(message.sequence, due, message._replace(queue=queue, sequence=0, content=b""))
            )
        return found

    def _positions(self, channels: dict[int, StoredChannel]) -> list[SavePosition]:
        found: list[SavePosition] = []
        for channel, name, sequence, crc in self._all("SELECT * FROM position"):
            if crc_of(channel, name, sequence) == crc:
                found.append(SavePosition(channel, name, sequence))
                continue
            known = channels[channel].name if channel in channels else str(channel)
            self._tell(
                known, 0, f"the position of {name!r} on {known} is damaged: it reads from its own start again"
            )
        return found

    def _sound_messages(self, where: str, *values: int) -> Iterator[Message]:
        """Messages whose check sums are right; the others are set aside."""
        query = f"SELECT {MESSAGE_COLUMNS} FROM message {where}"  # noqa: S608
        damaged: list[int] = []
        for row in self._connection.execute(query, values):
            message = rows.message_of(row)
            if message is None:
                damaged.append(row[0])
            else:
                yield message
        for row_key in damaged:
            self._set_aside("message", row_key)

    def _all(self, query: str, *values: int) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, values: tuple[int, int] | tuple[int]) -> Any:
        return self._connection.execute(query, values).fetchone()
