"""A store that keeps everything in memory and refuses what SQLite's refuses: what engine tests stand on."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Content, Delayed, Message, Operation, QueueContent, StoredEvent, runs
from kubemq_nb.broker.storage.base import StoreError

EVERYTHING = ("_channels", "_last", "_messages", "_held", "_delayed", "_events", "_positions")


class MemoryStore:
    """A store without a disk; it holds what it is given until it is dropped."""

    def __init__(self) -> None:
        self.commits = 0
        self._channels: dict[int, plan.AddChannel] = {}
        self._last: dict[int, int] = {}
        self._messages: dict[tuple[int, int], Message] = {}
        self._held: set[tuple[int, int]] = set()
        self._delayed: dict[int, Delayed] = {}
        self._events: dict[tuple[int, int], StoredEvent] = {}
        self._positions: dict[tuple[int, str], int] = {}

    def load(self) -> Content:
        """What it holds, without bodies."""
        queues = {queue for queue, _ in self._messages}
        return Content(
            channels=[
                plan.StoredChannel(
                    *channel[:3], self._last.get(channel.id, 0), self._last_timestamp(channel.id)
                )
                for channel in self._channels.values()
            ],
            queues={queue: self._load_queue(plan.LoadQueue(queue)) for queue in queues},
            held=[self._messages[place]._replace(content=b"") for place in sorted(self._held)],
            delayed=[
                item._replace(message=item.message._replace(content=b"")) for item in self._delayed.values()
            ],
            positions=[plan.SavePosition(*key, at) for key, at in self._positions.items()],
        )

    def apply(self, groups: Sequence[Sequence[Operation]]) -> list[list[Any]]:
        """Carry out all groups, or none."""
        before = {name: getattr(self, name).copy() for name in EVERYTHING}
        try:
            results = [[self._verbs[type(done)](self, done) for done in group] for group in groups]
        except StoreError:
            vars(self).update(before)
            raise
        self.commits += 1
        return results

    def messages(self) -> list[Message]:
        """All messages that are in queues."""
        return list(self._messages.values())

    def close(self) -> None:
        """Nothing is left to do."""

    def _last_timestamp(self, channel: int) -> int:
        events = self._events_of(channel)
        return events[-1].timestamp if events else 0

    def _events_of(self, channel: int) -> list[StoredEvent]:
        return [event for place, event in sorted(self._events.items()) if place[0] == channel]

    def _add(self, table: dict[Any, Any], key: Any, row: Any) -> None:
        if key in table:
            raise StoreError(f"UNIQUE: {row} takes the place {key}, which is taken")
        table[key] = row

    def _numbered(self, channel: int, sequence: int) -> None:
        self._last[channel] = max(self._last.get(channel, 0), sequence)

    def _add_channel(self, operation: plan.AddChannel) -> None:
        self._channels.setdefault(operation.id, operation)
        self._numbered(operation.id, operation.last_sequence)

    def _remove_channel(self, operation: plan.RemoveChannel) -> None:
        id = operation.id
        self._channels.pop(id, None)
        self._last.pop(id, None)
        self._events = {place: event for place, event in self._events.items() if place[0] != id}
        self._messages = {place: m for place, m in self._messages.items() if place[0] != id}
        self._held = {place for place in self._held if place[0] != id}
        self._delayed = {n: item for n, item in self._delayed.items() if item.message.queue != id}
        self._positions = {key: at for key, at in self._positions.items() if key[0] != id}

    def _insert_messages(self, operation: plan.InsertMessages) -> None:
        for message in operation.messages:
            self._add(self._messages, (message.queue, message.sequence), message)
            self._numbered(message.queue, message.sequence)

    def _return_messages(self, operation: plan.ReturnMessages) -> None:
        for message in operation.messages:
            self._messages.setdefault((message.queue, message.sequence), message)
            self._numbered(message.queue, message.sequence)

    def _delay_messages(self, operation: plan.DelayMessages) -> None:
        for item in operation.delayed:
            self._add(self._delayed, item.number, item)

    def _find_delayed(self, operation: plan.FindDelayed) -> list[int]:
        return [number for number in operation.numbers if number in self._delayed]

    def _release_delayed(self, operation: plan.ReleaseDelayed) -> int | None:
        item = self._delayed.pop(operation.number, None)
        return None if item is None else self._place(item.message, operation.message)

    def _read_messages(
        self, operation: plan.ReadMessages | plan.LookAtMessages | plan.TakeMessages
    ) -> list[Message]:
        places = [(operation.queue, sequence) for sequence in sorted(operation.sequences)]
        found: list[Message] = []
        budget = operation.budget
        for message in (self._messages[place] for place in places if place in self._messages):
            budget -= len(message.content) + plan.ENVELOPE_BYTES
            if budget < 0 and found:
                break
            found.append(message)
        return found

    def _take_messages(self, operation: plan.TakeMessages) -> list[Message]:
        found = self._read_messages(operation)
        self._delete(operation.queue, list(runs(message.sequence for message in found)))
        return found

    def _hold_message(self, operation: plan.HoldMessage) -> list[Message]:
        self._held.add((operation.queue, operation.sequence))
        return self._read_messages(plan.ReadMessages(operation.queue, [operation.sequence]))

    def _delete_messages(self, operation: plan.DeleteMessages) -> int:
        return self._delete(operation.queue, operation.ranges)

    def _delete(self, queue: int, ranges: Sequence[tuple[int, int]]) -> int:
        places = [(queue, sequence) for start, stop in ranges for sequence in range(start, stop)]
        self._held.difference_update(places)
        deleted = [self._messages.pop(place) for place in places if place in self._messages]
        return sum(len(message.content) for message in deleted)

    def _move_message(self, operation: plan.MoveMessage) -> int | None:
        place = (operation.queue, operation.sequence)
        self._held.discard(place)
        old = self._messages.pop(place, None)
        return None if old is None else self._place(old, operation.message)

    def _place(self, old: Message, message: Message) -> int:
        self._insert_messages(plan.InsertMessages([message._replace(content=old.content, md5=old.md5)]))
        return len(old.content)

    def _insert_events(self, operation: plan.InsertEvents) -> None:
        for event in operation.events:
            self._add(self._events, (operation.channel, event.sequence), event)
        self._numbered(operation.channel, operation.events[-1].sequence)

    def _read_events(self, operation: plan.ReadEvents) -> list[StoredEvent]:
        wanted = [
            event for event in self._events_of(operation.channel) if event.sequence >= operation.sequence
        ]
        found: list[StoredEvent] = []
        budget = operation.budget
        for event in wanted[: operation.limit]:
            budget -= len(event.content)
            if budget < 0 and found:
                break
            found.append(event)
        return found

    def _find_event(self, operation: plan.FindEvent) -> int | None:
        events = self._events_of(operation.channel)
        return next((e.sequence for e in events if e.timestamp >= operation.timestamp), None)

    def _save_position(self, operation: plan.SavePosition) -> None:
        self._positions[operation.channel, operation.name] = operation.sequence

    def _load_queue(self, operation: plan.LoadQueue) -> QueueContent:
        held = {s: m for (queue, s), m in sorted(self._messages.items()) if queue == operation.queue}
        return QueueContent(
            ranges=list(runs(held)),
            expiries={sequence: m.expires_at for sequence, m in held.items() if m.expires_at},
            bytes=sum(len(message.content) for message in held.values()),
        )

    _verbs: ClassVar[dict[type[Any], Callable[..., Any]]] = {
        plan.AddChannel: _add_channel,
        plan.RemoveChannel: _remove_channel,
        plan.InsertMessages: _insert_messages,
        plan.ReturnMessages: _return_messages,
        plan.DelayMessages: _delay_messages,
        plan.FindDelayed: _find_delayed,
        plan.ReleaseDelayed: _release_delayed,
        plan.ReadMessages: _read_messages,
        plan.LookAtMessages: _read_messages,
        plan.TakeMessages: _take_messages,
        plan.HoldMessage: _hold_message,
        plan.DeleteMessages: _delete_messages,
        plan.MoveMessage: _move_message,
        plan.InsertEvents: _insert_events,
        plan.ReadEvents: _read_events,
        plan.FindEvent: _find_event,
        plan.SavePosition: _save_position,
        plan.LoadQueue: _load_queue,
    }
