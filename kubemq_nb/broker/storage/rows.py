"""Rows of the tables: their keys, their check sums, and the records they stand for."""

import struct
from zlib import crc32

from kubemq_nb.broker.engine.plan import Message, StoredEvent

SEQUENCE_BITS = 40  # a thousand billion messages a channel, eight million channels
SEQUENCE_MASK = (1 << SEQUENCE_BITS) - 1
DELAYED = 0  # the channel under which delayed messages wait

MESSAGE_COLUMNS = (
    "key, content, md5, timestamp, expires_at, expiration, receive_count, max_receive_count,"
    " dead_letter, rerouted_from, crc"
)
MessageRow = tuple[int, bytes, bytes, int, int, int, int, int, str, str, int]
EventRow = tuple[int, int, bytes, int]

_pack = struct.Struct("<qqqiii").pack


def key(channel: int, sequence: int) -> int:
    """The number under which a row is found."""
    return channel << SEQUENCE_BITS | sequence


# Every message passes the next three on its way in and out. To take tuples apart is half of what names take,
# and a fifth less than slices; the constructor of a named tuple would take three times as long.


def _message_crc(
    row_key: int,
    content: bytes,
    md5: bytes,
    timestamp: int,
    expires_at: int,
    expiration: int,
    count: int,
    most: int,
    dead_letter: str,
    source: str,
) -> int:
    sum = crc32(_pack(row_key, timestamp, expires_at, expiration, count, most))
    if dead_letter or source:
        sum = crc32(f"{dead_letter}\0{source}".encode(), sum)
    return crc32(content, crc32(md5, sum))


def message_row(message: Message, *, row_key: int | None = None) -> MessageRow:
    """The row of a message, under its own key or another one."""
    queue, sequence, content, md5, timestamp, expires_at, expiration, count, most, dead, source = message
    if row_key is None:
        row_key = queue << SEQUENCE_BITS | sequence
    crc = _message_crc(row_key, content, md5, timestamp, expires_at, expiration, count, most, dead, source)
    return (row_key, content, md5, timestamp, expires_at, expiration, count, most, dead, source, crc)


def message_of(row: MessageRow) -> Message | None:
    """The message of a row, or None when the row is damaged."""
    row_key, content, md5, timestamp, expires_at, expiration, count, most, dead, source, crc = row
    try:
        sound = crc == _message_crc(
            row_key, content, md5, timestamp, expires_at, expiration, count, most, dead, source
        )
    except (TypeError, ValueError, struct.error):  # a flipped type byte makes text of a number
        return None
    queue, sequence = row_key >> SEQUENCE_BITS, row_key & SEQUENCE_MASK
    fields = queue, sequence, content, md5, timestamp, expires_at, expiration, count, most, dead, source
    return tuple.__new__(Message, fields) if sound else None


def event_row(channel: int, event: StoredEvent) -> EventRow:
    """The row of an event."""
    row_key = key(channel, event.sequence)
    return (row_key, event.timestamp, event.content, _event_crc(row_key, event.timestamp, event.content))


def event_of(row: EventRow) -> StoredEvent | None:
    """The event of a row, or None when the row is damaged."""
    row_key, timestamp, content, crc = row
    try:
        sound = _event_crc(row_key, timestamp, content) == crc
    except (TypeError, struct.error):  # as above
        return None
    return StoredEvent(row_key & SEQUENCE_MASK, timestamp, content) if sound else None


def _event_crc(row_key: int, timestamp: int, content: bytes) -> int:
    return crc32(content, crc32(_pack(row_key, timestamp, 0, 0, 0, 0)))


def crc_of(*values: int | str) -> int:
    """The check sum of a row that is a few numbers and names."""
    return crc32(repr(values).encode())
