"""Telling of damage: nothing that was lost, or set aside, goes by in silence."""

import json
import logging
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

FILE_NAME = "damage.jsonl"  # one line for each damage, read by whoever uses the store
PRIVATE = 0o600

log = logging.getLogger(__name__)


class Damage(NamedTuple):
    """What was found damaged.

    Attributes:
        channel: Its channel, "" when it concerns the whole store.
        sequence: Which message or event of that channel, 0 when it is none.
        what: One sentence: what is wrong, what became of it, and where the original is.
    """

    channel: str
    sequence: int
    what: str


class DamageLog:
    """Says what was found damaged: in the log, and in a file of the store's folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def tell(self, damage: Damage) -> None:
        """Say it; a disk on which that cannot be written has it in the log alone."""
        log.error("%s", damage.what)
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **damage._asdict()})
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError), os.fdopen(os.open(self._path, flags, PRIVATE), "ab") as file:
            file.write(b"\n" * is_torn(file.fileno()) + f"{line}\n".encode())


def is_torn(descriptor: int) -> bool:
    """Whether a file ends in half a line, as a full disk leaves it."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def aside(path: Path) -> Path:
    """Where the damaged original of a file is kept; a name that nothing has yet."""
    stem = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    place = path.with_name(stem)
    number = 1
    while place.exists():
        number += 1
        place = path.with_name(f"{stem}-{number}")
    return place


def keep(path: Path) -> Path:
    """Keep a copy of a damaged file beside it; returns where."""
    place = aside(path)
    shutil.copy2(path, place)
    return place
