"""Room on the disk: sends are refused before it is full, so that receiving, acknowledging and deleting go on.

Deleting needs room too, for the log. So sends leave as much free as moving the log into the database takes,
and a file of a few megabytes is kept that is given up when somebody else has filled the disk all the same.
"""

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Operation

FILE_NAME = "broker.reserve"
RESERVE_BYTES = 8 * 1024 * 1024
PAGE_BYTES = 4096
PLENTY = 1024 * 1024 * 1024  # nothing is reckoned while so much is free
ROW_BYTES = 300  # about what a row takes beside its content

log = logging.getLogger(__name__)


class Space:
    """The room that a store has.

    Attributes:
        log_pages: So many pages the log may hold before it is moved into the database.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        status = os.statvfs(folder)
        self._size = min(RESERVE_BYTES, status.f_blocks * status.f_frsize // 8)
        self._short = False
        self.log_pages = max(16, min(1000, self._size // 2 // PAGE_BYTES))
        self._held = self._hold()

    def free(self) -> int:
        """How many bytes are free on the disk."""
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize

    def refusal(
        self, groups: Iterable[Sequence[Operation]], log_bytes: Callable[[], int], unused: Callable[[], int]
    ) -> str:
        """Why there is no room for what some plans store, or nothing.

        Args:
            groups: The plans' operations.
            log_bytes: Tells how large the log is.
            unused: Tells how many bytes of the database are free for other rows.
        """
        free = self.free()
        if free < PLENTY and (new := sum(map(size_of, chain.from_iterable(groups)))):
            there = log_bytes()
            # New rows take their place twice, in the log and in the database. The log is written over, and
            # must have the room to be moved; where rows were deleted there is room in the database.
            if free < there + 2 * new and (unused() < 2 * new or free + there < 2 * new):
                self._note(short=True)
                return self.sentence()
        self._note(short=False)
        if not self._held and free > 2 * self._size:
            self._held = self._hold()
        return ""

    def give_up(self) -> None:
        """Make some room for deleting."""
        self._held = False
        with suppress(OSError):
            self._path.unlink()
        self._note(short=True)

    def sentence(self) -> str:
        """What a sender is told."""
        return (
            f"the disk of {self._folder} is full ({self.free():,} bytes free) and nothing was stored: make "
            "room there, or receive or purge messages, and send again"
        )

    def _note(self, *, short: bool) -> None:
        """Say it once when it begins, and once when it is over."""
        if short != self._short:
            self._short = short
            if short:
                log.error("%s", self.sentence())
            else:
                log.warning("the disk of %s has room again (%d bytes)", self._folder, self.free())

    def _hold(self) -> bool:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            missing = self._size - os.fstat(file).st_size
            # Blocks, not a hole: what is only promised cannot be given up.
            if missing > 0:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file, 0, self._size)
                else:
                    os.pwrite(file, bytes(missing), self._size - missing)
        except OSError:
            self._path.unlink()
            return False
        finally:
            os.close(file)
        return True


def size_of(operation: Operation) -> int:
    """About how many bytes an operation adds to a store; nothing for those that only move or delete."""
    if isinstance(operation, plan.InsertMessages):
        return sum(len(message.content) + ROW_BYTES for message in operation.messages)
    if isinstance(operation, plan.DelayMessages):
        return sum(len(item.message.content) + ROW_BYTES for item in operation.delayed)
    if isinstance(operation, plan.InsertEvents):
        return sum(len(event.content) + ROW_BYTES for event in operation.events)
    return 0
