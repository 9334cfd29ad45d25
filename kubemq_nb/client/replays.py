"""Bounded reads of an events store: where they end is known before they begin.

The last stored event is asked for first, so the end is a sequence and not a silence. Every read uses a
fresh client id, because a server remembers positions by id and would answer a second read of the same name
with nothing.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime

from kubemq_nb._wire import codec
from kubemq_nb.client import pages
from kubemq_nb.client.calls import Cancellation, PayloadStream
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.ids import fresh_client_id
from kubemq_nb.client.reading import PART, PART_BYTES, PROGRESS_EVERY, End, Reading, Replay
from kubemq_nb.errors import DeadlineExceeded, KubeMQError, NotSupported, SubscriptionLost
from kubemq_nb.messages import StartPosition

UNKNOWN = 2**62  # a sequence, and a time, that nothing has


def last(connection: Connection, channel: str, *, idle: float) -> bytes | None:
    """The last stored event, or None."""

    def work(cancellation: Cancellation) -> bytes | None:
        return _last(connection, channel, idle, cancellation)

    return connection.run(work, kind="replay", channel=channel)


def ends(connection: Connection, channel: str) -> tuple[int, int] | None:
    """First and last sequence of a channel; None where only a stream would tell, which leaves a trace."""

    def work(cancellation: Cancellation) -> Replay | None:
        begin = Reading(channel=channel, start=StartPosition.first(), to=1)
        read = _by_pages(connection, begin, cancellation)
        if read and read.last and not read.payloads:  # the first was damaged and is set aside
            read = _by_pages(connection, replace(begin, to=None, count=1), cancellation)
        return read

    read = connection.run(work, kind="replay", channel=channel)
    if read is None:
        return None
    first = codec.event_position(read.payloads[0])[0] if read.payloads else 0
    return first, read.last


def replay(connection: Connection, reading: Reading) -> Replay:
    """Read as asked."""

    def work(cancellation: Cancellation) -> Replay:
        return _replay(connection, reading, cancellation)

    return connection.run(work, kind="replay", channel=reading.channel)


def _last(connection: Connection, channel: str, idle: float, cancellation: Cancellation) -> bytes | None:
    connection.ping()  # a broker that is silent is not a channel that is empty
    attempt = connection.attempt(f"the replay of {channel}", channel=channel)
    try:
        with connection.guarded(attempt):
            call = _open(connection, channel, StartPosition.last(), timeout=idle)
            payload = next(cancellation.attach(call), None)
            call.cancel()
            return payload
    except DeadlineExceeded:
        return None


def _open(
    connection: Connection,
    channel: str,
    start: StartPosition,
    *,
    timeout: float | None,
    client_id: str = "",
    group: str = "",
) -> PayloadStream[bytes]:
    request = codec.encode_store_subscription(
        channel, client_id=client_id or fresh_client_id(), group=group, start=start
    )
    return connection.stub.replay_events(request, timeout=timeout, metadata=connection.entry())


def _replay(connection: Connection, reading: Reading, cancellation: Cancellation) -> Replay:
    if reading.start.kind == "new":
        return _Reader(connection, reading, _Bounds(start=reading.start)).read(cancellation)
    if not reading.remembered and (read := _by_pages(connection, reading, cancellation)):
        return read
    began = time.monotonic()
    stored = _last(connection, reading.channel, reading.idle, cancellation)
    if stored is None:
        return Replay(payloads=[], complete=True, end="empty", last=0)
    bounds = _bounds(reading, stored)
    if bounds.empty:
        return Replay(payloads=[], complete=True, end=bounds.kind, last=bounds.last)
    return _Reader(connection, reading, bounds, began=began).read(cancellation)


def _by_pages(connection: Connection, reading: Reading, cancellation: Cancellation) -> Replay | None:
    """The same from a broker of ours; None from others, which are asked once."""
    if connection.has_pages:
        try:
            return pages.replay(connection, reading, cancellation)
        except NotSupported:
            connection.has_pages = False
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """Where a replay begins and ends, both included."""

    start: StartPosition
    last: int = 0  # stored sequence
    sequence: int | None = None
    time: int | None = None  # nanoseconds
    empty: bool = False  # nothing lies between

    @property
    def kind(self) -> End:
        return "sequence" if self.time is None else "time"


def _bounds(reading: Reading, stored: bytes) -> _Bounds:
    last, last_time = codec.event_position(stored)
    if not last:  # the last one cannot be read: silence has to tell the end
        last = last_time = UNKNOWN
    final = min(reading.to, last) if isinstance(reading.to, int) else last
    time_limit = codec.nanoseconds(reading.to) + 999 if isinstance(reading.to, datetime) else None
    # What is stored meanwhile must not move the start.
    start = StartPosition.at_sequence(last) if reading.start.kind == "last" else reading.start
    behind = (start.kind == "sequence" and start.value > final) or (
        start.kind == "time" and (start.value > last_time or (time_limit or start.value) < start.value)
    )
    return _Bounds(
        start=start,
        last=last,
        sequence=final,
        time=time_limit,
        empty=(behind and not reading.remembered) or final < 1,
    )


class _Reader:
    """Reads one stream up to its bounds, watched for silence."""

    def __init__(
        self, connection: Connection, reading: Reading, bounds: _Bounds, *, began: float | None = None
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._bounds = bounds
        self._began = time.monotonic() if began is None else began
        self._payloads: list[bytes] = []
        self._taken = self._waiting = 0  # payloads; bytes of those that no sink has taken yet
        self._end: End | None = None
        self._done = threading.Event()
        self._silent = False
        self._sinking = False  # whoever takes the payloads is at work: the server is not silent, but waiting

    def read(self, cancellation: Cancellation) -> Replay:
        reading = self._reading
        call = _open(
            self._connection,
            reading.channel,
            self._bounds.start,
            timeout=self._time_left(),
            client_id=reading.client_id,
            group=reading.group,
        )
        cancellation.attach(call)
        self._watch(call)
        try:
            self._take_all(call)
            if reading.remembered:
                # One round trip in which the server notes that the last one was delivered.
                self._connection.ping()
        finally:
            self._done.set()
            call.cancel()
        self._hand_over()
        patient = self._end == "idle" and self._limit() > reading.idle
        complete = self._end in ("sequence", "time", "idle") and not patient
        assert self._end
        return Replay(
            payloads=self._payloads, complete=complete, end=self._end, last=self._bounds.last % UNKNOWN
        )

    def _take_all(self, call: PayloadStream[bytes]) -> None:
        what = f"the replay of {self._reading.channel}"
        attempt = self._connection.attempt(what, channel=self._reading.channel)
        try:
            with self._connection.guarded(attempt):
                for payload in call:
                    if self._take(payload):
                        return
            raise SubscriptionLost(f"The broker ended {what}.", channel=self._reading.channel)
        except DeadlineExceeded:
            self._end = "timeout"
        except KubeMQError:
            if not self._silent:
                raise
            self._end = "idle"

    def _take(self, payload: bytes) -> bool:
        """Take one payload; whether it was the last, or the first behind the end."""
        bounds = self._bounds
        sequence, stored_at = codec.event_position(payload)
        if bounds.time is not None and stored_at > bounds.time:
            self._end = "time"
            return True
        if bounds.sequence is not None and sequence > bounds.sequence:
            self._end = "sequence"
            return True
        self._payloads.append(payload)
        self._waiting += len(payload)
        self._taken += 1
        if self._reading.progress and not self._taken % PROGRESS_EVERY:
            self._reading.progress(self._taken)
        if self._reading.sink and (len(self._payloads) == PART or self._waiting >= PART_BYTES):
            self._hand_over()
        if sequence == bounds.sequence:
            self._end = "sequence"
        elif self._taken == self._reading.count:
            self._end = "count"
        elif self._reading.is_full(self._waiting):
            self._end = "size"
        return self._end is not None

    def _hand_over(self) -> None:
        if self._reading.sink and self._payloads:
            self._sinking = True
            self._reading.sink(self._payloads)
            self._sinking = False
            self._payloads = []
            self._waiting = 0

    def _time_left(self) -> float | None:
        if self._reading.timeout is None:
            return None
        return max(0.001, self._reading.timeout - (time.monotonic() - self._began))

    def _limit(self) -> float:
        """Seconds of silence that end the read: few where nothing may be left, else more."""
        few = self._reading.remembered or (self._reading.start.kind == "ago" and not self._taken)
        return self._reading.idle if few else max(self._reading.idle, self._connection.timeout)

    def _watch(self, call: PayloadStream[bytes]) -> None:
        if self._bounds.sequence is None:
            return  # what is new may take its time
        name = f"kubemq-nb:watch:{self._reading.channel}"
        threading.Thread(target=self._cancel_when_silent, args=(call,), name=name, daemon=True).start()

    def _cancel_when_silent(self, call: PayloadStream[bytes]) -> None:
        before = 0
        while not self._done.wait(self._limit()):
            if self._taken == before and not self._sinking:
                self._silent = True
                call.cancel()
                return
            before = -1 if self._sinking else self._taken
