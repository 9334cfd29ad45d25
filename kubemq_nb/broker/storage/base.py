"""The port between the committing thread and whatever keeps the data."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from kubemq_nb.broker.engine.plan import Content, Operation


class Undecided(NamedTuple):
    """A commit that failed, and may be on the disk all the same."""

    number: int  # of the commit; a store that was opened anew and has so many has this one
    results: list[list[Any]]  # of its groups, if it is there


class StoreError(Exception):
    """Nothing of a group was stored, unless it is undecided.

    Attributes:
        broken: Whether the store has to be opened anew before it is used again.
        undecided: What is only known then.
    """

    def __init__(self, message: str, *, broken: bool = False, undecided: Undecided | None = None) -> None:
        super().__init__(message)
        self.broken = broken
        self.undecided = undecided


class Store(Protocol):
    """Carries out operations; used by one thread only.

    Attributes:
        commits: How many commits there were since the store was made.
    """

    commits: int

    def load(self) -> Content:
        """Read what the store holds, without bodies."""

    def apply(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        """Carry out all groups durably and give their results, or raise StoreError having done none."""

    def close(self) -> None:
        """Leave the data in order; the store is not used after that."""
