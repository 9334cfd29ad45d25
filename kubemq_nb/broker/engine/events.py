"""Live events: handed to whoever listens now, kept by nobody."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import Clock
from kubemq_nb.broker.engine.groups import Subscribers
from kubemq_nb.broker.engine.traffic import Traffics

BUFFER_BYTES = 64 * 1024 * 1024  # what one slow subscriber may keep the broker from forgetting
BATCH_BYTES = 1_000_000

log = logging.getLogger(__name__)


class Outgoing(NamedTuple):
    """An event as its sender gives it."""

    id: str
    client_id: str
    channel: str
    empty: bool  # neither metadata nor body
    stored: bool
    content: bytes  # wire form of what subscribers get, but for sequence and time
    error: str = ""  # why it could not even be read


class Refused(Exception):
    """A subscription or request that the rules refuse; its text is the one on the wire."""


class Subscription:
    """What one subscriber has not read yet. Full, it drops what comes, and says so in the log."""

    def __init__(self, channel: str, group: str, wake: Callable[[], None]) -> None:
        self.channel = channel
        self.group = group
        self._dropped = 0  # since the broker said so
        self._is_told = False
        self._wake = wake
        self._waiting: deque[bytes] = deque()
        self._bytes = 0

    def put(self, content: bytes) -> None:
        """Give the subscriber something to read."""
        if self._bytes + len(content) > BUFFER_BYTES and self._waiting:
            if not self._is_told:
                self._is_told = True
                log.warning("a slow subscriber of %s loses events", self.channel)
            self._dropped += 1
            return
        self._waiting.append(content)
        self._bytes += len(content)
        self._wake()

    def take(self) -> bytes | None:
        """What comes next, or None when nothing waits."""
        if not self._waiting:
            return None
        content = self._waiting.popleft()
        self._bytes -= len(content)
        return content

    def take_many(self, most: int) -> list[bytes]:
        """What comes next, at most so many and no more bytes than one batch has; empty when nothing waits."""
        batch = batch_of(self._waiting, most)
        self._bytes -= sum(map(len, batch))
        return batch

    def missed(self) -> int:
        """How many were dropped since this was asked last; what waits is from before them."""
        missed, self._dropped = self._dropped, 0
        return missed


def batch_of(waiting: deque[bytes], most: int) -> list[bytes]:
    """Take the first of what waits: at most so many, and 1 MB of them, but one that is larger alone."""
    batch: list[bytes] = []
    size = 0
    while waiting and len(batch) < most and (not batch or size + len(waiting[0]) <= BATCH_BYTES):
        batch.append(waiting.popleft())
        size += len(batch[-1])
    return batch


def event_error(event: Outgoing) -> str:
    """The text of the first rule that an event breaks, or nothing; in the order of the real server."""
    if event.error or not event.client_id:
        return event.error or rules.text(101)
    number = rules.channel_error(event.channel)
    if number is None and event.empty:
        number = 110
    return rules.text(number) if number else ""


def subscribed(
    client_id: str, channel: str, group: str, start: int, wake: Callable[[], None]
) -> Subscription:
    """A subscription to live events or requests, or Refused; in the order of the real server.

    `start` is the position in a store, which must not be given.
    """
    number = 101 if not client_id else rules.channel_error(channel, wildcards=True)
    if number or start:
        raise Refused(rules.text(number or 118))
    # These two come from what carries both on the real server.
    if channel.startswith(".") or ".." in channel:
        raise Refused("nats: invalid subject")
    if rules.has_white_space(group):
        raise Refused("nats: invalid queue name")
    return Subscription(channel, group, wake)


class Events:
    """Everybody who listens to live events.

    Attributes:
        traffic: What went through each channel.
    """

    def __init__(self, clock: Clock) -> None:
        self.traffic = Traffics(clock)
        self._subscribers: Subscribers[Subscription] = Subscribers()

    def send(self, event: Outgoing) -> None:
        """Hand an event, which breaks no rule, to those who listen."""
        chosen = self._subscribers.chosen(event.channel)
        for subscription in chosen:
            subscription.put(event.content)
        self.traffic.count(event.channel, len(event.content), len(chosen))

    def subscribe(
        self, client_id: str, channel: str, group: str, start: int, wake: Callable[[], None]
    ) -> Subscription:
        """Listen from now on; `start` is the position in a store, which must not be given."""
        subscription = subscribed(client_id, channel, group, start, wake)
        self._subscribers.add(channel, group, subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Listen no longer."""
        self._subscribers.remove(subscription.channel, subscription.group, subscription)

    def channels(self) -> Iterator[str]:
        """The channels that somebody listens to by their name."""
        return self._subscribers.channels()

    def listeners(self, channel: str) -> int:
        """How many listen to a channel."""
        return self._subscribers.count(channel)
