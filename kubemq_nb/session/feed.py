"""A feed: a live subscription with its newest rows. A model; views follow it."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from kubemq_nb import frames
from kubemq_nb._wire import codec
from kubemq_nb.frames.selecting import Selection
from kubemq_nb.messages import Event, Start, StartPosition
from kubemq_nb.session import background
from kubemq_nb.session.jobs import Job
from kubemq_nb.session.live import ErrorHandler, Live, Subscribe
from kubemq_nb.session.positions import as_start

if TYPE_CHECKING:
    from pandas import DataFrame

EventHandler = Callable[[Event], object]
"""Called with each event, in order; may be a coroutine function."""


AGAIN = "Started again. What was sent in this gap is not here."


class Arrival(NamedTuple):
    """One event as it came."""

    payload: bytes
    at: int  # Unix nanoseconds


class Feed(Live[Arrival]):
    """Events of a channel as they come: the newest are held, and a handler sees each of them in order.

    `tail`, `df`, `status`, `wait`, `pause`, `resume`, `clear`, `filter`, `retry`, `restart` and `stop` are
    all that a view needs.

    Attributes:
        start: Where it began to read the store; None for events, which are not stored.
    """

    def __init__(
        self,
        *,
        kind: Literal["events", "events_store"],
        channel: str,
        handler: EventHandler | None = None,
        connection: str = "",
        code: str = "",
        keep: int = 10_000,
        on_error: ErrorHandler | None = None,
        selection: Selection | None = None,
        start: StartPosition | None = None,
    ) -> None:
        super().__init__(
            kind=kind, channel=channel, connection=connection, code=code, keep=keep, on_error=on_error
        )
        self._pattern = kind
        self._handler = handler
        self._selection = selection
        self.start = start
        self._last = b""  # the payload that came last from this start
        self._listed: Callable[[Job], None] = _unlisted
        self._passed_over = self._incomparable = 0

    def begin(
        self, subscribe: Subscribe, *, workers: int = 1, listed: Callable[[Job], None] | None = None
    ) -> None:
        """Open the subscription, read it in the background, and list it as a job.

        Raises:
            KubeMQError: It was refused, and there is no `on_error` to tell.
        """
        super().begin(subscribe, workers=workers)
        self._listed = listed or _unlisted
        self._listed(self)

    @property
    def position(self) -> StartPosition:
        """Where a stream of a store has to begin, so that none comes twice."""
        assert self.start
        if not self._last:
            return self.start
        sequence, _ = codec.event_position(self._last)
        return StartPosition.at_sequence(sequence + 1)

    def restart(self, *, start: Start | None = None) -> None:
        """Begin again, also after a stop, where it began or at another position. Counters go on.

        Rows held are let go when stored events are read again, so that none is there twice; otherwise they
        stay, and a mark tells where the stream broke.

        Args:
            start: "new", "first", "last", "seq:N", a time, or a duration (that long ago); only of a store.

        Raises:
            KubeMQError: It was refused; the feed is not connected then.
        """
        if start is not None and self.start is None:
            raise TypeError("events are not stored: they have no position to start at")
        position = self.start if start is None else as_start(start)
        self.stop()
        with self._changed:
            self.start, self._last = position, b""
            self._stopped, self._frozen = False, None
            if position is None or position.kind == "new":
                self._gaps.append((self._taken, AGAIN))
            else:
                self._let_go()
                self._gaps.clear()
        try:
            self._open_again()
        finally:
            self._listed(self)

    def _take(self, payload: bytes) -> None:
        assert self._stream
        now = time.time_ns()
        arrivals = [Arrival(found, now) for found in (payload, *self._stream.drain())]
        self._last = arrivals[-1].payload
        if self._selection and self._selection.where:
            arrivals = self._matching(arrivals, self._selection)
        self._add(arrivals)
        if self._handler:
            for arrival in arrivals:
                self._handle(self._handler, arrival.payload)

    def _matching(self, arrivals: list[Arrival], selection: Selection) -> list[Arrival]:
        """Those that match; the others are counted, not held."""
        verdicts = selection.matches(self._events(arrivals, {}))
        chosen = [arrival for arrival, verdict in zip(arrivals, verdicts, strict=True) if verdict]
        with self._changed:
            self._passed_over += len(arrivals) - len(chosen)
            self._incomparable += verdicts.count(None)
        return chosen

    def _facts(self) -> dict[str, object]:
        if not self._selection or not self._selection.where:
            return super()._facts()
        told = {"passed_over": self._passed_over, "incomparable": self._incomparable}
        return super()._facts() | {"where": self._selection.where.text} | told

    def _handle(self, handler: EventHandler, payload: bytes) -> None:
        if self._stopped:
            return
        try:
            background.call(handler, codec.decode_event(payload))
        except Exception as error:  # noqa: BLE001  the user's code: its errors are counted and shown
            self._count_error(error)

    def _frame(self, rows: Sequence[Arrival], facts: dict[str, object]) -> "DataFrame":
        frame = self._events(rows, facts)
        return self._selection.shown(frame) if self._selection else frame

    def _events(self, rows: Sequence[Arrival], facts: dict[str, object]) -> "DataFrame":
        return frames.events(
            [row.payload for row in rows],
            self._pattern,
            arrived=[row.at for row in rows],
            **facts,
        )


def _unlisted(_job: Job) -> None:
    """For a feed that no session lists."""
