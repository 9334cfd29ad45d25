"""What queues and logs have in common: a store that knows them, and numbers that never go back."""

from kubemq_nb.broker.engine.plan import AddChannel, Operation


class Channel:
    """One stored channel; one that nothing was sent to yet is one too.

    A channel that is deleted keeps its id and counts on. So whatever was given out before (a message that
    somebody holds, the place of a reader, a plan under way) never means something that is sent later.

    Attributes:
        stored: Whether the store knows it.
        last_sequence: The last number given out.
        removed: The last number that was given out before the channel was deleted.
        removals: How many plans that delete it are under way.
    """

    def __init__(self, id: int, kind: str, name: str) -> None:
        self.id = id
        self.kind = kind
        self.name = name
        self.stored = False
        self.last_sequence = 0
        self.removed = 0
        self.removals = 0

    def addition(self) -> AddChannel:
        """What makes the store know the channel."""
        return AddChannel(self.id, self.kind, self.name, self.last_sequence)

    def channel_operations(self) -> list[Operation]:
        """The same, if the store does not know it yet, or not for long."""
        return [] if self.stored and not self.removals else [self.addition()]

    def mark_stored(self, _: object = None) -> None:
        """The store knows the channel now."""
        self.stored = True

    def clear(self, removed: int) -> None:
        """Be empty: the channel was deleted when `removed` was the last number given out."""
        self.removed = removed
        self.stored = False
