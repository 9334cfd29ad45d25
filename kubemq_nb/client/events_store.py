"""Stored events: send, send_stream, subscribe, bounded replay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubemq_nb._wire import codec
from kubemq_nb.client import checks, replays
from kubemq_nb.client.calls import PayloadStream
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.event_stream import Progress, send_stream
from kubemq_nb.client.events import send_event, send_rows
from kubemq_nb.client.ids import fresh_client_id
from kubemq_nb.client.outgoing import Rows
from kubemq_nb.client.reading import Reading, Replay, Sink
from kubemq_nb.client.results import Results
from kubemq_nb.client.subscription import OnState, StateChange, Subscription
from kubemq_nb.messages import Event, SendResult, StartPosition

__all__ = ["EventsStoreClient", "Replay"]


class EventsStoreClient:
    """The verbs of stored events over one channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, event: Event) -> SendResult:
        """Store one event. Refusal raises RequestRejected."""
        return send_event(self._connection, event, store=True)

    def send_stream(self, events: Iterable[Event], *, progress: Progress | None = None) -> list[SendResult]:
        """Store many over one stream, in order, each acknowledged: one result an event."""
        return send_stream(self._connection, events, store=True, progress=progress)

    def send_rows(
        self, common: Event, columns: Mapping[str, Sequence[Any]], *, progress: Progress | None = None
    ) -> Results:
        """Store many that are columns, each completed by `common`, in order; our broker takes batches."""
        return send_rows(self._connection, Rows(common, columns), progress=progress)

    def subscribe(
        self,
        channel: str,
        *,
        start: StartPosition,
        client_id: str = "",
        group: str = "",
        keep: int = 10_000,
        patient: bool = False,
        on_state: OnState | None = None,
    ) -> Subscription:
        """Read from `start` and go on with what comes; live when this returns.

        Without `client_id` and `group` it has a fresh id, so `start` counts, and after an outage it goes on
        after the last sequence. With either, the server remembers the position under that name and rules.
        `patient` drops nothing for a slow reader: the server waits.
        """
        checks.check_channel(channel)
        checks.check_subscriber(client_id or fresh_client_id(), group, channel=channel, store=True)
        source = _StoredEvents(self._connection, channel, start, client_id, group)
        return Subscription(self._connection, source, keep=keep, patient=patient, on_state=on_state)

    def last(self, channel: str, *, idle: float = 1.0) -> bytes | None:
        """The last stored event; None when none comes within `idle` seconds: the channel is empty."""
        checks.check_channel(channel)
        return replays.last(self._connection, channel, idle=idle)

    def ends(self, channel: str) -> tuple[int, int] | None:
        """First and last sequence that are stored, zeros for none; None where a server does not tell."""
        checks.check_channel(channel)
        return replays.ends(self._connection, channel)

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
        progress: Progress | None = None,
        sink: Sink | None = None,
    ) -> Replay:
        """Read from `start` to the last event stored by now, or to an earlier sequence or time, inclusive.

        `idle` (seconds) only decides that a channel is empty, or that the position remembered under
        `client_id` or `group` has nothing more. `start` new has no end of its own and needs `count` or
        `timeout`. A `sink` takes the payloads in parts, in another thread; the replay has none then. Without
        one it ends when it has 256 MiB of them.

        Raises:
            ValueError: `start` is new, without `count` and `timeout`; or `to` has no zone.
        """
        checks.check_channel(channel)
        checks.check_subscriber(client_id or fresh_client_id(), group, channel=channel, store=True)
        checks.check_count(channel, count)
        reading = Reading(
            channel=channel,
            start=start,
            to=to,
            count=count,
            timeout=timeout,
            idle=idle,
            client_id=client_id,
            group=group,
            progress=progress,
            sink=sink,
        )
        return replays.replay(self._connection, reading)


@dataclass(frozen=True)
class _StoredEvents:
    connection: Connection
    channel: str
    start: StartPosition
    client_id: str
    group: str

    kind = "events_store"

    @property
    def what(self) -> str:
        return f"the subscription to {self.channel}"

    def open(self, last: bytes | None, *, ours: bool) -> PayloadStream[list[bytes]]:
        request = codec.encode_store_subscription(
            self.channel,
            client_id=self.client_id or fresh_client_id(),
            group=self.group,
            start=self._start(last),
        )
        stub = self.connection.stub
        # Members of a group share by the event, each by its own speed.
        batches = ours and not self.group
        method = stub.subscribe_to_events_in_batches if batches else stub.subscribe_to_events
        return method(request, metadata=self.connection.entry())

    def resumed(self, last: bytes | None) -> StateChange:
        if self.client_id or self.group:
            note = (
                "The server goes on from the position that it remembers; what was on its way may be skipped."
            )
            return StateChange(state="live", note=note)
        if last is None:
            return StateChange(state="live", note="Nothing had come before.")
        sequence, _ = codec.event_position(last)
        note = f"The stream continues after sequence {sequence:,}."
        return StateChange(state="live", note=note, after=sequence)

    def _start(self, last: bytes | None) -> StartPosition:
        """After an outage a fresh id goes on behind the last; a position of the server's own rules anyway."""
        if last is None or self.client_id or self.group:
            return self.start
        sequence, _ = codec.event_position(last)
        return StartPosition.at_sequence(sequence + 1)
