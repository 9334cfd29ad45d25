"""Stored events: a numbered log a channel, and who may read it from where."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import RETRY, SECOND, Clock
from kubemq_nb.broker.engine.durable import Durable, Log, Positions, Reader
from kubemq_nb.broker.engine.events import Outgoing, Refused, event_error
from kubemq_nb.broker.engine.plan import (
    Commit,
    Content,
    FindEvent,
    InsertEvents,
    Plan,
    ReadEvents,
    StoredEvent,
)
from kubemq_nb.broker.engine.sending import INVALID_NAME, is_storable

NEW_ONLY, FIRST, LAST, AT_SEQUENCE, AT_TIME, AT_TIME_DELTA = 1, 2, 3, 4, 5, 6
START_ERRORS = {AT_SEQUENCE: 112, AT_TIME: 113, AT_TIME_DELTA: 114}

PAGE_EVENTS = 2000  # and no more than ReadEvents has bytes for

ID_IN_USE = "stan: clientID already registered"
BAD_CLIENT_ID = "stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed"
BAD_GROUP = "stan: durable name of a durable queue subscriber can't contain the character ':'"
BAD_CHANNEL = "stan: invalid subject"


class Start(NamedTuple):
    """Who wants to read what, and from where if the store does not know the reader yet."""

    client_id: str
    channel: str
    group: str
    type: int
    value: int  # a sequence, Unix nanoseconds, or seconds back, by the type


class Page(NamedTuple):
    """Some stored events, in order."""

    events: Sequence[StoredEvent] = ()
    last: int = 0  # the last sequence that is stored
    following: int = 0  # the sequence with which the next page begins; 0: this was the last one
    error: str = ""


class EventsStore:
    """All stored channels by name.

    Args:
        stamp: Gives the wire form of time and sequence, to be appended to an event's content.
    """

    def __init__(
        self,
        clock: Clock,
        commit: Commit,
        new_channel: Callable[[], int],
        stamp: Callable[[int, int], bytes],
    ) -> None:
        self._clock = clock
        self._commit = commit
        self._new_channel = new_channel
        self._stamp = stamp
        self._positions = Positions(clock)
        self._logs: dict[str, Log] = {}
        self._live_ids: set[str] = set()

    def restore(self, content: Content) -> None:
        """Take over what the store holds."""
        by_id: dict[int, Log] = {}
        for channel in content.channels:
            if channel.kind == "events_store":
                log = by_id[channel.id] = Log(channel.id, channel.name)
                log.stored = True
                log.last_sequence = log.last = channel.last_sequence
                log.last_timestamp = channel.last_timestamp
                self._logs[channel.name] = log
        for position in content.positions:
            if position.channel in by_id:
                by_id[position.channel].positions[position.name] = position.sequence

    def logs(self) -> list[Log]:
        """All channels."""
        return list(self._logs.values())

    def get(self, name: str) -> Log:
        """The channel of this name, a new one if need be."""
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = Log(self._new_channel(), name)
        return log

    def find(self, name: str) -> Log | None:
        """The channel of this name, if there is one."""
        return self._logs.get(name)

    def send(self, event: Outgoing, reply: Callable[[str], None]) -> None:
        """Store an event, then answer with the empty text, or with why it was not stored."""
        self.send_many([event], lambda errors: reply(errors[0]))

    def send_many(self, events: Sequence[Outgoing], reply: Callable[[list[str]], None]) -> None:
        """Store events in one plan, then answer with such a text for each; bad ones stop no others."""
        errors: list[str] = []
        taken: dict[str, list[StoredEvent]] = {}
        for event in events:
            error = stored_event_error(event)
            errors.append(error)
            if not error:
                taken.setdefault(event.channel, []).append(self._number(event))
        if not taken:
            reply(errors)
            return
        batches = [(self.get(name), stored) for name, stored in taken.items()]

        def done(_: object) -> None:
            for log, stored in batches:
                log.under_way -= len(stored)
                self._arrived(log, stored)
            reply(errors)

        def failed(reason: str) -> None:
            for log, stored in batches:
                log.under_way -= len(stored)
                self._reload(log)
            reply([error or reason for error in errors])

        operations = [operation for log, _ in batches for operation in log.channel_operations()]
        operations += [InsertEvents(log.id, stored) for log, stored in batches]
        self._commit(Plan(operations=operations, done=done, failed=failed))

    def _number(self, event: Outgoing) -> StoredEvent:
        log = self.get(event.channel)
        log.last_sequence += 1
        log.under_way += 1
        # Times of one channel never go back, so that a start by time is a place in it.
        log.last_timestamp = timestamp = max(self._clock.now(), log.last_timestamp)
        content = event.content + self._stamp(timestamp, log.last_sequence)
        return StoredEvent(log.last_sequence, timestamp, content)

    def _reload(self, log: Log) -> None:
        """After a failed send: find what was stored all the same, and leave no gap in the numbers."""

        def done(results: list[list[StoredEvent]]) -> None:
            found = [stored for stored in results[0] if stored.sequence > log.last]
            if found:
                self._arrived(log, found)
                self._reload(log)  # there may be more than one page
            elif not log.under_way:
                log.last_sequence = log.last

        def failed(_: str) -> None:
            self._clock.wake_at(self._clock.now() + RETRY, lambda: self._reload(log))

        operation = ReadEvents(log.id, log.last + 1, PAGE_EVENTS)
        self._commit(Plan(operations=[operation], done=done, failed=failed))

    def _arrived(self, log: Log, stored: list[StoredEvent]) -> None:
        log.mark_stored()
        log.last = stored[-1].sequence
        log.bytes += sum(len(event.content) for event in stored)
        log.last_activity = stored[-1].timestamp
        for durable in log.durables.values():
            durable.arrived(stored)

    def subscribe(self, start: Start, wake: Callable[[], None]) -> Reader:
        """Read a channel from where this reader or its group was before, or else from `start`."""
        error = start_error(start, self._live_ids)
        if error:
            raise Refused(error)
        log = self.get(start.channel)
        name = f"group {start.group}" if start.group else f"client {start.client_id}"
        durable = log.durables.get(name)
        if durable is None:
            durable = log.durables[name] = Durable(log, name, self._clock, self._commit, self._positions)
            reader = durable.join(wake)
            self._place(log, durable, log.positions.get(name), start)
        else:
            reader = durable.join(wake)
        reader.client_id = start.client_id
        self._live_ids.add(start.client_id)
        return reader

    def unsubscribe(self, reader: Reader) -> None:
        """Read no longer; the place is remembered."""
        self._live_ids.discard(reader.client_id)
        reader.leave()

    def _place(self, log: Log, durable: Durable, position: int | None, start: Start) -> None:
        """Let a durable subscription begin; the store is asked only where time is a place."""
        if position is not None:
            durable.begin(position + 1)
        else:
            self._find(log, start, durable.begin, lambda _: self._place_later(log, durable, start))

    def _place_later(self, log: Log, durable: Durable, start: Start) -> None:
        """The store could not say where a time is: to begin anywhere else would pass events over."""
        again = partial(self._place, log, durable, None, start)
        self._clock.wake_at(self._clock.now() + RETRY, again)

    def _find(
        self, log: Log, start: Start, found: Callable[[int], None], failed: Callable[[str], None]
    ) -> None:
        """Call `found` with the sequence that a start means; behind the last one when there is none yet."""
        if start.type not in (AT_TIME, AT_TIME_DELTA):
            begin = {FIRST: 1, LAST: log.last, AT_SEQUENCE: min(start.value, log.last + 1)}
            found(begin.get(start.type, log.last + 1))
            return

        def done(results: Sequence[int | None]) -> None:
            found(results[0] or log.last + 1)

        time = start.value if start.type == AT_TIME else self._clock.now() - start.value * SECOND
        find = FindEvent(log.id, min(max(0, time), (1 << 63) - 1))
        self._commit(Plan(operations=[find], done=done, failed=failed))

    def page(self, start: Start, last: int, reply: Callable[[Page], None]) -> None:
        """Read from `start` to the sequence `last` (0: to the last one), as much as one page holds."""
        error = start_error(start, set())
        if error:
            reply(Page(error=error))
            return
        log = self._logs.get(start.channel)
        if log is None or log.last == log.removed:
            reply(Page())
            return

        def failed(reason: str) -> None:
            reply(Page(error=reason))

        def found(sequence: int) -> None:
            self._read_page(log, max(1, sequence), min(last or log.last, log.last), reply)

        self._find(log, start, found, failed)

    def _read_page(self, log: Log, first: int, last: int, reply: Callable[[Page], None]) -> None:
        stored = log.last
        if first > last:
            reply(Page(last=stored))
            return

        def done(results: list[list[StoredEvent]]) -> None:
            events = [event for event in results[0] if event.sequence <= last]
            following = events[-1].sequence + 1 if events and events[-1].sequence < last else 0
            reply(Page(events, stored, following))

        def failed(reason: str) -> None:
            reply(Page(error=reason))

        operation = ReadEvents(log.id, first, min(PAGE_EVENTS, last - first + 1))
        self._commit(Plan(operations=[operation], done=done, failed=failed))


def stored_event_error(event: Outgoing) -> str:
    """The text of the first rule that an event to be stored breaks, or nothing."""
    return event_error(event) or ("" if is_storable(event.channel) else INVALID_NAME)


def start_error(start: Start, live_ids: set[str]) -> str:
    """The text of the first rule that a subscription breaks, or nothing; in the order of the real server."""
    if not start.client_id:
        return rules.text(101)
    if not re.fullmatch("[A-Za-z0-9_-]+", start.client_id):
        return BAD_CLIENT_ID
    if start.client_id in live_ids:
        return ID_IN_USE
    number = rules.channel_error(start.channel)
    if number is None and start.type == 0:
        number = 111
    if number is None and start.value <= 0:
        number = START_ERRORS.get(start.type)
    if number:
        return rules.text(number)
    if ":" in start.group:
        return BAD_GROUP
    return "" if is_storable(start.channel) else BAD_CHANNEL
