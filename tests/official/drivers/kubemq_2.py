"""The official Python SDK 2.x, stepped by a test."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import count

import steps
from kubemq.commandquery.lowlevel.initiator import Initiator
from kubemq.commandquery.lowlevel.request import Request
from kubemq.commandquery.request_type import RequestType
from kubemq.commandquery.responder import Responder
from kubemq.commandquery.response import Response
from kubemq.events.lowlevel.event import Event
from kubemq.events.lowlevel.sender import Sender
from kubemq.events.subscriber import Subscriber
from kubemq.grpc import QueueMessagePolicy
from kubemq.queue.message import Message
from kubemq.queue.message_queue import MessageQueue
from kubemq.queue.transaction import Transaction
from kubemq.subscription.events_store_type import EventsStoreType
from kubemq.subscription.subscribe_request import SubscribeRequest
from kubemq.subscription.subscribe_type import SubscribeType

POLICY = {
    "expiration": "ExpirationSeconds",
    "delay": "DelaySeconds",
    "max_receive_count": "MaxReceiveCount",
    "dead_letter": "MaxReceiveQueue",
}
STARTS = {
    "new": EventsStoreType.StartNewOnly,
    "first": EventsStoreType.StartFromFirst,
    "last": EventsStoreType.StartFromLast,
    "sequence": EventsStoreType.StartAtSequence,
    "time": EventsStoreType.StartAtTime,
    "ago": EventsStoreType.StartAtTimeDelta,
}
REQUESTS = {
    "commands": (RequestType.Command, SubscribeType.Commands),
    "queries": (RequestType.Query, SubscribeType.Queries),
}
ASKED_EVERY = 0.05  # seconds


class Cancellation:
    """The SDK asks in a busy loop whether it is cancelled; so the question takes a moment."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.wait(ASKED_EVERY)

    def cancel(self) -> None:
        self._cancelled.set()


