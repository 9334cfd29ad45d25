"""What a feed and a responder have in common: a subscription, its newest rows, counters, who waits."""

import logging
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from kubemq_nb.client.subscription import OnState, StateChange
from kubemq_nb.errors import KubeMQError
from kubemq_nb.frames import selecting
from kubemq_nb.messages import Duration, Where, as_seconds
from kubemq_nb.session import background, registry
from kubemq_nb.session.job_status import JobStatus, Outage
from kubemq_nb.session.jobs import State
from kubemq_nb.session.rate import Rate

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.frames.selecting import Selection
    from kubemq_nb.messages import Kind
    from kubemq_nb.session.form import SendForm


class Held(Protocol):
    """What is held of one message."""

    @property
    def payload(self) -> bytes:
        """It, as it came."""
        ...


Row = TypeVar("Row", bound=Held)
ErrorHandler = Callable[[BaseException], object]
"""Called with what went wrong: an error of the subscription, or one that the handler raised."""

logger = logging.getLogger(__name__)

GRACE = 5.0  # seconds from `leave` that `stop` waits for a handler that is at work
MOST = 2**28
"""Bytes of payloads that a feed or responder holds, however many rows `keep` allows."""

GAPS = 1_000  # the newest of them that are told
EPISODE = 1.0  # seconds without a loss, after which the next one is marked on its own
MISSED = "From about here on some were lost: they came faster than they were read here."


class Stream(Protocol):
    """What is needed of a subscription; the client's is one, a test's another."""

    dropped: int
    missed: int
    reconnects: int

    def next(self, timeout: float | None = None) -> bytes | None:
        """The next payload; None after `close`."""
        ...

    def drain(self) -> list[bytes]:
        """All payloads that wait now."""
        ...

    def retry(self) -> None:
        """While it reconnects: make the next attempt now."""
        ...

    def close(self) -> None:
        """End it; nothing arrives after this."""
        ...


Subscribe = Callable[[OnState], Stream]
"""Opens the subscription; the argument is told of its changes."""


