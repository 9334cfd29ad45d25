"""One queue with defaults of its own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubemq_nb.messages import Body, Duration, SendResult

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.queues import Queues
    from kubemq_nb.session.transactions import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue, with the client id, count and wait that its verbs use unless a call says otherwise."""

    queues: "Queues"
    channel: str
    client_id: str | None = None  # None: the session's
    count: int = 32
    wait: Duration = 1.0  # seconds

    def send(self, body: Body = None, **options: Any) -> "SendResult | DataFrame":
        """Send one message, or many with `rows`; options as of `queues.send`."""
        return self.queues.send(self.channel, body, **{"client_id": self.client_id, **options})

    def peek(self, **options: Any) -> "DataFrame":
        """Look at the first messages; options as of `queues.peek`."""
        return self.queues.peek(self.channel, **self._reading(options))

    def receive(self, **options: Any) -> "DataFrame":
        """Take the first messages out; options as of `queues.receive`."""
        return self.queues.receive(self.channel, **self._reading(options))

    def ack_all(self, *, client_id: str | None = None) -> int:
        """Remove all waiting messages and tell how many."""
        return self.queues.ack_all(self.channel, client_id=client_id or self.client_id)

    def transaction(self, **options: Any) -> "Transaction":
        """Hold messages until they are settled; options as of `queues.transaction`."""
        return self.queues.transaction(self.channel, **{"client_id": self.client_id, **options})

    def _reading(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"client_id": self.client_id, "count": self.count, "wait": self.wait, **options}
