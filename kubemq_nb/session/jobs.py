"""Jobs: what a session does in the background, and how to see and stop it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

State = Literal["waiting", "live", "paused", "reconnecting", "not connected", "stopped"]
"""What a view shows of a feed or responder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """All that a view needs to know of a feed or responder, taken at one moment."""

    state: State
    received: int  # since it began
    held: int  # rows in the ring
    dropped: int  # rows that fell out of the ring, and events that the client had to drop
    errors: int  # of the handler and of the subscription
    reconnects: int
    rate: float  # a second, over the last few seconds
    rates: tuple[float, ...]  # one figure a second, oldest first, at most 60
    note: str  # what is wrong and what happens next; "" when all is well
    as_of: datetime
    seconds_since_change: float


class Job(Protocol):
    """What runs in the background of a session: a feed, a responder or an open transaction."""

    id: int
    kind: str
    channel: str
    connection: str  # name of its session
    code: str  # the line that made it

    @property
    def since(self) -> datetime:
        """When it began."""
        ...

    def stop(self) -> None:
        """End it; safe to call again."""
        ...
