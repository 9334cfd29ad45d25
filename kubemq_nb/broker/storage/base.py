"""The port between the committing thread and whatever keeps the data."""

from collections.abc import Sequence
from typing import Any, Protocol

from kubemq_nb.broker.engine.plan import Content, Operation


class StoreError(Exception):
    """Nothing of a group was stored.

    Attributes:
        broken: Whether the store has to be opened anew before it is used again.
    """

    def __init__(self, message: str, *, broken: bool = False) -> None:
        super().__init__(message)
        self.broken = broken


class Store(Protocol):
    """Carries out operations; used by one thread only."""

    def load(self) -> Content:
        """Read what the store holds, without bodies."""

    def apply(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        """Carry out all groups durably and give their results, or raise StoreError having done none."""

    def close(self) -> None:
        """Leave the data in order; the store is not used after that."""
