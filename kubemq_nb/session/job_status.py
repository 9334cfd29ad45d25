"""What a view needs to know of a feed or responder."""

from dataclasses import dataclass
from datetime import datetime

from kubemq_nb.session.jobs import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A connection that was lost and is to be made again."""

    since: datetime
    attempt: int  #: how often that was tried
    next_at: datetime  #: when it is tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """All that a view needs to know of a feed or responder, taken at one moment."""

    state: State
    received: int  #: since it began
    held: int  #: rows in the ring
    dropped: int  #: rows that fell out of the ring, and those that never got in because it came too fast
    errors: int  #: of the handler and of the subscription
    reconnects: int
    rate: float  #: a second, over the last few seconds
    rates: tuple[float, ...]  #: one figure a second, oldest first, at most 60
    note: str  #: what is or went wrong, and what happens next; "" when all was well
    as_of: datetime
    seconds_since_change: float
    answered: int = 0  #: requests that were executed
    refused: int = 0  #: requests that were refused
    unanswered: int = 0  #: requests that had no answer in time
    outage: Outage | None = None  #: while it reconnects
