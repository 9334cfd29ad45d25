"""Channels as things of their own: made, deleted and listed, as official clients ask of newer servers."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND, Clock
from kubemq_nb.broker.engine.durable import Log
from kubemq_nb.broker.engine.events import Events
from kubemq_nb.broker.engine.events_store import EventsStore
from kubemq_nb.broker.engine.plan import AddChannel, Commit, Content, Plan, RemoveChannel
from kubemq_nb.broker.engine.queue import Queue
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.requests import Kind, Requests
from kubemq_nb.broker.engine.sending import INVALID_NAME, is_storable

KINDS = ("queues", "events", "events_store", "commands", "queries")
STORED_KINDS = ("queues", "events_store")
REQUEST_KINDS: tuple[Kind, Kind] = ("commands", "queries")
ACTIVE_FOR = 60 * SECOND  # a channel is active so long after something happened on it

Done = Callable[[str], None]
"""Gets the empty text, or why something was not done."""

Figures = dict[str, int]


class ChannelFigures(NamedTuple):
    """What is told of one channel; the last activity in Unix seconds, 0 for none."""

    name: str
    kind: str
    last_activity: int
    active: bool
    incoming: Figures
    outgoing: Figures


class Channels:
    """All channels of all kinds. Live ones exist once they are made, used or listened to."""

    def __init__(
        self,
        clock: Clock,
        commit: Commit,
        new_channel: Callable[[], int],
        *,
        queues: Queues,
        events: Events,
        events_store: EventsStore,
        requests: Requests,
    ) -> None:
        self._clock = clock
        self._commit = commit
        self._new_channel = new_channel
        self._queues = queues
        self._events = events
        self._events_store = events_store
        self._requests = requests
        self._made: dict[tuple[str, str], int] = {}

    def restore(self, content: Content) -> None:
        """Take over what the store holds."""
        live = [channel for channel in content.channels if channel.kind not in STORED_KINDS]
        self._made = {(channel.kind, channel.name): channel.id for channel in live}

    def create(self, kind: str, name: str, done: Done) -> None:
        """Make a channel; one that exists is fine."""
        error = name_error(kind, name)
        if error:
            done(error)
            return
        known = self._stored(kind, name, make=True)
        id = known.id if known else self._made.get((kind, name)) or self._new_channel()

        def stored(_: object) -> None:
            if known is None:
                self._made[kind, name] = id
            else:
                known.mark_stored()
            done("")

        addition = known.addition() if known else AddChannel(id, kind, name)
        self._commit(Plan(operations=[addition], done=stored, failed=done))

    def delete(self, kind: str, name: str, done: Done) -> None:
        """Delete a channel with all it holds; what is held of it is gone too, and readers read on."""
        if kind not in KINDS:
            done(kind_error(kind))
            return
        if all(figures.name != name for figures in self.matching(kind, name)):
            done(f"there is no channel {name} of type {kind}")
            return
        known = self._stored(kind, name, make=False)
        if known is not None:
            self._remove(known, done)
            return

        def deleted(_: object) -> None:
            self._made.pop((kind, name), None)
            self._forget_traffic(kind, name)
            done("")

        id = self._made.get((kind, name), 0)
        self._commit(Plan(operations=[RemoveChannel(id)], done=deleted, failed=done))

    def _remove(self, known: Queue | Log, done: Done) -> None:
        """Remove a stored channel; what is sent from now on comes after that, and makes it anew."""
        known.removals += 1
        removed = known.last_sequence

        def deleted(_: object) -> None:
            known.removals -= 1
            known.clear(removed)
            if isinstance(known, Queue):
                self._queues.forget_delayed(known)
            done("")

        def failed(reason: str) -> None:
            known.removals -= 1
            done(reason)

        self._commit(Plan(operations=[RemoveChannel(known.id)], done=deleted, failed=failed))

    def matching(self, kind: str, search: str) -> list[ChannelFigures]:
        """The channels of a kind whose names hold a text, by name."""
        found = {figures.name: figures for figures in self._of(kind)}
        return [found[name] for name in sorted(found) if search in name]

    def _of(self, kind: str) -> Iterator[ChannelFigures]:
        if kind == "queues":
            yield from (self._queue(queue) for queue in self._queues if queue.stored)
        elif kind == "events_store":
            yield from (self._log(log) for log in self._events_store.logs() if log.stored)
        elif kind == "events":
            yield from self._live_events()
        else:
            for request_kind in REQUEST_KINDS:
                if kind == request_kind:
                    yield from self._live_requests(request_kind)

    def _stored(self, kind: str, name: str, *, make: bool) -> Queue | Log | None:
        if kind == "queues":
            return self._queues.get(name) if make else self._queues.find(name)
        if kind == "events_store":
            return self._events_store.get(name) if make else self._events_store.find(name)
        return None

    def _forget_traffic(self, kind: str, name: str) -> None:
        if kind == "events":
            self._events.traffic.forget(name)
        for request_kind in REQUEST_KINDS:
            if kind == request_kind:
                self._requests.traffic[request_kind].forget(name)

    def _queue(self, queue: Queue) -> ChannelFigures:
        there = len(queue.ready) + len(queue.away)
        delayed = self._queues.delayed(queue)
        incoming = {
            "messages": queue.sent(),
            "volume": queue.bytes,
            "waiting": queue.waiting(),
            "expired": queue.expired,
            "delayed": delayed,
        }
        outgoing = incoming | {"messages": queue.sent() - there, "volume": 0}
        return self._figures(
            "queues", queue.name, queue.last_activity, len(queue.waiters), incoming, outgoing
        )

    def _log(self, log: Log) -> ChannelFigures:
        incoming = {"messages": log.sent(), "volume": log.bytes}
        read = max(log.positions.values(), default=log.removed) - log.removed
        outgoing = {"messages": read, "volume": 0}
        return self._figures(
            "events_store", log.name, log.last_activity, len(log.durables), incoming, outgoing
        )

    def _live_events(self) -> Iterator[ChannelFigures]:
        traffics = self._events.traffic
        for name in {*traffics.names(), *self._events.channels(), *self._made_names("events")}:
            traffic = traffics.of(name)
            incoming = {"messages": traffic.sent, "volume": traffic.sent_bytes}
            outgoing = {"messages": traffic.delivered, "volume": traffic.delivered_bytes}
            listeners = self._events.listeners(name)
            yield self._figures("events", name, traffic.last_activity, listeners, incoming, outgoing)

    def _live_requests(self, kind: Kind) -> Iterator[ChannelFigures]:
        traffics = self._requests.traffic[kind]
        for name in {*traffics.names(), *self._requests.channels(kind), *self._made_names(kind)}:
            traffic = traffics.of(name)
            responses = {"responses": traffic.responses}
            incoming = {"messages": traffic.sent, "volume": traffic.sent_bytes} | responses
            outgoing = {"messages": traffic.delivered, "volume": traffic.delivered_bytes} | responses
            responders = self._requests.responders(kind, name)
            yield self._figures(kind, name, traffic.last_activity, responders, incoming, outgoing)

    def _made_names(self, kind: str) -> list[str]:
        return [name for made_kind, name in self._made if made_kind == kind]

    def _figures(
        self, kind: str, name: str, last_activity: int, users: int, incoming: Figures, outgoing: Figures
    ) -> ChannelFigures:
        active = users > 0 or self._clock.now() - last_activity < ACTIVE_FOR
        return ChannelFigures(name, kind, last_activity // SECOND, active, incoming, outgoing)


def kind_error(kind: str) -> str:
    """Why there are no channels of a kind, or nothing."""
    return "" if kind in KINDS else f"{kind!r} is no type of channel; there are {', '.join(KINDS)}"


def name_error(kind: str, name: str) -> str:
    """Why there can be no such channel, or nothing."""
    if kind not in KINDS:
        return kind_error(kind)
    number = rules.queue_error(name) if kind == "queues" else rules.channel_error(name)
    if number:
        return rules.text(number)
    return INVALID_NAME if kind in STORED_KINDS and not is_storable(name) else ""
