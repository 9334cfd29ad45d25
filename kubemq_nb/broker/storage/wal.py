"""What SQLite did not read of a write-ahead log, and whether that means damage.

SQLite reads a log up to the first frame whose check sum is wrong, and takes that for its end. After a crash
it is: a transaction that was under way leaves some frames, perhaps torn, and nothing after its last one,
because each commit is flushed before the next begins. A frame that follows a finished transaction nobody
could read is therefore proof of damage.
"""

import os
import struct
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct(">8L")  # magic, version, page size, number, two salts, two check sums
FRAME = struct.Struct(">6L")  # page, size of the database after a commit, two salts, two check sums
MAGIC = 0x377F0682  # the last bit says in which byte order check sums are made
MASK = 0xFFFFFFFF


class Tail(NamedTuple):
    """What is left unread in a log.

    Attributes:
        frames: How many frames of this log are behind the last one that was read.
        damaged: Whether that cannot be the trace of one transaction that was under way.
    """

    frames: int
    damaged: bool


def unread(path: Path, read: int) -> Tail:
    """What is behind the first `read` frames of a log, which SQLite could read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Tail(0, damaged=False)
    try:
        return _unread(file, read)
    finally:
        os.close(file)


def _unread(file: int, read: int) -> Tail:
    size = os.fstat(file).st_size
    start = os.pread(file, HEADER.size, 0)
    if len(start) < HEADER.size or not any(start):
        return Tail(0, damaged=False)
    header = HEADER.unpack(start)
    page_size, salts = header[2], header[4:6]
    if not is_sound(start):  # flushed before the first frame: no crash does that
        return Tail(size // (4096 + FRAME.size), damaged=True)
    left = after_end = 0
    ended = False
    for place in range(HEADER.size + read * (page_size + FRAME.size), size, page_size + FRAME.size):
        piece = os.pread(file, FRAME.size, place)
        if len(piece) < FRAME.size:
            break
        frame = FRAME.unpack(piece)
        # One salt is enough: frames of earlier logs differ in both, a damaged one in one.
        if frame[2] == salts[0] or frame[3] == salts[1]:
            left += 1
            after_end += ended
            ended = ended or frame[1] != 0
    return Tail(left, damaged=after_end > 0)


def is_sound(header: bytes) -> bool:
    """Whether the first bytes of a log are as SQLite wrote them."""
    magic = int.from_bytes(header[:4], "big")
    if magic & ~1 != MAGIC:
        return False
    numbers = struct.unpack(">6L" if magic & 1 else "<6L", header[:24])
    first = second = 0
    for even, odd in zip(numbers[::2], numbers[1::2], strict=True):
        first = (first + even + second) & MASK
        second = (second + odd + first) & MASK
    return (first, second) == struct.unpack(">2L", header[24:32])
