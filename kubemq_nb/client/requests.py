"""Commands and queries: send, subscribe, reply."""

from typing import Literal

from kubemq_nb.client.channel import Channel
from kubemq_nb.client.subscription import OnState, Subscription
from kubemq_nb.messages import Request, Response


class RequestsClient:
    """The verbs of commands and queries over one channel."""

    def __init__(self, channel: Channel) -> None:
        raise NotImplementedError

    def send(self, request: Request) -> Response:
        """Send and wait for the answer; `executed=False` is an answer.

        Raises:
            DeadlineExceeded: No responder answered within `request.timeout` seconds (error 301).
        """
        raise NotImplementedError

    def subscribe(
        self,
        kind: Literal["command", "query"],
        channel: str,
        *,
        client_id: str,
        group: str = "",
        keep: int = 10_000,
        on_state: OnState | None = None,
    ) -> Subscription:
        """Take requests as a responder; live when this returns. `_wire.codec.decode_request` reads a payload."""
        raise NotImplementedError

    def reply(self, request: Request, response: Response) -> None:
        """Answer a request that a subscription brought; id and reply channel come from the request.

        Raises:
            InvalidMessage: An answer to a query that is executed and has neither body nor metadata nor error.
        """
        raise NotImplementedError
