"""How many commits a store has acknowledged, noted outside the database.

A log that was cut, deleted or damaged at its end looks to SQLite like one that was never longer. The mark
knows better. It is written after each commit and never flushed, so whatever the disk kept of it was durable
before: it may be behind the database after a power loss, and is ahead of it only when acknowledged commits
are missing.
"""

import os
import struct
from contextlib import suppress
from pathlib import Path
from zlib import crc32

SUFFIX = "-mark"
_form = struct.Struct("<QL")


class Mark:
    """The mark of one database.

    Attributes:
        commits: The highest number noted, None when there is none that can be read.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + SUFFIX)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self.commits = read(path)

    def set(self, commits: int) -> None:
        """Note how many commits there are now."""
        self.commits = commits
        number = commits.to_bytes(8, "little")
        with suppress(OSError):  # a mark that is behind tells less, and never anything wrong
            os.pwrite(self._file, _form.pack(commits, crc32(number)), 0)

    def close(self) -> None:
        """Leave it as it is."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def read(path: Path) -> int | None:
    """The number in a mark, None when it holds none."""
    found = path.read_bytes()
    if len(found) != _form.size:
        return None
    commits, crc = _form.unpack(found)
    return int(commits) if crc32(found[:8]) == crc else None
