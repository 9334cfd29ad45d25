"""The official SDK 4.x, as far as a message each way needs it."""

import threading
from collections.abc import Callable

import kubemq
from kubemq.pubsub import EventStoreStartPosition


class Theirs:
    """One client of each pattern of the official SDK."""

    def __init__(self, address: str, token: str) -> None:
        self._queues = kubemq.QueuesClient(address=address, client_id="theirs-queues", auth_token=token)
        self._pubsub = kubemq.PubSubClient(address=address, client_id="theirs-pubsub", auth_token=token)
        self._requests = kubemq.CQClient(address=address, client_id="theirs-requests", auth_token=token)
        self._cancel = kubemq.CancellationToken()

    def send_queue(self, channel: str, **message: object) -> None:
        result = self._queues.send_queue_message(kubemq.QueueMessage(channel=channel, **message))
        assert not result.is_error, result.error

    def receive_queue(self, channel: str) -> object:
        answer = self._queues.receive_queue_messages(channel, max_messages=1, wait_timeout_in_seconds=5)
        (message,) = answer.messages
        message.ack()
        return message

    def send_event(self, channel: str, **message: object) -> None:
        self._pubsub.publish_event(kubemq.EventMessage(channel=channel, **message))

    def send_stored(self, channel: str, **message: object) -> None:
        result = self._pubsub.send_event_store(kubemq.EventStoreMessage(channel=channel, **message))
        assert result.sent, result.error

    def on_event(self, channel: str, handler: Callable[[object], None]) -> None:
        subscription = kubemq.EventsSubscription(channel=channel, on_receive_event_callback=handler)
        self._pubsub.subscribe_to_events(subscription, self._cancel)

    def on_stored(self, channel: str, handler: Callable[[object], None]) -> None:
        subscription = kubemq.EventsStoreSubscription(
            channel=channel,
            on_receive_event_callback=handler,
            events_store_type=EventStoreStartPosition.StartFromFirst,
        )
        self._pubsub.subscribe_to_events_store(subscription, self._cancel)

    def command(self, channel: str, **message: object) -> object:
        return self._requests.send_command(
            kubemq.CommandMessage(channel=channel, timeout_in_seconds=10, **message)
        )

    def query(self, channel: str, **message: object) -> object:
        return self._requests.send_query(
            kubemq.QueryMessage(channel=channel, timeout_in_seconds=10, **message)
        )

    def answer_commands(self, channel: str) -> None:
        def answer(command: object) -> None:
            response = kubemq.CommandResponse(command_received=command, is_executed=True)
            self._requests.send_response_message(response)

        subscription = kubemq.CommandsSubscription(channel=channel, on_receive_command_callback=answer)
        self._requests.subscribe_to_commands(subscription, self._cancel)

    def answer_queries(self, channel: str) -> None:
        def answer(query: object) -> None:
            response = kubemq.QueryResponse(
                query_received=query,
                is_executed=True,
                body=b"answer to " + query.body,
                metadata=query.metadata,
            )
            self._requests.send_response_message(response)

        subscription = kubemq.QueriesSubscription(channel=channel, on_receive_query_callback=answer)
        self._requests.subscribe_to_queries(subscription, self._cancel)

    def close(self) -> None:
        self._cancel.cancel()
        for client in (self._queues, self._pubsub, self._requests):
            threading.Thread(target=client.close, daemon=True).start()
