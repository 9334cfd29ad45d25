"""The official Python SDK 4.x, stepped by a test."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import count

import kubemq
import steps
from kubemq.pubsub.events_store_subscription import EventStoreStartPosition

POLICY = {
    "expiration": "expiration_in_seconds",
    "delay": "delay_in_seconds",
    "max_receive_count": "max_receive_count",
    "dead_letter": "max_receive_queue",
}
ASKING = {"cache_ttl": "cache_ttl_in_seconds"}
STARTS = {
    "new": EventStoreStartPosition.StartFromNew,
    "first": EventStoreStartPosition.StartFromFirst,
    "last": EventStoreStartPosition.StartFromLast,
    "sequence": EventStoreStartPosition.StartAtSequence,
    "time": EventStoreStartPosition.StartAtTime,
    "ago": EventStoreStartPosition.StartAtTimeDelta,
}


class Client:
    """Clients of all patterns, one SDK client for each client id that a test names."""

    def __init__(
        self,
        *,
        address: str,
        token: str | None,
        client_id: str,
        tell: steps.Tell,
        tls: dict[str, str] | None = None,
    ) -> None:
        access: dict[str, object] = {"address": address, "auth_token": token}
        if tls:
            access |= {"tls": True} | {f"tls_{name}_file": file for name, file in tls.items()}
        # The SDK tries just once, after this time, to reach a broker that has gone, or never sends again.
        self._queues = kubemq.QueuesClient(client_id=client_id, reconnect_interval_seconds=4, **access)
        self._requests = kubemq.CQClient(client_id=client_id, **access)
        self._pubsub = cache(lambda name: kubemq.PubSubClient(client_id=name or client_id, **access))
        self._tell = tell
        self._subscriptions: dict[int, kubemq.CancellationToken] = {}
        self._held: dict[int, kubemq.QueuesPollResponse] = {}
        self._numbers = count(1)

    def ping(self) -> dict[str, object]:
        info = self._requests.ping()
        return {"host": info.host, "version": info.version}

    def send_queue(self, **message: object) -> dict[str, object]:
        return sent(self._queues.send_queue_message(queue_message(**message)))

    def send_batch(self, *, messages: list[dict[str, object]]) -> list[dict[str, object]]:
        batch = [queue_message(**message) for message in messages]
        return [sent(result) for result in self._queues.send_queue_messages_batch(batch)]

    def receive(self, *, channel: str, count: int, wait: int) -> list[dict[str, object]]:
        return [queued(message) for message in self._queues.pull(channel, count, wait).messages]

    def peek(self, *, channel: str, count: int, wait: int) -> list[dict[str, object]]:
        return [
            queued(message) for message in self._queues.peek_queue_messages(channel, count, wait).messages
        ]

    def ack_all(self, *, channel: str, wait: int) -> int:
        return self._queues.ack_all_queue_messages(channel, wait)

    def hold(self, *, channel: str, wait: int, count: int = 1, auto_ack: bool = False) -> dict[str, object]:
        poll = self._queues.receive_queue_messages(channel, count, wait, auto_ack)
        if poll.is_error:
            raise RuntimeError(poll.error)
        number = next(self._numbers)
        self._held[number] = poll
        return {"held": number, "messages": [queued(message) for message in poll.messages]}

    def settle(self, *, held: int, how: str, sequence: int | None = None, to: str | None = None) -> None:
        """Settle all messages of a transaction, or the one with the sequence."""
        poll = self._held[held]
        if sequence is None:
            name = {
                "ack": "ack_all",
                "reject": "reject_all",
                "requeue": "re_queue_all",
                "close": "close_transaction",
            }
            settle = getattr(poll, name[how])
        else:
            (message,) = (message for message in poll.messages if message.sequence == sequence)
            settle = getattr(message, {"ack": "ack", "reject": "nack", "requeue": "re_queue"}[how])
        settle(*([to] if to else []))

    def send_event(self, **message: object) -> None:
        self._pubsub(None).send_event(kubemq.EventMessage(**filled(message)))

    def send_stored(self, **message: object) -> dict[str, object]:
        result = self._pubsub(None).send_event_store(kubemq.EventStoreMessage(**filled(message)))
        return {"id": result.id, "sent": result.sent, "error": result.error}

    def stream_events(self, *, store: bool, messages: list[dict[str, object]]) -> list[dict[str, object]]:
        """What the server said to each; to plain events it says nothing."""
        if store:
            return [self.send_stored(**message) for message in messages]
        for message in messages:
            self._pubsub(None).publish_event(kubemq.EventMessage(**filled(message)))
        return []

    def subscribe_events(
        self, *, subscription: int, channel: str, group: str = "", client_id: str | None = None
    ) -> None:
        self._pubsub(client_id).subscribe_to_events(
            kubemq.EventsSubscription(
                channel=channel,
                group=group,
                on_receive_event_callback=lambda event: self._tell(subscription, pushed(event)),
                on_error_callback=self._failed(subscription),
            ),
            self._cancellation(subscription),
        )

    def subscribe_stored(
        self,
        *,
        subscription: int,
        channel: str,
        start: str,
        value: float = 0,
        group: str = "",
        client_id: str | None = None,
    ) -> None:
        where = {
            "sequence": {"events_store_sequence_value": value},
            "time": {"events_store_start_time": datetime.fromtimestamp(value)},  # noqa: DTZ006  (the SDK's own)
            "ago": {"events_store_time_delta_seconds": value},
        }
        self._pubsub(client_id).subscribe_to_events_store(
            kubemq.EventsStoreSubscription(
                channel=channel,
                group=group,
                events_store_type=STARTS[start],
                on_receive_event_callback=lambda event: self._tell(
                    subscription, pushed(event) | {"sequence": event.sequence}
                ),
                on_error_callback=self._failed(subscription),
                **where.get(start, {}),
            ),
            self._cancellation(subscription),
        )

    def unsubscribe(self, *, subscription: int) -> None:
        self._subscriptions.pop(subscription).cancel()

    def ask(self, *, kind: str, timeout: int, **message: object) -> dict[str, object]:
        fields = filled({ASKING.get(name, name): value for name, value in message.items()})
        fields["timeout_in_seconds"] = timeout
        if kind == "commands":
            answer = self._requests.send_command(kubemq.CommandMessage(**fields))
        else:
            answer = self._requests.send_query(kubemq.QueryMessage(**fields))
        return {
            "request_id": answer.request_id,
            "client_id": answer.client_id,
            "executed": answer.is_executed,
            "error": answer.error,
            "metadata": answer.metadata,
            "body": answer.body,
            "tags": answer.tags,
            "cache_hit": getattr(answer, "cache_hit", None),
        }

    def respond(
        self, *, subscription: int, kind: str, channel: str, reply: dict[str, object], group: str = ""
    ) -> None:
        """Give every request the same answer, and tell the test of it."""
        commands = kind == "commands"
        response = kubemq.CommandResponse if commands else kubemq.QueryResponse
        received = "command_received" if commands else "query_received"
        fields = {"is_executed" if name == "executed" else name: value for name, value in reply.items()}

        def answer(request: kubemq.CommandReceived | kubemq.QueryReceived) -> None:
            self._tell(subscription, pushed(request) | {"client_id": request.from_client_id})
            self._requests.send_response_message(response(**{received: request}, **fields))

        where = {"channel": channel, "group": group, "on_error_callback": self._failed(subscription)}
        cancel = self._cancellation(subscription)
        if commands:
            listen = kubemq.CommandsSubscription(on_receive_command_callback=answer, **where)
            self._requests.subscribe_to_commands(listen, cancel)
        else:
            listen = kubemq.QueriesSubscription(on_receive_query_callback=answer, **where)
            self._requests.subscribe_to_queries(listen, cancel)

    def create_channel(self, *, kind: str, channel: str) -> bool | None:
        return getattr(self._of(kind), f"create_{kind}_channel")(channel)

    def delete_channel(self, *, kind: str, channel: str) -> bool | None:
        return getattr(self._of(kind), f"delete_{kind}_channel")(channel)

    def list_channels(self, *, kind: str, search: str) -> list[dict[str, object]]:
        return [
            {
                "name": channel.name,
                "type": channel.type,
                "is_active": channel.is_active,
                "incoming": vars(channel.incoming),
                "outgoing": vars(channel.outgoing),
            }
            for channel in getattr(self._of(kind), f"list_{kind}_channels")(search)
        ]

    def _of(self, kind: str) -> object:
        """The client of the SDK that manages the channels of a kind."""
        clients = {"queues": self._queues, "commands": self._requests, "queries": self._requests}
        return clients.get(kind) or self._pubsub(None)

    def _cancellation(self, subscription: int) -> kubemq.CancellationToken:
        return self._subscriptions.setdefault(subscription, kubemq.CancellationToken())

    def _failed(self, subscription: int) -> Callable[[str], None]:
        return lambda text: self._tell(subscription, {"error": text})


def filled(message: dict[str, object]) -> dict[str, object]:
    """The fields that the test has given; the SDK fills the others."""
    return {name: value for name, value in message.items() if value is not None}


def queue_message(**message: object) -> kubemq.QueueMessage:
    return kubemq.QueueMessage(**{POLICY.get(name, name): value for name, value in filled(message).items()})


def sent(result: kubemq.QueueSendResult) -> dict[str, object]:
    return {
        "id": result.id,
        "error": result.error or "",
        "expiration_at": result.expired_at.timestamp() if result.expired_at else 0,
        "delayed_to": result.delayed_to.timestamp() if result.delayed_to else 0,
    }


def pushed(message: object) -> dict[str, object]:
    """What every pattern carries."""
    return {
        "id": message.id,
        "channel": message.channel,
        "metadata": message.metadata,
        "body": message.body,
        "tags": message.tags,
    }


def queued(message: object) -> dict[str, object]:
    return pushed(message) | {
        "client_id": message.from_client_id,
        "sequence": message.sequence,
        "receive_count": message.receive_count,
        "rerouted_from": message.re_route_from_queue,
    }


if __name__ == "__main__":
    steps.serve(Client)
