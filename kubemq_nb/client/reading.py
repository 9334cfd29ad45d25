"""What is asked of one bounded read of an events store, and what it brought."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kubemq_nb.messages import StartPosition

End = Literal["sequence", "time", "count", "timeout", "idle", "empty", "size"]

PROGRESS_EVERY = 1000  # payloads
PART = 5000  # payloads that are handed to a sink at once,
PART_BYTES = 4_000_000  # fewer where they are so large
MOST_BYTES = 2**28  # of payloads that a read without a sink keeps

Sink = Callable[[list[bytes]], None]
"""Takes the payloads of a replay in parts, in order, so that they need not fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a bounded read of an events store brought."""

    payloads: list[bytes]  # empty when a sink took them
    complete: bool  # it holds all from `start` to the asked end
    end: End  # what ended it
    last: int  # sequence of the last stored event when the replay began; 0: the channel is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is asked of one replay; see EventsStoreClient.replay."""

    channel: str
    start: StartPosition
    to: int | datetime | None = None
    count: int | None = None
    timeout: float | None = None
    idle: float = 1.0
    client_id: str = ""
    group: str = ""
    progress: Callable[[int], None] | None = None
    sink: Sink | None = None

    def __post_init__(self) -> None:
        if self.start.kind == "new" and self.count is None and self.timeout is None:
            raise ValueError("a bounded read of what is new needs a count or a timeout")
        if isinstance(self.to, datetime) and self.to.tzinfo is None:
            raise ValueError(f"an end needs a zone: {self.to.isoformat()} has none")

    def is_full(self, kept: int) -> bool:
        """Whether so many bytes are all that this read keeps; a sink takes any number."""
        return self.sink is None and kept >= MOST_BYTES

    @property
    def remembered(self) -> bool:
        """Whether the server's position rules, and not `start`."""
        return bool(self.client_id or self.group)