class Client:
    """Clients of all patterns."""

    def __init__(
        self,
        *,
        address: str,
        token: str | None,
        client_id: str,
        tell: steps.Tell,
        tls: dict[str, str] | None = None,
    ) -> None:
        if tls:  # the SDK shows no certificate of its own
            os.environ["KUBEMQCERTIFICATEFILE"] = tls["ca"]
        self._access = (address, token)
        self._client_id = client_id
        self._sender = Sender(*self._access)
        self._initiator = Initiator(*self._access)
        self._tell = tell
        self._subscriptions: dict[int, Cancellation] = {}
        self._held: dict[int, Transaction] = {}
        self._numbers = count(1)
        self._queue = cache(self._make_queue)

    def ping(self) -> dict[str, object]:
        info = self._sender.ping()
        return {"host": info.Host, "version": info.Version}

    def _make_queue(self, channel: str, wait: int = 1) -> MessageQueue:
        address, token = self._access
        return MessageQueue(channel, self._client_id, address, 32, wait, token)

    def send_queue(self, *, channel: str, **message: object) -> dict[str, object]:
        return sent(self._queue(channel).send_queue_message(queue_message(channel=channel, **message)))

    def send_batch(self, *, messages: list[dict[str, object]]) -> list[dict[str, object]]:
        queue = self._queue(messages[0]["channel"])
        batch = queue.send_queue_messages_batch([queue_message(**message) for message in messages])
        return [sent(result) for result in batch.convert_to_send_message_result(batch.result)]

    def receive(self, *, channel: str, count: int, wait: int) -> list[dict[str, object]]:
        return received(self._queue(channel, wait).receive_queue_messages(count))

    def peek(self, *, channel: str, count: int, wait: int) -> list[dict[str, object]]:
        return received(self._queue(channel, wait).peek_queue_message(count))

    def ack_all(self, *, channel: str, wait: int) -> int:
        answer = self._queue(channel, wait).ack_all_queue_messages()
        if answer.is_error:
            raise RuntimeError(answer.error)
        return answer.affected_messages or 0

    def hold(self, *, channel: str, wait: int, visibility: int = 30) -> dict[str, object]:
        transaction = Transaction(self._make_queue(channel))
        answer = transaction.receive(visibility, wait)
        if answer.is_error:
            raise RuntimeError(answer.error)
        number = next(self._numbers)
        self._held[number] = transaction
        return {"held": number, "messages": [queued(answer.message)]}

    def settle(
        self,
        *,
        held: int,
        how: str,
        sequence: int | None = None,
        to: str | None = None,
        visibility: int = 0,
        message: dict[str, object] | None = None,
    ) -> None:
        transaction = self._held[held]
        ways: dict[str, Callable[[], object]] = {
            "ack": lambda: transaction.ack_message(sequence),
            "reject": lambda: transaction.rejected_message(sequence),
            "extend": lambda: transaction.extend_visibility(visibility),
            "resend": lambda: transaction.resend(to),
            "modify": lambda: transaction.modify(queue_message(**message)),
            "close": transaction.close_stream,
        }
        answer = ways[how]()
        if getattr(answer, "is_error", False):
            raise RuntimeError(answer.error)

    def send_event(self, **message: object) -> None:
        result = self._sender.send_event(self._event(store=False, **message))
        if not result.sent:
            raise RuntimeError(result.error)

    def send_stored(self, **message: object) -> dict[str, object]:
        return result_of(self._sender.send_event(self._event(store=True, **message)))

    def stream_events(self, *, store: bool, messages: list[dict[str, object]]) -> list[dict[str, object]]:
        """What the server said to each; to plain events it says nothing."""
        results: list[dict[str, object]] = []
        events = [self._event(store=store, **message) for message in messages]
        self._sender.stream_event(events, lambda result: results.append(result_of(result)))
        return results

    def _event(self, *, id: str | None = None, **message: object) -> Event:
        return Event(client_id=self._client_id, event_id=id, **message)

    def subscribe_events(
        self, *, subscription: int, channel: str, group: str = "", client_id: str | None = None
    ) -> None:
        request = SubscribeRequest(
            SubscribeType.Events, client_id or self._client_id, channel, EventsStoreType.Undefined, 0, group
        )
        self._subscribe(subscription, request, pushed)

    def subscribe_stored(
        self,
        *,
        subscription: int,
        channel: str,
        start: str,
        value: int = 0,
        group: str = "",
        client_id: str | None = None,
    ) -> None:
        request = SubscribeRequest(
            SubscribeType.EventsStore, client_id or self._client_id, channel, STARTS[start], value, group
        )
        self._subscribe(subscription, request, lambda event: pushed(event) | {"sequence": event.sequence})

    def _subscribe(
        self, subscription: int, request: SubscribeRequest, plain: Callable[[object], dict[str, object]]
    ) -> None:
        Subscriber(*self._access).subscribe_to_events(
            request,
            lambda event: self._tell(subscription, plain(event)),
            self._failed(subscription),
            self._cancellation(subscription),
        )

    def unsubscribe(self, *, subscription: int) -> None:
        self._subscriptions.pop(subscription).cancel()

    def ask(
        self,
        *,
        kind: str,
        timeout: int,
        id: str | None = None,
        cache_key: str = "",
        cache_ttl: int = 0,
        **message: object,
    ) -> dict[str, object]:
        answer = self._initiator.send_request(
            Request(
                request_id=id,
                request_type=REQUESTS[kind][0],
                client_id=self._client_id,
                timeout=timeout * 1000,
                cache_key=cache_key,
                cache_ttl=cache_ttl,
                **message,
            )
        )
        return {
            "request_id": answer.request_id,
            "client_id": answer.client_id,
            "executed": answer.executed,
            "error": answer.error,
            "metadata": answer.metadata,
            "body": answer.body,
            "tags": dict(answer.tags),
            "cache_hit": answer.cache_hit,
        }

    def respond(
        self, *, subscription: int, kind: str, channel: str, reply: dict[str, object], group: str = ""
    ) -> None:
        """Give every request the same answer, and tell the test of it."""

        def answer(request: object) -> Response:
            self._tell(subscription, pushed(request) | {"client_id": request.client_id})
            response = Response(request)
            blank = {
                "metadata": "",
                "body": b"",
                "error": "",
                "cache_hit": False,
                "client_id": self._client_id,
            }
            vars(response).update(blank | reply, timestamp=datetime.now(UTC).replace(tzinfo=None))
            return response

        request = SubscribeRequest(
            REQUESTS[kind][1], self._client_id, channel, EventsStoreType.Undefined, 0, group
        )
        Responder(*self._access).subscribe_to_requests(
            request, answer, self._failed(subscription), self._cancellation(subscription)
        )

    def _cancellation(self, subscription: int) -> Cancellation:
        return self._subscriptions.setdefault(subscription, Cancellation())

    def _failed(self, subscription: int) -> Callable[[str], None]:
        return lambda text: self._tell(subscription, {"error": text})


def queue_message(*, id: str | None = None, channel: str, **message: object) -> Message:
    policy = {POLICY[name]: message.pop(name) for name in list(message) if name in POLICY}
    return Message(message_id=id, queue=channel, policy=QueueMessagePolicy(**policy), **message)


def sent(result: object) -> dict[str, object]:
    return {
        "id": result.message_id,
        "error": result.error,
        "expiration_at": result.expiration_at / 1e9,
        "delayed_to": result.delayed_to / 1e9,
    }


def result_of(result: object) -> dict[str, object]:
    return {"id": result.event_id, "sent": result.sent, "error": result.error}


def received(answer: object) -> list[dict[str, object]]:
    if answer.is_error:
        raise RuntimeError(answer.error)
    return [queued(message) for message in answer.messages]


def queued(message: object) -> dict[str, object]:
    """A queue message as the SDK hands it out: its stub's own."""
    return {
        "id": message.MessageID,
        "channel": message.Channel,
        "metadata": message.Metadata,
        "body": message.Body,
        "tags": dict(message.Tags),
        "client_id": message.ClientID,
        "sequence": message.Attributes.Sequence,
        "receive_count": message.Attributes.ReceiveCount,
        "rerouted_from": message.Attributes.ReRoutedFromQueue,
    }


def pushed(message: object) -> dict[str, object]:
    """What every pattern carries."""
    return {
        "id": getattr(message, "event_id", None) or message.request_id,
        "channel": message.channel,
        "metadata": message.metadata,
        "body": message.body,
        "tags": dict(message.tags),
    }


if __name__ == "__main__":
    steps.serve(Client)
