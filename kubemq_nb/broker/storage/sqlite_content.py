"""Reading what a SQLite store holds, when a broker starts or looks at a queue again."""

import sqlite3
from itertools import groupby

from kubemq_nb.broker.engine.plan import (
    Content,
    Delayed,
    Message,
    QueueContent,
    SavePosition,
    StoredChannel,
)
from kubemq_nb.broker.storage import rows
from kubemq_nb.broker.storage.rows import DELAYED, MESSAGE_COLUMNS, SEQUENCE_BITS, SEQUENCE_MASK, key

SUMMARY = "SELECT key, expires_at, length(content) FROM message WHERE key >= ? AND key < ? ORDER BY key"
LAST = 1 << 63

Summary = tuple[int, int, int]


def load_content(connection: sqlite3.Connection) -> Content:
    """Read all but the bodies."""
    summaries = connection.execute(SUMMARY, (key(1, 0), LAST - 1))
    queues = {
        queue: _queue_content(list(part))
        for queue, part in groupby(summaries, lambda row: row[0] >> SEQUENCE_BITS)
    }
    return Content(
        channels=[StoredChannel(*row) for row in connection.execute(_CHANNELS, (rows.SEQUENCE_MASK,))],
        queues=queues,
        held=_without_content(connection, f"SELECT {MESSAGE_COLUMNS} FROM message WHERE held"),  # noqa: S608
        delayed=_delayed(connection),
        positions=[SavePosition(*row) for row in connection.execute("SELECT * FROM position")],
    )


# The time of a channel's last event: the next one must not be older.
_CHANNELS = f"""
    SELECT id, kind, name, last_sequence, coalesce(
        (SELECT timestamp FROM event
         WHERE key BETWEEN id << {SEQUENCE_BITS} AND (id << {SEQUENCE_BITS} | ?1)
         ORDER BY key DESC LIMIT 1), 0)
    FROM channel
"""  # noqa: S608


def load_queue(connection: sqlite3.Connection, queue: int) -> QueueContent:
    """Read one queue, all but the bodies."""
    return _queue_content(connection.execute(SUMMARY, (key(queue, 0), key(queue + 1, 0))).fetchall())


def _queue_content(summaries: list[Summary]) -> QueueContent:
    return QueueContent(
        ranges=rows.ranges_of(row_key & SEQUENCE_MASK for row_key, _, _ in summaries),
        expiries={row_key & SEQUENCE_MASK: expires for row_key, expires, _ in summaries if expires},
        bytes=sum(size for _, _, size in summaries),
    )


def _without_content(connection: sqlite3.Connection, query: str) -> list[Message]:
    made = (rows.message_of(row) for row in connection.execute(query))
    return [message._replace(content=b"") for message in made if message]


def _delayed(connection: sqlite3.Connection) -> list[Delayed]:
    where = dict[int, tuple[int, int]]()
    for number, due, queue in connection.execute("SELECT number, due, queue FROM delayed"):
        where[number & SEQUENCE_MASK] = (due, queue)
    query = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE key < {key(DELAYED + 1, 0)}"  # noqa: S608
    waiting = _without_content(connection, query)
    return [
        Delayed(m.sequence, where[m.sequence][0], m._replace(queue=where[m.sequence][1], sequence=0))
        for m in waiting
        if m.sequence in where
    ]
