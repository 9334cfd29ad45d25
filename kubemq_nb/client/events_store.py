"""Stored events: send, send_stream, subscribe, bounded replay."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kubemq_nb.client.channel import Channel
from kubemq_nb.client.subscription import OnState, Subscription
from kubemq_nb.messages import Event, SendResult, StartPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a bounded read of an events store brought."""

    payloads: list[bytes]
    complete: bool  # it holds all from `start` to the asked end
    end: Literal["sequence", "time", "count", "timeout", "idle", "empty"]  # what ended it
    last: int  # sequence of the last stored event when the replay began; 0: the channel is empty


class EventsStoreClient:
    """The verbs of stored events over one channel."""

    def __init__(self, channel: Channel) -> None:
        raise NotImplementedError

    def send(self, event: Event) -> SendResult:
        """Store one event."""
        raise NotImplementedError

    def send_stream(
        self, events: Iterable[Event], *, progress: Callable[[int], None] | None = None
    ) -> list[SendResult]:
        """Store many over one stream, in order, each acknowledged: one result an event."""
        raise NotImplementedError

    def subscribe(
        self,
        channel: str,
        *,
        start: StartPosition,
        client_id: str = "",
        group: str = "",
        keep: int = 10_000,
        on_state: OnState | None = None,
    ) -> Subscription:
        """Read from `start` and go on with what comes; live when this returns.

        Without `client_id` and `group` it has a fresh id, so `start` counts, and after an outage it goes on after
        the last sequence. With either, the server remembers the position under that name and rules.
        """
        raise NotImplementedError

    def last(self, channel: str, *, idle: float = 1.0) -> bytes | None:
        """The last stored event; None when none comes within `idle` seconds: the channel is empty."""
        raise NotImplementedError

    def replay(
        self,
        channel: str,
        *,
        start: StartPosition,
        to: int | datetime | None = None,
        count: int | None = None,
        timeout: float | None = None,
        idle: float = 1.0,
        client_id: str = "",
        group: str = "",
        progress: Callable[[int], None] | None = None,
    ) -> Replay:
        """Read from `start` to the last event stored by now, or to an earlier sequence or time (both included)."""
        raise NotImplementedError
