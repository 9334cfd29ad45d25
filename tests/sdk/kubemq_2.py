"""The official SDK 2.x, as far as a message each way needs it."""

from collections.abc import Callable
from datetime import UTC, datetime

from kubemq.commandquery.lowlevel.initiator import Initiator
from kubemq.commandquery.lowlevel.request import Request
from kubemq.commandquery.request_type import RequestType
from kubemq.commandquery.responder import Responder
from kubemq.commandquery.response import Response
from kubemq.events.lowlevel.event import Event
from kubemq.events.lowlevel.sender import Sender
from kubemq.events.subscriber import Subscriber
from kubemq.queue.message import Message
from kubemq.queue.message_queue import MessageQueue
from kubemq.subscription.events_store_type import EventsStoreType
from kubemq.subscription.subscribe_request import SubscribeRequest
from kubemq.subscription.subscribe_type import SubscribeType
from kubemq.tools.listener_cancellation_token import ListenerCancellationToken


class Theirs:
    """One client of each pattern of the official SDK."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._token = token
        self._sender = Sender(address, token)
        self._initiator = Initiator(address, token)
        self._cancel = ListenerCancellationToken()

    def _queue(self, channel: str) -> MessageQueue:
        return MessageQueue(channel, "theirs-queues", self._address, 1, 5, self._token)

    def send_queue(self, channel: str, **message: object) -> None:
        result = self._queue(channel).send_queue_message(Message(**message))
        assert not result.is_error, result.error

    def receive_queue(self, channel: str) -> object:
        transaction = self._queue(channel).create_transaction()
        answer = transaction.receive(visibility_seconds=10, wait_time_seconds=5)
        assert not answer.is_error, answer.error
        transaction.ack_message(answer.message.Attributes.Sequence)
        return Message(answer.message, tags=dict(answer.message.Tags))

    def _event(self, channel: str, *, store: bool, **message: object) -> None:
        result = self._sender.send_event(Event(channel, "theirs-pubsub", store=store, **message))
        assert result.sent, result.error

    def send_event(self, channel: str, **message: object) -> None:
        self._event(channel, store=False, **message)

    def send_stored(self, channel: str, **message: object) -> None:
        self._event(channel, store=True, **message)

    def _subscribe(self, kind: SubscribeType, channel: str, start: EventsStoreType) -> SubscribeRequest:
        return SubscribeRequest(kind, f"theirs-{kind.value}", channel, start, 0)

    def on_event(self, channel: str, handler: Callable[[object], None]) -> None:
        request = self._subscribe(SubscribeType.Events, channel, EventsStoreType.Undefined)
        self._listen(Subscriber(self._address, self._token).subscribe_to_events, request, handler)

    def on_stored(self, channel: str, handler: Callable[[object], None]) -> None:
        request = self._subscribe(SubscribeType.EventsStore, channel, EventsStoreType.StartFromFirst)
        self._listen(Subscriber(self._address, self._token).subscribe_to_events, request, handler)

    def _listen(self, subscribe: Callable[..., object], request: SubscribeRequest, handler: object) -> None:
        subscribe(request, handler, lambda _text: None, self._cancel)

    def _request(self, kind: RequestType, channel: str, **message: object) -> object:
        request = Request(
            request_type=kind, client_id="theirs", channel=channel, timeout=10_000, cache_ttl=0, **message
        )
        return self._initiator.send_request(request)

    def command(self, channel: str, **message: object) -> object:
        return self._request(RequestType.Command, channel, **message)

    def query(self, channel: str, **message: object) -> object:
        return self._request(RequestType.Query, channel, **message)

    def _answer(self, kind: SubscribeType, channel: str, *, body: bool) -> None:
        def answer(request: object) -> Response:
            response = Response(request)
            response.client_id, response.cache_hit, response.error = "theirs", False, ""
            response.timestamp = datetime.now(UTC).replace(tzinfo=None)
            response.executed = True
            response.metadata = request.metadata if body else ""
            response.body = b"answer to " + request.body if body else b""
            return response

        request = self._subscribe(kind, channel, EventsStoreType.Undefined)
        self._listen(Responder(self._address, self._token).subscribe_to_requests, request, answer)

    def answer_commands(self, channel: str) -> None:
        self._answer(SubscribeType.Commands, channel, body=False)

    def answer_queries(self, channel: str) -> None:
        self._answer(SubscribeType.Queries, channel, body=True)

    def close(self) -> None:
        self._cancel.cancel()
