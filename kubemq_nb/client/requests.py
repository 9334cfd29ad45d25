"""Commands and queries: send, subscribe, reply."""

import time
from dataclasses import dataclass
from typing import Literal

from kubemq_nb._wire import codec
from kubemq_nb.client import checks
from kubemq_nb.client.calls import Cancellation, PayloadStream
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.ids import new_id
from kubemq_nb.client.subscription import OnState, StateChange, Subscription
from kubemq_nb.errors import InvalidMessage
from kubemq_nb.messages import Request, Response

RequestKind = Literal["command", "query"]

GAP = "Requests are not stored: what was asked in this gap had no answer from here."


class RequestsClient:
    """The verbs of commands and queries over one channel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, request: Request) -> Response:
        """Send and wait for the answer; `executed=False` is an answer.

        Raises:
            DeadlineExceeded: No responder answered within `request.timeout` seconds (error 301).
            OutcomeUnknown: The broker did not answer, or the connection broke.
        """
        checks.check_request(request)
        what = f"the {request.kind} to {request.channel}"
        # The broker's own timeout comes first: it says that nobody answered, ours only that nothing came.
        attempt = self._connection.attempt(
            what, channel=request.channel, wait=request.timeout, effect=True, size=len(request.body)
        )
        wire = codec.encode_request(request, id=new_id())
        began = time.perf_counter()

        def work(cancellation: Cancellation) -> bytes:
            return self._connection.wait_for(self._connection.stub.send_request, wire, attempt, cancellation)

        payload = self._connection.call_by_line(
            "requests", self._connection.stub.requests_by_line, wire, attempt
        )
        if payload is None:
            payload = self._connection.run(work, kind=request.kind, channel=request.channel)
        elapsed = time.perf_counter() - began
        return codec.decode_response(payload, channel=request.channel, elapsed=elapsed)

    def subscribe(
        self,
        kind: RequestKind,
        channel: str,
        *,
        client_id: str,
        group: str = "",
        keep: int = 10_000,
        on_state: OnState | None = None,
    ) -> Subscription:
        """Take requests as a responder; live when this returns. `codec.decode_request` reads a payload."""
        checks.check_channel(channel)
        checks.check_subscriber(client_id, group, channel=channel)
        source = _Requests(self._connection, kind, channel, client_id, group)
        return Subscription(self._connection, source, keep=keep, on_state=on_state)

    def reply(self, request: Request, response: Response) -> None:
        """Answer a request that a subscription brought; id and reply channel come from the request.

        Raises:
            InvalidMessage: An executed answer to a query has neither body nor metadata.
        """
        checks.check_client_id(response.client_id, channel=request.channel)
        if request.kind == "query" and response.executed and not (response.body or response.metadata):
            raise InvalidMessage(
                f"The answer to a query on {request.channel} needs a body or metadata. Nothing was sent.",
                channel=request.channel,
            )
        attempt = self._connection.attempt(
            f"the answer on {request.channel}",
            channel=request.channel,
            effect=True,
            size=len(response.body),
        )
        wire = codec.encode_response(response, to=request)
        stub = self._connection.stub
        if self._connection.call_by_line("responses", stub.responses_by_line, wire, attempt) is None:
            self._connection.call(stub.send_response, wire, attempt)


@dataclass(frozen=True)
class _Requests:
    connection: Connection
    kind: str
    channel: str
    client_id: str
    group: str

    @property
    def what(self) -> str:
        return f"the responder on {self.channel}"

    def open(self, last: bytes | None, *, ours: bool) -> PayloadStream[list[bytes]]:  # noqa: ARG002 (requests have no position, and come alike)
        request = codec.encode_request_subscription(
            self.kind, self.channel, client_id=self.client_id, group=self.group
        )
        return self.connection.stub.subscribe_to_requests(request, metadata=self.connection.entry())

    def resumed(self, last: bytes | None) -> StateChange:  # noqa: ARG002 (the same)
        return StateChange(state="live", note=GAP)
