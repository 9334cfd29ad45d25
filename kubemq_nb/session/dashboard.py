"""A dashboard: all channels of a connection, looked at every two seconds. A model; views follow it."""

import math
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kubemq_nb import frames
from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import background, registry
from kubemq_nb.session.channels import Figures
from kubemq_nb.session.jobs import State
from kubemq_nb.session.traffic import Moment, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from kubemq_nb.messages import ServerInfo
    from kubemq_nb.session.connection import Session

PERIOD = 2.0
"""Seconds between two looks."""

RESTS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds until the next attempt when the broker does not answer; after the last it is left in peace."""

COLUMNS = {
    "channel": "object",
    "kind": "object",
    "waiting": "Int64",  # in a queue, to be taken; NA where the server does not tell, as in all columns below
    "delayed": "Int64",
    "held": "Int64",  # by somebody, in a transaction
    "messages": "Int64",  # stored
    "sent": "Int64",  # in all
    "delivered": "Int64",
    "rate_in": "float64",  # messages a second, over the last looks
    "rate_out": "float64",
    "first_sequence": "Int64",
    "last_sequence": "Int64",
    "bytes": "Int64",
    "last_activity": frames.TIME,
}
HISTORY = {"time": frames.TIME, "rate_in": "float64", "rate_out": "float64", "waiting": "int64"}
STATS = {
    "connection": "object",
    "state": "object",
    "channels": "int64",
    "waiting": "int64",
    "held": "int64",
    "rate_in": "float64",
    "rate_out": "float64",
    "jobs": "int64",
    "as_of": frames.TIME,
    "note": "object",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One channel as a dashboard has it."""

    figures: Figures
    rate_in: float
    rate_out: float
    line: tuple[float, ...]  # messages in a second, one figure for each ten seconds, oldest first

    def cell(self, name: str) -> object:
        """What stands in a column of the frame."""
        return getattr(self, name) if hasattr(self, name) else getattr(self.figures, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that a view needs to know, taken at one moment."""

    connection: str
    server: "ServerInfo"  # the broker that answered the last look
    state: State
    note: str
    attempt: int  # since the broker answered last; 0 while it does
    next_at: datetime | None  # of the next attempt
    as_of: datetime | None  # of the figures
    complete: bool  # whether the channels of every pattern are told
    rows: tuple[Row, ...]
    moments: tuple[Moment, ...]  # all channels together, of the last five minutes
    rate_in: float
    rate_out: float
    jobs: int

    @property
    def channels(self) -> int:
        """How many there are."""
        return len(self.rows)

    @property
    def waiting(self) -> int:
        """Messages that wait in all queues."""
        return sum(row.figures.waiting or 0 for row in self.rows)

    @property
    def held(self) -> int:
        """Messages of all queues that somebody holds."""
        return sum(row.figures.held or 0 for row in self.rows)


class Dashboard:
    """All channels of a connection with counts and rates; also a job while it looks.

    It looks by itself every two seconds. When the broker is away it tries a few times, slower and slower, and
    then waits for `refresh`.

    Attributes:
        id: Number of the job.
        code: The line that made it.
        since: When it began.
        session: The connection that it shows.
        connection: Its name.
        version: Grows with every change, so that a view repaints only then.
    """

    id = 0
    kind = "dashboard"
    channel = ""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.connection = session.name
        self.code = "%kubemq ui"
        self.since = datetime.now(UTC)
        self.version = 0
        self._lock = threading.Lock()  # of what is shown
        self._looking = threading.Lock()  # one look at a time
        self._begin_anew()
        if error := self._look():
            raise error
        self._start()

    @property
    def received(self) -> int:
        """How many messages it saw pass, on all channels."""
        return self._traffic.passed

    @property
    def errors(self) -> int:
        """How often the broker did not answer."""
        return self._errors

    @property
    def state(self) -> State:
        """Whether it is live, reconnecting, not connected or stopped."""
        return "stopped" if self._ended.is_set() else self._state

    @property
    def note(self) -> str:
        """What is wrong; "" when all is well."""
        return self._note

    @property
    def finished(self) -> bool:
        """Whether it was stopped."""
        return self._ended.is_set()

    def board(self) -> Board:
        """What a view shows, as of now."""
        with self._lock:
            rate_in, rate_out = self._traffic.total()
            return Board(
                connection=self.connection,
                server=self._server,
                state=self.state,
                note=self._note,
                attempt=self._attempt,
                next_at=self._next_at(),
                as_of=self._as_of,
                complete=self.session.channels.complete,
                rows=tuple(self._row(figures) for figures in self._figures),
                moments=tuple(self._traffic.moments),
                rate_in=rate_in,
                rate_out=rate_out,
                jobs=len(self.session.open_jobs()),
            )

    @property
    def df(self) -> "DataFrame":
        """The channels as of the last look: counts, rates, first and last sequence, last activity."""
        board = self.board()
        columns = {name: [row.cell(name) for row in board.rows] for name in COLUMNS}
        return frames.table(columns, COLUMNS, as_of=board.as_of, state=board.state, complete=board.complete)

    @property
    def history(self) -> "DataFrame":
        """All channels together over the last five minutes, one row a look, oldest first."""
        moments = self.board().moments
        columns: dict[str, list[Any]] = {name: [getattr(each, name) for each in moments] for name in HISTORY}
        columns["time"] = [datetime.fromtimestamp(each, UTC) for each in columns["time"]]
        return frames.table(columns, HISTORY)

    @property
    def stats(self) -> "DataFrame":
        """One line about the connection: how many channels, what waits, rates, jobs, as of when."""
        board = self.board()
        return frames.table({name: [getattr(board, name)] for name in STATS}, STATS)

    def refresh(self) -> "DataFrame":
        """Look now, whatever the state; one that was stopped or had given up begins to look again.

        Returns:
            The channels, as `df`.
        """
        self._look()
        if self.finished:
            self._start()
        self._wake.set()
        return self.df

    def use(self, name: str) -> None:
        """Show another open connection.

        Args:
            name: Its name, as in `connections`.

        Raises:
            SessionClosed: There is none of this name.
        """
        session = registry.get(name)
        if session is self.session:
            return
        self.stop()
        with self._looking, self._lock:
            self.session = session
            self.connection = session.name
            self._begin_anew()
        self._look()
        self._start()

    def stop(self) -> None:
        """Look no more; the figures stay. Safe to call again."""
        self._ended.set()
        self._wake.set()
        self.session.open_jobs()  # which lets go of it, so that it is listed once when it begins again
        self.version += 1

    def __repr__(self) -> str:
        return f"<Dashboard of {self.connection}: {self.state}>"

    def _begin_anew(self) -> None:
        self._traffic = Traffic(PERIOD)
        self._figures: Sequence[Figures] = ()
        self._server = self.session.server
        self._state: State = "connecting"
        self._note = ""
        self._errors = self._attempt = 0
        self._as_of: datetime | None = None
        self._due = math.inf  # monotonic; when the next look is

    def _start(self) -> None:
        self._ended, self._wake = threading.Event(), threading.Event()
        self.session.begin(self)
        ended, wake = self._ended, self._wake
        background.spawn("dashboard", lambda: self._run(ended, wake))

    def _run(self, ended: threading.Event, wake: threading.Event) -> None:
        while not ended.is_set():
            rest = self._due - time.monotonic()
            if rest > 0:
                wake.wait(None if rest == math.inf else rest)
                wake.clear()
            else:
                self._look()

    def _look(self) -> KubeMQError | None:
        """Ask the broker once, and show what it said or why it said nothing; the error, if there was one."""
        with self._looking:
            try:
                found = self.session.channels.figures()
                server = self.session.ping()  # another broker may answer now
            except KubeMQError as error:
                self._failed(error)
                return error
            with self._lock:
                now = time.monotonic()
                self._traffic.take(found, at=now, time=time.time())
                self._figures, self._server, self._as_of = found, server, datetime.now(UTC)
                self._state, self._note, self._attempt = "live", "", 0
                self._due = now + PERIOD
                self.version += 1
            return None

    def _failed(self, error: KubeMQError) -> None:
        with self._lock:
            self._errors += 1
            rest = RESTS[self._attempt] if self._attempt < len(RESTS) else math.inf
            self._attempt += 1
            self._state = "not connected" if rest == math.inf else "reconnecting"
            self._note = str(error)
            self._due = time.monotonic() + rest
            self.version += 1

    def _next_at(self) -> datetime | None:
        if self._state != "reconnecting":
            return None
        return datetime.now(UTC) + timedelta(seconds=max(0.0, self._due - time.monotonic()))

    def _row(self, figures: Figures) -> Row:
        place = (figures.kind, figures.channel)
        rate_in, rate_out = self._traffic.rates(place)
        return Row(figures=figures, rate_in=rate_in, rate_out=rate_out, line=tuple(self._traffic.line(place)))
