"""Bounded reads page by page: one private call of our own broker brings thousands of events.

A stream costs its server a turn for each event, a page a turn for all of them. Nothing is remembered on the
server, so there is no client id. Other servers do not know the call (docs/adr/0009-page-call.md).
"""

import time
from bisect import bisect_right
from datetime import datetime
from math import inf

from kubemq_nb._wire import codec
from kubemq_nb._wire.codec import EventsPage
from kubemq_nb.client.calls import Cancellation
from kubemq_nb.client.connection import PACE, Connection
from kubemq_nb.client.reading import End, Reading, Replay
from kubemq_nb.errors import DeadlineExceeded
from kubemq_nb.messages import StartPosition


def replay(connection: Connection, reading: Reading, cancellation: Cancellation) -> Replay:
    """Read as asked; in a worker only.

    Raises:
        NotSupported: This server does not know the call; nothing was read.
    """
    return _Pages(connection, reading, cancellation).read()


class _Pages:
    def __init__(self, connection: Connection, reading: Reading, cancellation: Cancellation) -> None:
        self._connection = connection
        self._reading = reading
        self._cancellation = cancellation
        self._over = time.monotonic() + (inf if reading.timeout is None else reading.timeout)
        self._limit = codec.nanoseconds(reading.to) + 999 if isinstance(reading.to, datetime) else None
        # Nothing comes before the first one, and 0 asks for the last.
        self._final = (reading.to or -1) if isinstance(reading.to, int) else 0
        self._stored = 0
        self._payloads: list[bytes] = []
        self._taken = self._kept = 0  # payloads, and their bytes

    def read(self) -> Replay:
        end = self._take_all()
        complete = end not in ("count", "timeout", "size")
        return Replay(payloads=self._payloads, complete=complete, end=end, last=self._stored)

    def _take_all(self) -> End:
        start: StartPosition | None = self._reading.start
        while start:
            try:
                page = self._page(start)
            except DeadlineExceeded:
                if time.monotonic() < self._over:
                    raise
                return "timeout"
            if not self._stored:  # what is stored meanwhile does not move the end
                self._stored = page.Last
                self._final = min(self._final or page.Last, page.Last)
            if end := self._take(list(page.Events)):
                return end
            start = StartPosition.at_sequence(page.Next) if page.Next else None
        if not self._stored:
            return "empty"
        return "sequence" if self._limit is None or self._taken else "time"

    def _page(self, start: StartPosition) -> EventsPage:
        """The page from there on; one that takes longer than a short call is asked for by its size."""
        page = self._ask(start)
        return self._ask(StartPosition.at_sequence(page.Next), size=page.Size) if page.Size else page

    def _ask(self, start: StartPosition, *, size: int = 0) -> EventsPage:
        channel = self._reading.channel
        attempt = self._connection.attempt(f"the replay of {channel}", channel=channel, size=size)
        left = max(0.001, self._over - time.monotonic())
        most = 0 if size else max(1, int(self._connection.timeout * PACE))
        payload = self._connection.wait_for(
            self._connection.stub.read_events_page,
            codec.encode_page_request(channel, start=start, last=self._final, most=most),
            attempt._replace(timeout=min(attempt.timeout, left)),
            self._cancellation,
        )
        return codec.decode_page(payload)

    def _take(self, events: list[bytes]) -> End | None:
        """Take a page up to the bounds; which of them was met."""
        end: End | None = None
        if self._limit is not None and events and _time(events[-1]) > self._limit:
            events = events[: bisect_right(events, self._limit, key=_time)]
            end = "time"
        left = None if self._reading.count is None else self._reading.count - self._taken
        if left is not None and len(events) >= left:
            events = events[:left]
            end = "sequence" if codec.event_position(events[-1])[0] == self._final else "count"
        self._payloads += events
        self._taken += len(events)
        self._kept += sum(map(len, events))
        if end is None and self._reading.is_full(self._kept):
            end = "sequence" if codec.event_position(events[-1])[0] == self._final else "size"
        if self._reading.progress and events:
            self._reading.progress(self._taken)
        self._hand_over()  # a page is of bounded size
        return end

    def _hand_over(self) -> None:
        if self._reading.sink and self._payloads:
            self._reading.sink(self._payloads)
            self._payloads = []


def _time(payload: bytes) -> int:
    return codec.event_position(payload)[1]
