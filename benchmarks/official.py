"""The peer: the official SDK as its documentation shows it, and pandas by a list of dicts."""

import threading
import time
import uuid
from typing import Any

import kubemq
import pandas as pd
from kubemq.pubsub.events_store_subscription import EventStoreStartPosition

from benchmarks import load
from benchmarks.worker import timed

BATCH = 1000  # messages a call, as ours


class Side:
    """Clients of the official SDK."""

    def __init__(self, *, address: str, token: str | None, token_file: str | None) -> None:
        del token_file
        self._access = {"address": address, "auth_token": token}
        self._queues = kubemq.QueuesClient(client_id="bench", **self._access)
        self._requests = kubemq.CQClient(client_id="bench", **self._access)

    def peek(self, *, channel: str, count: int, times: int = 1) -> dict[str, Any]:
        """Look at the same messages again and again."""
        spent: dict[str, float] = {}
        with timed(spent):
            found = [
                queue_frame(self._queues.peek_queue_messages(channel, count, 1).messages)
                for _ in range(times)
            ]
        return {**spent, "checksums": [load.checksum_of_frame(frame) for frame in found]}

    def receive(self, *, channel: str, count: int, times: int) -> dict[str, Any]:
        """Take messages until none is left; the server settles them as it sends them."""
        spent: dict[str, float] = {}
        with timed(spent):
            found = [
                queue_frame(self._queues.receive_queue_messages(channel, count, 10, auto_ack=True).messages)
                for _ in range(times)
            ]
        return {**spent, "checksums": [load.checksum_of_frame(pd.concat(found))]}

    def replay(self, *, channel: str, count: int) -> dict[str, Any]:
        """Read all stored events."""
        events: list[dict[str, Any]] = []
        complete = threading.Event()

        def on_event(event: kubemq.EventStoreReceived) -> None:
            events.append(row_of_event(event))
            if len(events) == count:
                complete.set()

        client = kubemq.PubSubClient(client_id=f"bench-{uuid.uuid4().hex}", **self._access)
        subscription = kubemq.EventsStoreSubscription(
            channel=channel,
            events_store_type=EventStoreStartPosition.StartFromFirst,
            on_receive_event_callback=on_event,
            on_error_callback=lambda _: None,
        )
        cancel = kubemq.CancellationToken()
        spent: dict[str, float] = {}
        with timed(spent):
            client.subscribe_to_events_store(subscription, cancel)
            complete.wait(300)
            frame = pd.DataFrame(events)
        cancel.cancel()
        return {**spent, "checksums": [load.checksum_of_frame(frame)]}

    def send(self, *, channel: str, first: int, count: int) -> dict[str, Any]:
        """Send a frame."""
        frame = pd.DataFrame(load.columns(first, count))
        sent: list[str] = []
        spent: dict[str, float] = {}
        with timed(spent):
            messages = [
                kubemq.QueueMessage(
                    channel=channel, id=row.id, metadata=row.metadata, body=row.body, tags=row.tags
                )
                for row in frame.itertuples()
            ]
            for start in range(0, count, BATCH):
                answer = self._queues.send_queue_messages_batch(messages[start : start + BATCH])
                sent += [result.id for result in answer.results if not result.is_error]
        return {**spent, "sent": sent}

    def ask(self, *, channel: str, count: int) -> dict[str, Any]:
        """Ask one query after another."""
        asked = load.items(0, count)
        answers, times = [], []
        spent: dict[str, float] = {}
        with timed(spent):
            for item in asked:
                began = time.perf_counter()
                query = kubemq.QueryMessage(
                    channel=channel,
                    body=item.body,
                    metadata=item.metadata,
                    tags=item.tags,
                    timeout_in_seconds=5,
                )
                answer = self._requests.send_query(query)
                times.append(time.perf_counter() - began)
                answers.append(answer.body)
        return {**spent, "times": times, "right": answers == [item.body for item in asked]}


def queue_frame(messages: list[Any]) -> pd.DataFrame:
    """A frame by a list of dicts."""
    return pd.DataFrame(
        [
            {
                "id": message.id,
                "channel": message.channel,
                "metadata": message.metadata,
                "body": message.body,
                "tags": message.tags,
                "client_id": message.from_client_id,
                "timestamp": message.timestamp,
                "sequence": message.sequence,
                "receive_count": message.receive_count,
                "rerouted": message.is_re_routed,
                "rerouted_from": message.re_route_from_queue,
                "expiration_at": message.expired_at,
                "delayed_to": message.delayed_to,
            }
            for message in messages
        ]
    )


def row_of_event(event: kubemq.EventStoreReceived) -> dict[str, Any]:
    """One row of the list of dicts."""
    return {
        "id": event.id,
        "channel": event.channel,
        "metadata": event.metadata,
        "body": event.body,
        "tags": event.tags,
        "client_id": event.from_client_id,
        "timestamp": event.timestamp,
        "sequence": event.sequence,
    }