class Live(ABC, Generic[Row]):
    """A subscription that runs in the background and holds its newest rows.

    Attributes:
        id: Number of the job.
        kind: The pattern.
        channel: What it listens on.
        connection: Name of its session.
        code: The line that made it.
        since: When it began.
        version: Grows with every change, so that a view repaints only then.
        traceback: Of the handler's last error; "" when there was none.
        selection: What `filter` narrows views to; None when they show all rows held.
    """

    id = 0

    def __init__(
        self,
        *,
        kind: str,
        channel: str,
        connection: str = "",
        code: str = "",
        keep: int = 10_000,
        on_error: ErrorHandler | None = None,
    ) -> None:
        if keep < 1:
            raise ValueError(f"a feed keeps 1 row at least, not {keep}")
        self.kind = kind
        self.channel = channel
        self.connection = connection
        self.code = code
        self.since = datetime.now(UTC)
        self.version = 0
        self.traceback = ""
        self._on_error = on_error
        self.selection: Selection | None = None
        self._keep = keep
        self._rows: deque[Row] = deque()
        self._bytes = 0  # of the rows held
        self._frozen: tuple[list[Row], dict[str, object]] | None = None  # rows and facts at the pause
        self._gaps: deque[tuple[int, str]] = deque(maxlen=GAPS)  # after which row, and what the gap means
        self._taken = self._fallen = self._unread = self._errors = self._reconnects = 0
        self._missed = 0  # that the broker dropped
        self._missed_at = 0.0  # when it last said so
        self._rate = Rate()
        self._state: State = "live"  # of the stream
        self._note = ""
        self._outage: Outage | None = None  # the last one
        self._changed = threading.Condition()
        self._changed_at = time.monotonic()
        self._stream: Stream | None = None
        self._subscribe: Subscribe | None = None
        self._workers = 1
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._left = 0.0  # when it was stopped, on the monotonic clock

    def begin(self, subscribe: Subscribe, *, workers: int = 1) -> None:
        """Open the subscription and read it in the background.

        Raises:
            KubeMQError: It was refused, and there is no `on_error` to tell.
        """
        self._subscribe, self._workers = subscribe, workers
        try:
            self._open()
        except KubeMQError as error:
            if self._on_error is None:
                raise
            self._fail(error)

    def retry(self) -> None:
        """Connect now: without the pause between two attempts, or again where it had given up.

        Raises:
            KubeMQError: It was refused again.
        """
        if self._state == "reconnecting" and self._stream:
            self._stream.retry()
        elif self._state == "not connected" and not self._stopped:
            self._open_again()

    def _open_again(self) -> None:
        """Open another stream in place of the one that ended; counters go on."""
        with self._changed:
            if former := self._stream:
                self._unread += former.dropped
                self._reconnects += former.reconnects
            self._stream = self._outage = None
            self._state, self._note = "reconnecting", ""
            self._touch()
        try:
            self._open()
        except KubeMQError as error:
            self._fail(error)
            raise
        with self._changed:
            self._state = "live"
            self._touch()

    def _open(self) -> None:
        assert self._subscribe
        stream = self._stream = self._subscribe(self._on_state)
        if self._stopped:
            stream.close()
        self._threads = [
            background.spawn(f"{self.kind}:{self.channel}:{number}", self._read)
            for number in range(self._workers)
        ]

    @property
    def finished(self) -> bool:
        """Whether it was stopped."""
        return self._stopped

    @property
    def received(self) -> int:
        """How many came since it began, those included that are no longer held."""
        return self._taken + self._never_read()

    @property
    def errors(self) -> int:
        """How often the handler or the subscription failed."""
        return self._errors

    @property
    def df(self) -> "DataFrame":
        """All rows held, oldest first, also while paused."""
        with self._changed:
            rows, facts = list(self._rows), self._facts()
        return self._frame(rows, facts)

    def tail(self, count: int = 20) -> "DataFrame":
        """The newest rows held, oldest first; while paused those of that moment."""
        return self._behind(lambda last: last - count)

    def behind(self, number: int) -> "DataFrame":
        """The rows held behind one, oldest first; while paused those of that moment.

        Args:
            number: Of a row, as `attrs["last"]` of a frame numbers its newest; 0 for all.
        """
        return self._behind(lambda _last: number)

    def _behind(self, number_of: Callable[[int], int]) -> "DataFrame":
        with self._changed:
            rows, facts = self._frozen or (self._rows, self._facts())
            last = cast("int", facts["last"])
            first = len(rows) - (last - number_of(last))
            newest = [rows[place] for place in range(max(0, first), len(rows))]
        return self._frame(newest, facts)

    def row(self, number: int) -> dict[str, Any]:
        """One row held, by column.

        Args:
            number: Counted from 1 since it began, as `attrs["last"]` of a frame numbers its newest row.

        Raises:
            ValueError: It is not held; while paused, not among those of that moment.
        """
        with self._changed:
            rows, facts = self._frozen or (self._rows, self._facts())
            place = len(rows) - 1 - (cast("int", facts["last"]) - number)
            if not 0 <= place < len(rows):
                raise ValueError(f"row {number:,} is not among those held")
            found = [rows[place]]
        frame = self._frame(found, facts)
        return dict(zip(frame.columns, next(frame.itertuples(index=False, name=None)), strict=True))

    def form(self, number: int | None = None) -> "SendForm":
        """A form to send to this channel.

        Args:
            number: Row that it is filled with, as `row` takes it, to be sent again, changed or not. Empty
                when left out.

        Raises:
            ValueError: The row is not held.
            SessionClosed: Its connection was closed.
        """
        from kubemq_nb.session.form import SendForm  # noqa: PLC0415  most feeds never send

        form = SendForm(registry.get(self.connection), cast("Kind", self.kind), self.channel)
        return form if number is None else form.fill(self.row(number))

    def status(self) -> JobStatus:
        """What a view shows, as of now."""
        with self._changed:
            stream = self._stream
            return JobStatus(
                state=self.state,
                received=self.received,
                held=len(self._rows),
                dropped=self._fallen + self._never_read() + self._missed,
                errors=self._errors,
                reconnects=self._reconnects + (stream.reconnects if stream else 0),
                rate=self._rate.now(),
                rates=self._rate.history(),
                note=self.note,
                as_of=datetime.now(UTC),
                seconds_since_change=time.monotonic() - self._changed_at,
                outage=self._outage if self.state == "reconnecting" else None,
            )

    @property
    def state(self) -> State:
        """Whether it is live, paused, reconnecting, not connected or stopped."""
        if self._stopped:
            return "stopped"
        if self._state != "live":
            return self._state
        return "paused" if self._frozen else "live"

    @property
    def note(self) -> str:
        """What is or went wrong, and what happens next; "" when all was well."""
        return self._note

    def wait(self, *, count: int | None = None, timeout: Duration = 10.0) -> bool:
        """Wait until `count` rows in all are there (one more than now when left out), or it ended.

        Returns:
            Whether that many had come when the time was over.
        """
        with self._changed:
            wanted = self._done() + 1 if count is None else count
            over = self._changed.wait_for(
                lambda: self._done() >= wanted or self._stopped or self._state == "not connected",
                as_seconds(timeout),
            )
            return over and self._done() >= wanted

    def pause(self) -> None:
        """Freeze what `tail` shows; receiving goes on."""
        with self._changed:
            self._frozen = self._frozen or (list(self._rows), self._facts())
            self._touch()

    def resume(self) -> None:
        """Show again what came meanwhile."""
        with self._changed:
            self._frozen = None
            self._touch()

    def clear(self) -> None:
        """Let go of the rows held; the channel is not touched."""
        with self._changed:
            self._let_go()
            self._touch()

    def _let_go(self) -> None:
        self._rows.clear()
        self._bytes = 0
        self._frozen = ([], self._facts()) if self._frozen else None

    def filter(self, where: Where | None = None) -> None:
        """Let views show only the rows held that match, now and as more come; `df` has all, `matching` those.

        Args:
            where: A condition over columns, `body`, `tags` and `size`, such as `body.total > 10`, or a plain
                text to search for everywhere; all rows when left out.

        Raises:
            ValueError: It is no condition; nothing is changed.
        """
        selection = selecting.of(where or None, None, None)
        with self._changed:
            self.selection = selection
            self._touch()

    @property
    def matching(self) -> "DataFrame":
        """The rows held that match the filter, oldest first; all when there is none."""
        selection = self.selection
        return selection.apply(self.df) if selection else self.df

    def leave(self) -> None:
        """Take nothing more: rows stay readable, and no handler is called after this."""
        with self._changed:
            if not self._stopped:
                self._left = time.monotonic()
            self._stopped = True
            self._touch()
        if self._stream:
            self._stream.close()

    def stop(self) -> None:
        """End the subscription as `leave` does, and wait a while for a handler that is at work."""
        self.leave()
        if not background.on_handler_loop():
            self._join()

    def _join(self) -> None:
        """Wait for handlers at work, unless one of them is the caller."""
        until = self._left + GRACE
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.kind} {self.channel}, {self.state}>"

    @abstractmethod
    def _take(self, payload: bytes) -> None:
        """Deal with one payload, in a worker thread."""

    @abstractmethod
    def _frame(self, rows: Sequence[Row], facts: dict[str, object]) -> "DataFrame":
        """These rows as a frame, with the facts in its attrs."""

    def _never_read(self) -> int:
        """How many came too fast, over all streams."""
        return self._unread + (self._stream.dropped if self._stream else 0)

    def _done(self) -> int:
        """What `wait` counts."""
        return self._taken

    def _facts(self) -> dict[str, object]:
        """What every frame of it tells in its attrs; `last` numbers the newest row, counted from 1."""
        facts: dict[str, object] = {"channel": self.channel, "received": self.received, "last": self._taken}
        return facts | {"gaps": list(self._gaps)} if self._gaps else facts

    def _read(self) -> None:
        stream = self._stream
        assert stream
        try:
            while not self._stopped and (payload := stream.next()) is not None:
                self._deal_with(payload)
        except KubeMQError as error:
            self._fail(error)

    def _deal_with(self, payload: bytes) -> None:
        """The edge of the thread: what goes wrong with one payload does not stop the next."""
        try:
            self._take(payload)
        except Exception as error:  # noqa: BLE001  it is counted and shown
            self._count_error(error)

    def _add(self, rows: Sequence[Row]) -> None:
        with self._changed:
            self._taken += len(rows)
            self._rows.extend(rows)
            self._bytes += sum(len(row.payload) for row in rows)
            while len(self._rows) > 1 and (len(self._rows) > self._keep or self._bytes > MOST):
                self._bytes -= len(self._rows.popleft().payload)
                self._fallen += 1
            self._rate.add(len(rows))
            self._touch()

    def _touch(self) -> None:
        """Tell views and waiters; the lock is held."""
        self.version += 1
        self._changed_at = time.monotonic()
        self._changed.notify_all()

    def _on_state(self, change: StateChange) -> None:
        if change.missed:
            self._miss(change.missed)
            return
        with self._changed:
            if change.state == "reconnecting":
                self._outage = self._outage_now(change)
                self._state = "reconnecting"
            elif change.state == "live":
                self._state = "live"
                if change.note:
                    self._gaps.append((self._taken, change.note))
            self._note = change.note
            self._touch()

    def _outage_now(self, change: StateChange) -> Outage:
        """Since when it is away, and when it is tried again."""
        now = datetime.now(UTC)
        since = self._outage.since if self._outage and self._state == "reconnecting" else now
        return Outage(since=since, attempt=change.attempt, next_at=now + timedelta(seconds=change.pause))

    def _miss(self, count: int) -> None:
        """The broker dropped some: count them, and mark where that began."""
        now = time.monotonic()
        with self._changed:
            if not self._missed or now - self._missed_at > EPISODE:
                self._gaps.append((self._taken, MISSED))
            self._missed += count
            self._missed_at = now
            self._note = f"{self._missed:,} were lost: they came faster than they were read here."
            self._touch()

    def _fail(self, error: KubeMQError) -> None:
        """The subscription ended for good: say so wherever somebody looks."""
        with self._changed:
            self._state = "not connected"
            self._errors += 1
            self._note = str(error)
            self._touch()
        self._tell(error)

    def _count_error(self, error: BaseException) -> None:
        """The handler raised: count it, keep its traceback, tell who wants to know."""
        with self._changed:
            self._errors += 1
            self.traceback = "".join(traceback.format_exception(error))
            self._note = f"the handler raised {type(error).__name__}: {error}"
            self._touch()
        self._tell(error)

    def _tell(self, error: BaseException) -> None:
        if not self._on_error:
            return
        try:
            background.call(self._on_error, error)
        except Exception:
            logger.exception("The error handler of %s %s failed itself", self.kind, self.channel)
