"""Live events: send, send_stream, subscribe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemq_nb._wire import codec, status
from kubemq_nb.client import batches, checks
from kubemq_nb.client.calls import PayloadStream
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.event_stream import Progress, send_stream
from kubemq_nb.client.ids import new_id
from kubemq_nb.client.outgoing import Rows
from kubemq_nb.client.results import Results
from kubemq_nb.client.subscription import OnState, StateChange, Subscription
from kubemq_nb.errors import NotSupported
from kubemq_nb.messages import Event, SendResult

GAP = "Events are not stored: what was sent in this gap is not here."


class EventsClient:
    """The verbs of live events over one channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, event: Event) -> SendResult:
        """Send one event; nobody need listen. Refusal raises RequestRejected."""
        return send_event(self._connection, event, store=False)

    def send_stream(self, events: Iterable[Event], *, progress: Progress | None = None) -> list[SendResult]:
        """Send many over one stream; one result an event, in order. The broker answers failures only."""
        return send_stream(self._connection, events, store=False, progress=progress)

    def send_rows(
        self, common: Event, columns: Mapping[str, Sequence[Any]], *, progress: Progress | None = None
    ) -> Results:
        """The same of events in columns, each completed by `common`; our broker takes them in batches."""
        return send_rows(self._connection, Rows(common, columns, store=False), progress=progress)

    def subscribe(
        self,
        channel: str,
        *,
        client_id: str,
        group: str = "",
        keep: int = 10_000,
        on_state: OnState | None = None,
    ) -> Subscription:
        """Listen, wildcards allowed; live when this returns. `on_state` is called from the reader thread."""
        checks.check_channel(channel, wildcards=True)
        checks.check_subscriber(client_id, group, channel=channel)
        source = _LiveEvents(self._connection, channel, client_id, group)
        return Subscription(self._connection, source, keep=keep, on_state=on_state)


def send_rows(connection: Connection, rows: Rows, *, progress: Progress | None) -> Results:
    """Send many events that are columns, in order; one result an event.

    Our broker takes them in batches, as a turn for each event of a stream costs both sides ten times as
    much; another one gets the stream.
    """
    if connection.has_batches:
        try:
            return batches.send(connection, rows, of="events", progress=progress)
        except NotSupported:
            connection.has_batches = False
    return Results.of(send_stream(connection, rows.single(), store=rows.store, progress=progress))


def send_event(connection: Connection, event: Event, *, store: bool) -> SendResult:
    """Send one event, live or to be stored."""
    checks.check_event(event)
    what, size = f"the send to {event.channel}", len(event.body)
    attempt = connection.attempt(what, channel=event.channel, effect=True, size=size)
    wire = codec.encode_event(event, store=store, id=new_id())
    answer = connection.call(connection.stub.send_event, wire, attempt)
    if not answer.Sent:
        raise status.refusal(answer.Error, attempt)
    return codec.decode_event_result(answer, channel=event.channel)


@dataclass(frozen=True)
class _LiveEvents:
    connection: Connection
    channel: str
    client_id: str
    group: str

    kind = "events"

    @property
    def what(self) -> str:
        return f"the subscription to {self.channel}"

    def open(self, last: bytes | None, *, ours: bool) -> PayloadStream[list[bytes]]:  # noqa: ARG002 (live events know no position)
        request = codec.encode_events_subscription(self.channel, client_id=self.client_id, group=self.group)
        stub = self.connection.stub
        method = stub.subscribe_to_events_in_batches if ours else stub.subscribe_to_events
        return method(request, metadata=self.connection.entry())

    def resumed(self, last: bytes | None) -> StateChange:  # noqa: ARG002 (the same)
        return StateChange(state="live", note=GAP)
