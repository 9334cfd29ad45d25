"""A desk: requests that wait until somebody answers them by hand, on any number of channels."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kubemq_nb import frames
from kubemq_nb._wire import codec
from kubemq_nb.errors import DeadlineExceeded, RequestRejected
from kubemq_nb.messages import Body, Duration, Request, Response, Tags, as_seconds, as_tags
from kubemq_nb.session import automatic, background
from kubemq_nb.session.automatic import Auto, Mode
from kubemq_nb.session.job_status import JobStatus
from kubemq_nb.session.jobs import State
from kubemq_nb.session.outgoing import bytes_of, text
from kubemq_nb.session.responders import (
    Exchange,
    OpenRequest,
    Outcome,
    Place,
    Responder,
    settled,
    told,
)

if TYPE_CHECKING:
    from pandas import DataFrame

MOST = 1_000  # requests that wait at once
MOST_BYTES = 64_000_000  # of them all
REMEMBERED = 1_000  # latencies that the percentiles are of

_STATES: tuple[State, ...] = ("live", "reconnecting", "not connected", "stopped")  # best first

Key = tuple[str, str]  # id and reply channel: the same ask, however often it came here


class Answers:
    """Requests that wait for an answer by hand, and what became of all that were asked.

    Each session has one desk: commands and queries, of as many channels as were given to it, come together
    here. A request leaves `waiting` when it is answered or its asker gives up; `df` keeps it either way.

    Attributes:
        connection: Name of its session.
        code: The line that made it.
        since: When it began.
        closed: Whether its connection was closed: nothing comes here any more.
    """

    def __init__(self, *, connection: str = "", code: str = "", keep: int = 10_000) -> None:
        self.connection = connection
        self.code = code
        self.since = datetime.now(UTC)
        self.closed = False
        self._responders: dict[Place, tuple[Responder, Callable[[], object]]] = {}
        self._rows: deque[tuple[str, Exchange]] = deque(maxlen=keep)
        self._waiting: dict[Key, list[OpenRequest]] = {}  # oldest first; several when it came several ways
        self._bytes = self._received = self._turned_away = self._changes = 0
        self._settled: Counter[Outcome] = Counter()
        self._auto: Auto | None = None
        self._watched = False
        self._changed = threading.Condition()

    def add(self, responder: Responder, again: Callable[[], object]) -> None:
        """Take the requests of a responder from now on.

        Args:
            responder: Which; its log stays its own.
            again: Makes one like it when it was stopped and the desk starts again.
        """
        with self._changed:
            if self.finished:
                self._let_go_of_responders()
            self._responders[responder.place] = (responder, again)
            self._touch()
        responder.give_to(self)

    @property
    def responders(self) -> tuple[Responder, ...]:
        """Those whose requests come here, in the order in which they were added."""
        return tuple(each for each, _ in self._responders.values() if each.desk is self)

    @property
    def channels(self) -> tuple[str, ...]:
        """What is listened on; when nothing is, what was."""
        listening = [each for each in self.responders if not each.finished] or self.responders
        return tuple(dict.fromkeys(each.channel for each in listening))

    @property
    def channel(self) -> str:
        """The same as one text."""
        return ", ".join(self.channels)

    @property
    def version(self) -> int:
        """Grows with every change, so that a view repaints only then."""
        return self._changes + sum(each.version for each in self.responders)

    @property
    def finished(self) -> bool:
        """Whether nothing is listened on any more; what waits can still be answered."""
        return all(each.finished for each in self.responders)

    @property
    def auto_answer(self) -> Auto | None:
        """How it answers by itself; None when it does not."""
        return self._auto

    @property
    def open(self) -> list[OpenRequest]:
        """What waits, oldest first."""
        with self._changed:
            return [same[0] for same in self._waiting.values()]

    @property
    def waiting(self) -> "DataFrame":
        """What waits for an answer, oldest first, with the seconds that are left."""
        waiting = self.open
        beside: dict[str, list[object]] = {
            "kind": [each.request.kind for each in waiting],
            "timestamp": [each.exchange.at for each in waiting],
            "left": [round(each.left, 3) for each in waiting],
            "deadline": [each.exchange.at + int(each.request.timeout * 1e9) for each in waiting],
        }
        return frames.requests(
            [each.exchange.payload for each in waiting], beside, form="waiting", channel=self.channel
        )

    @property
    def df(self) -> "DataFrame":
        """All that was asked and is held, oldest first, with what became of it."""
        return self.tail(len(self._rows))

    def tail(self, count: int = 20) -> "DataFrame":
        """The newest of them, oldest first; `attrs["last"]` is the number of the newest."""
        with self._changed:
            rows, facts = list(self._rows), self._facts()
        return self._frame(rows[max(0, len(rows) - count) :], facts)

    def status(self) -> JobStatus:
        """State and counters of all its channels together, as of now."""
        each = [responder.status() for responder in self.responders]
        with self._changed:
            return JobStatus(
                state=max((one.state for one in each), key=_rank, default="stopped"),
                received=self._received,
                held=len(self._rows),
                dropped=self._received - len(self._rows),
                errors=sum(one.errors for one in each),
                reconnects=sum(one.reconnects for one in each),
                rate=sum(one.rate for one in each),
                rates=(),
                note=next((one.note for one in each if one.note), self._note()),
                as_of=datetime.now(UTC),
                seconds_since_change=min((one.seconds_since_change for one in each), default=0.0),
                outage=next((one.outage for one in each if one.outage), None),
                **settled(self._settled),
            )

    def latency(self) -> tuple[float, float] | None:
        """Median and 99th percentile of the newest 1,000 answers, in seconds; None before the first."""
        with self._changed:
            spans = [row.elapsed for _, row in self._rows if row.by and row.elapsed is not None]
        latest = sorted(spans[-REMEMBERED:])
        if not latest:
            return None
        return latest[len(latest) // 2], latest[min(len(latest) - 1, len(latest) * 99 // 100)]

    def reply(
        self, id: str | OpenRequest, body: Body = None, *, metadata: str = "", tags: Tags | None = None
    ) -> Response:
        """Answer a request that waits, as executed.

        Args:
            id: Id of the request, or a beginning that no other that waits has; in Python also one of `open`.
            body: The answer: bytes, text, or a dict or list as JSON; askers of commands do not get it.
            metadata: Text beside the body.
            tags: Text to text.

        Raises:
            RequestRejected: No such request waits here.
            DeadlineExceeded: The asker has given up.
            InvalidMessage: A query is answered with neither body nor metadata; it goes on waiting.
        """
        given = Response(
            executed=True, body=bytes_of(body), metadata=text("metadata", metadata), tags=as_tags(tags)
        )
        return self._answer(id, given)

    def refuse(
        self,
        id: str | OpenRequest,
        error: str = "refused by hand",
        *,
        metadata: str = "",
        tags: Tags | None = None,
    ) -> Response:
        """Answer a request that waits, as not executed.

        Args:
            id: Id of the request, or a beginning that no other that waits has; in Python also one of `open`.
            error: Why; the asker reads it.
            metadata: Text beside it.
            tags: Text to text.

        Raises:
            RequestRejected: No such request waits here.
            DeadlineExceeded: The asker has given up.
        """
        given = Response(
            executed=False,
            error=text("error", error) or "refused by hand",
            metadata=text("metadata", metadata),
            tags=as_tags(tags),
        )
        return self._answer(id, given)

    def auto(
        self,
        mode: Mode,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        error: str = "",
        after: Duration | None = None,
    ) -> None:
        """Answer by itself what waits and what comes, or leave that to the hand again.

        Args:
            mode: off: wait for the hand. echo: with what was asked. fixed: with `body`. delay: with what was
                asked, a second late. error: with a refusal.
            body: The answer of fixed: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body of fixed.
            tags: Text to text, of fixed.
            error: The reason that error gives.
            after: Seconds from a request's arrival to its answer; the hand may be faster.
        """
        chosen = automatic.auto(mode, body, metadata=metadata, tags=tags, error=error, after=after)
        with self._changed:
            self._auto = chosen
            self._touch()

    def wait(self, *, count: int = 1, timeout: Duration = 10.0) -> bool:
        """Wait until so many requests wait here, or nothing is listened on any more.

        Returns:
            Whether that many waited when the time was over.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) >= count or self.finished, as_seconds(timeout))
            return len(self._waiting) >= count

    def stop(self) -> None:
        """Leave the channels; what waits can still be answered, and the log stays readable."""
        for responder in self.responders:
            responder.stop()
        with self._changed:
            self._touch()

    def start(self) -> None:
        """Listen again on the channels that were left."""
        for responder, again in list(self._responders.values()):
            if responder.finished:
                again()

    def retry(self) -> None:
        """Connect now, where the connection to a channel was lost."""
        for responder in self.responders:
            responder.retry()

    def close(self) -> None:
        """Leave the channels and let go of what waits: the connection ends."""
        self.closed = True
        self.stop()
        with self._changed:
            given_up = [self._remove(key) for key in list(self._waiting)]
        for same in given_up:
            self._give_up(same, "the connection was closed before anybody answered")

    def take(self, opened: OpenRequest) -> None:
        """Keep a request until it is answered or its asker gives up; called by responders."""
        key = (opened.request.id, opened.request.reply_channel)
        with self._changed:
            auto = self._auto
            self._received += 1
            self._rows.append((opened.request.kind, opened.exchange))
            size = len(opened.exchange.payload)
            fits = len(self._waiting) < MOST and self._bytes + size <= MOST_BYTES
            if fits and (auto is None or auto.after):
                self._waiting.setdefault(key, []).append(opened)
                self._bytes += size
                self._look_after()
            self._turned_away += not fits
            self._touch()
        if not fits:
            self._answer_by_itself(_TURNED_AWAY, opened)
        elif auto and not auto.after:
            self._answer_by_itself(auto, opened)

    def __repr__(self) -> str:
        return f"<Answers on {self.channel or 'nothing'}: {len(self._waiting):,} waiting>"

    def _let_go_of_responders(self) -> None:
        """Forget channels that were left: others begin; the lock is held."""
        self._changes += sum(each.version for each in self.responders)
        self._responders.clear()

    def _note(self) -> str:
        """What does not go as it should; "" when all is well."""
        if not self._turned_away:
            return ""
        were = "was" if self._turned_away == 1 else "were"
        return f"{FULL}. {self._turned_away:,} that came beyond that {were} refused."

    def _frame(self, rows: Sequence[tuple[str, Exchange]], facts: dict[str, object]) -> "DataFrame":
        exchanges = [exchange for _, exchange in rows]
        beside: dict[str, list[object]] = {"kind": [kind for kind, _ in rows], **told(exchanges)}
        return frames.requests([each.payload for each in exchanges], beside, form="desk", **facts)

    def _facts(self) -> dict[str, object]:
        return {"channel": self.channel, "received": self._received, "last": self._received}

    def _answer(self, asked: str | OpenRequest, response: Response) -> Response:
        """Take a request from those that wait, and answer it; what does not get through waits again."""
        key, same = self._claim(asked)
        first = same[0]
        if not first.left:
            self._give_up(same)
            raise DeadlineExceeded(_too_late(first.request), timeout=first.request.timeout)
        try:
            first.responder.deliver(first.request, response)
        except BaseException:  # also an interrupt
            self._keep(key, same)
            raise
        for each in same:
            each.responder.settle(each, response, by="hand")
            self._count(each)
        request = first.request
        return replace(response, id=request.id, channel=request.channel, elapsed=first.exchange.elapsed)

    def _claim(self, asked: str | OpenRequest) -> tuple[Key, list[OpenRequest]]:
        """The request of this id, or this very one, which no longer waits then."""
        with self._changed:
            if found := self._found(asked):
                return found, self._remove(found)
        raise RequestRejected(self._why_not(asked if isinstance(asked, str) else asked.request.id))

    def _found(self, asked: str | OpenRequest) -> Key | None:
        """Where it waits; the lock is held."""
        if not isinstance(asked, str):  # ids are the askers' own: two may have given the same
            return next((key for key, same in self._waiting.items() if asked in same), None)
        exact = [key for key in self._waiting if key[0] == asked]
        found = exact or [key for key in self._waiting if asked and key[0].startswith(asked)]
        if len(found) > 1 and not exact:
            raise ValueError(f"{len(found)} requests that wait begin with {asked}: give more of the id")
        return found[0] if found else None

    def _keep(self, key: Key, same: list[OpenRequest]) -> None:
        """Put back, in its place, what could not be answered."""
        with self._changed:
            waiting = sorted([(key, same), *self._waiting.items()], key=lambda each: each[1][0].exchange.at)
            self._waiting = dict(waiting)
            self._bytes += _size(same)
            self._look_after()
            self._touch()

    def _remove(self, key: Key) -> list[OpenRequest]:
        """Let a request wait no longer; the lock is held."""
        same = self._waiting.pop(key)
        self._bytes -= _size(same)
        self._touch()
        return same

    def _why_not(self, id: str) -> str:
        for _, exchange in reversed(list(self._rows)):
            request = codec.decode_request(exchange.payload)
            if id and request.id.startswith(id) and exchange.outcome:
                return f"{_ENDS[exchange.outcome].format(request.id, request.timeout)} Nothing was sent."
        return f"No request {id} waits here. Nothing was sent."

    def _give_up(self, same: Sequence[OpenRequest], because: str = "") -> None:
        for each in same:
            reason = because or f"nobody answered within {each.request.timeout:g} s"
            each.responder.settle(each, Response(executed=False, error=reason), by=None)
            self._count(each)

    def _answer_by_itself(self, auto: Auto, opened: OpenRequest) -> None:
        opened.responder.answer(opened, auto.handler, by="auto")
        self._count(opened)

    def _count(self, opened: OpenRequest) -> None:
        with self._changed:
            assert opened.exchange.outcome
            self._settled[opened.exchange.outcome] += 1
            self._touch()

    def _look_after(self) -> None:
        """Have a thread end what runs out, and answer what is due; the lock is held."""
        if not self._watched:
            self._watched = True
            background.spawn("answers", self._watch)

    def _watch(self) -> None:
        try:
            while due := self._due():
                for auto, same in due:
                    if auto:
                        for each in same:
                            self._answer_by_itself(auto, each)
                    else:
                        self._give_up(same)
        except BaseException:
            with self._changed:
                self._watched = False  # the next request brings another
            raise

    def _due(self) -> list[tuple[Auto | None, list[OpenRequest]]]:
        """Wait for what has to be done; nothing as soon as nothing waits."""
        with self._changed:
            while self._waiting:
                now, auto = time.perf_counter(), self._auto
                moments = {key: _moment(same[0], auto) for key, same in self._waiting.items()}
                if ready := [key for key, moment in moments.items() if moment <= now]:
                    return [
                        (auto if self._waiting[key][0].left else None, self._remove(key)) for key in ready
                    ]
                self._changed.wait(min(moments.values()) - now)
            self._watched = False
            return []

    def _touch(self) -> None:
        """Tell views and waiters; the lock is held."""
        self._changes += 1
        self._changed.notify_all()


FULL = f"{MOST:,} requests wait at most, or {MOST_BYTES // 10**6} MB of them"
_TURNED_AWAY = Auto("error", lambda _: Response(executed=False, error=FULL), 0.0, "")
_ENDS: dict[str, str] = {
    "answered": "The request {0} has its answer.",
    "refused": "The request {0} was refused.",
    "unanswered": "The request {0} waits no longer: its asker gave up after {1:g} s.",
}


def _too_late(request: Request) -> str:
    asker = f"the asker of {request.id} gave up after {request.timeout:g} s"
    return f"The answer came too late: {asker}. Nothing was sent."


def _moment(opened: OpenRequest, auto: Auto | None) -> float:
    """When something has to be done about a request, on the clock of `time.perf_counter`."""
    return min(opened.deadline, opened.exchange.began + auto.after) if auto else opened.deadline


def _size(same: Sequence[OpenRequest]) -> int:
    return sum(len(each.exchange.payload) for each in same)


def _rank(state: State) -> int:
    return _STATES.index(state) if state in _STATES else 0
