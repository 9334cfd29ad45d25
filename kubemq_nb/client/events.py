"""Live events: send, send_stream, subscribe."""

from collections.abc import Callable, Iterable

from kubemq_nb.client.channel import Channel
from kubemq_nb.client.subscription import OnState, Subscription
from kubemq_nb.messages import Event, SendResult


class EventsClient:
    """The verbs of live events over one channel."""

    def __init__(self, channel: Channel) -> None:
        raise NotImplementedError

    def send(self, event: Event) -> SendResult:
        """Send one event; nobody need listen. Refusal raises RequestRejected."""
        raise NotImplementedError

    def send_stream(
        self, events: Iterable[Event], *, progress: Callable[[int], None] | None = None
    ) -> list[SendResult]:
        """Send many over one stream; one result an event, in order. The broker answers failures only."""
        raise NotImplementedError

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
        raise NotImplementedError
