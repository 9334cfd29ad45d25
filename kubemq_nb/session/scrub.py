"""A time scrubber: a position among stored events, and the state of a fold there. Views follow it."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from kubemq_nb import frames
from kubemq_nb._wire import codec
from kubemq_nb.errors import KubeMQError
from kubemq_nb.messages import Event
from kubemq_nb.session import background, registry, states
from kubemq_nb.session.fold import Failure, Fold, FoldFunction
from kubemq_nb.session.recording import ReadAgain, Recording

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.client.reading import Replay
    from kubemq_nb.session.form import SendForm

logger = logging.getLogger(__name__)

State = Literal["reading", "ready", "stopped", "not connected"]

AHEAD = 2_000  # events that are folded ahead before somebody else gets a turn

Read = Callable[[Callable[[Sequence[bytes]], None]], "Replay | None"]
"""Reads all stored events in parts, each given to the function; gives how that ended, if there were any."""


class Stopped(Exception):
    """Ends the reading."""


class Scrubber:
    """Moves over the events that were stored when it was opened; reading them goes on in the background.

    `at` and `step` move it and give it back, so that `scrub.at(412).state` is the state after event 412.

    Attributes:
        channel: The events store.
        connection: Name of its session.
        code: The line that made it.
        reading: Whether it is being read, is ready, was stopped, or lost its broker.
        version: Grows with every change, so that a view repaints only then.
        expected: How many events are to be read, as far as the last sequence tells.
        pinned: The sequence that B is compared with, called A; None when none is pinned.
    """

    def __init__(
        self,
        channel: str,
        *,
        fold: FoldFunction | None = None,
        initial: object = None,
        read_again: ReadAgain,
        connection: str = "",
        code: str = "",
    ) -> None:
        self.channel = channel
        self.connection = connection
        self.code = code
        self.version = 0
        self.expected = 0
        self.pinned: int | None = None
        self._recording = Recording(read_again)
        self._fold = Fold(fold, initial, self._recording) if fold else None
        self._folding = (
            threading.RLock()
        )  # of recording and fold; the user's function is never called twice at once
        self._changed = threading.Condition()
        self.reading: State = "reading"
        self._note = ""
        self._errors = 0
        self._place: int | None = None  # None: the end, as far as it was read

    def begin(self, read: Read, *, expected: int) -> None:
        """Read in the background.

        Args:
            read: Reads all that is stored.
            expected: How many events that is.
        """
        self.expected = expected
        background.spawn(f"scrub:{self.channel}", lambda: self._read(read))

    def at(
        self, sequence: float | None = None, *, time: datetime | None = None, by: str | None = None
    ) -> Self:
        """Go to the position after an event, waiting until it was read.

        Args:
            sequence: Its sequence; 0 is before the first event. One that is not stored is the one before it.
            time: An instant in place of a sequence: the last event that was stored by then.
            by: A field of `axes`, such as `body.hour`: the last event where it is no more than the number or
                the time given.

        Raises:
            ValueError: Neither or both are given, the sequence is not stored yet, or `by` is none of `axes`.
        """
        if (sequence is None) == (time is None):
            raise ValueError("at wants a sequence, or a time")
        if time is not None and time.tzinfo is None:
            raise ValueError(f"a time needs its zone: {time.isoformat()} has none")
        wanted = sequence if time is None else codec.nanoseconds(time) + 999
        assert wanted is not None
        if by is not None:
            return self._move(self._place_by(by, wanted, is_time=time is not None))
        if time is not None:
            self._wait(
                lambda: bool(len(self._recording)) and self._recording.time(len(self._recording)) > wanted
            )
            return self._move(self._recording.up_to(wanted, "time"))
        return self._move(self._place_of(int(wanted)))

    def step(self, count: int = 1) -> Self:
        """Go so many events forward, or back with a negative count; it stops at the ends.

        Args:
            count: How many.
        """
        self._wait(lambda: len(self._recording) >= self.place + count)
        return self._move(min(max(self.place + count, 0), len(self._recording)))

    def pin(self, sequence: int | None = None) -> Self:
        """Hold a position as A, to compare others with it.

        Args:
            sequence: Of its event; the present position when left out.
        """
        self.pinned = self.sequence if sequence is None else sequence
        self._touch()
        return self

    def unpin(self) -> Self:
        """Hold no position any more."""
        self.pinned = None
        self._touch()
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all was read and folded; whether it was when the time was over."""
        with self._changed:
            return self._changed.wait_for(lambda: self.reading != "reading", timeout)

    @property
    def place(self) -> int:
        """How many events lie before the position."""
        return len(self._recording) if self._place is None else self._place

    @property
    def sequence(self) -> int:
        """Sequence of the event before the position; 0 before the first."""
        return self._recording.sequence(self.place)

    @property
    def event(self) -> Event | None:
        """The event before the position; None before the first."""
        place = self.place
        if not place:
            return None
        with self._folding:
            return codec.decode_event(self._recording.payload(place))

    @property
    def state(self) -> Any:
        """What the fold makes of all events up to the position, a copy; None without a fold."""
        return self._state_at(self.place)

    @property
    def lines(self) -> states.StateTable:
        """The state as a table, a line a key."""
        return states.table(self.state)

    @property
    def lines_before(self) -> states.StateTable:
        """The same one event earlier."""
        return states.table(self._state_at(max(self.place - 1, 0)))

    def form(self) -> "SendForm":
        """A form to send the event at the position again, changed or not; empty before the first.

        Raises:
            SessionClosed: Its connection was closed.
        """
        from kubemq_nb.session.form import SendForm  # noqa: PLC0415  most scrubbers never send

        form = SendForm(registry.get(self.connection), "events_store", self.channel)
        event = self.event
        return form if event is None else form.fill(event)

    @property
    def failure(self) -> Failure | None:
        """What the fold raised at or before the position; `state` is the one before that."""
        if self._fold is None:
            return None
        with self._folding:
            self._fold.at(self.place)
            found = self._fold.failure
        return found if found and found.place <= self.place else None

    @property
    def fold_name(self) -> str:
        """Name of the fold's function; "" without one."""
        return self._fold.name if self._fold else ""

    @property
    def df(self) -> "DataFrame":
        """All events up to the position."""
        with self._folding:
            payloads = list(self._recording.payloads(0, self.place))
        return frames.events(payloads, "events_store", channel=self.channel, sequence=self.sequence)

    def compare(self, a: int, b: int | None = None) -> "DataFrame":
        """The states after two events side by side: of each column A, B and the change.

        Args:
            a: Sequence of the one event; 0 is before the first.
            b: Sequence of the other; the present position when left out.

        Raises:
            ValueError: There is no fold, or one of them is not stored yet.
        """
        if self._fold is None:
            raise ValueError("compare wants a fold: scrub was opened without one")
        places = [self._place_of(each) for each in (a, self.sequence if b is None else b)]
        before, after = (states.table(self._state_at(place)) for place in places)
        columns = states.compared(before, after)
        changed = [any(line) for line in zip(*_changes(columns), strict=True)]
        return frames.table(
            columns,
            dict.fromkeys(columns, "object"),
            channel=self.channel,
            a=self._recording.sequence(places[0]),
            b=self._recording.sequence(places[1]),
            between=places[1] - places[0],
            changed=sum(changed),
        )

    @property
    def axes(self) -> Sequence[str]:
        """What events are found by: `sequence`, `time`, and when all was read fields such as `body.hour`.

        Those are numbers, or times as ISO 8601 writes them, at the top of JSON bodies of at most 64 KiB, that
        each event has and that never go back; the first eight of the first body are followed.
        """
        own = ["sequence", "time"]
        if self.reading == "reading":
            return own
        with self._folding:
            return [*own, *self._recording.fields()]

    def counts(self, bins: int, axis: str = "sequence") -> list[int]:
        """How many events fall into each of so many equal stretches of an axis."""
        with self._folding:
            return self._recording.counts(bins, axis)

    def along(self, axis: str, *sequences: int) -> list[datetime | float | None]:
        """What the events of these sequences have on an axis; None before the first."""
        with self._folding:
            values = self._recording.axes()[axis]
        places = [self._recording.up_to(sequence) for sequence in sequences]
        found = [values.numbers[place - 1] if place else None for place in places]
        return [codec.instant(int(each)) if values.is_time and each is not None else each for each in found]

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last sequence that were read; zeros when there is none."""
        read = len(self._recording)
        return (self._recording.sequence(1), self._recording.sequence(read)) if read else (0, 0)

    @property
    def received(self) -> int:
        """How many events were read."""
        return len(self._recording)

    @property
    def errors(self) -> int:
        """Whether reading or folding failed."""
        return self._errors + bool(self._fold and self._fold.failure)

    @property
    def note(self) -> str:
        """What went wrong; "" when all was well."""
        return self._note

    def stop(self) -> None:
        """End the reading; what was read can be moved over."""
        with self._changed:
            if self.reading == "reading":
                self.reading = "stopped"
            self._touch()

    def __repr__(self) -> str:
        where = f"event {self.sequence:,} of {self.span[1]:,}" if self.place else "before the first event"
        return f"<Scrubber {self.channel}, {where}>"

    def _state_at(self, place: int) -> Any:
        if self._fold is None:
            return None
        with self._folding:
            return self._fold.at(place)

    def _place_by(self, field: str, wanted: float, *, is_time: bool) -> int:
        """How many events have no more than this in a field."""
        self.wait()
        with self._folding:
            fields = self._recording.fields()
        if field not in fields:
            known = ", ".join(fields) or "none here"
            raise ValueError(f"{field} is no field that each event has and that never goes back ({known})")
        if fields[field].is_time != is_time:
            raise ValueError(f"{field} holds {'times: give `time`' if fields[field].is_time else 'numbers'}")
        return self._recording.up_to(wanted, field)

    def _place_of(self, sequence: int) -> int:
        self._wait(lambda: self.span[1] >= sequence)
        if not 0 <= sequence <= self.span[1]:
            raise ValueError(f"{self.channel} has events up to {self.span[1]:,} here, not {sequence:,}")
        return self._recording.up_to(sequence)

    def _move(self, place: int) -> Self:
        self._place = place
        self._touch()
        return self

    def _wait(self, there: Callable[[], bool]) -> None:
        """Wait until it was read that far, or reading is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.reading != "reading" or there())

    def _touch(self) -> None:
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def _read(self, read: Read) -> None:
        """The edge of the thread: what goes wrong is said in its state."""
        try:
            replay = read(self._take)
            self._fold_ahead()
            if replay and not replay.complete:
                self._errors += 1
                self._end("stopped", f"Reading was cut off ({replay.end}): later events are missing here.")
            self._end("ready")
        except Stopped:
            pass
        except KubeMQError as error:
            self._errors += 1
            self._end("not connected", str(error))
        except Exception as error:
            logger.exception("reading %s broke off", self.channel)
            self._errors += 1
            self._end("stopped", f"Reading broke off: {type(error).__name__}: {error}")

    def _take(self, payloads: Sequence[bytes]) -> None:
        if self.reading != "reading":
            raise Stopped
        with self._folding:
            self._recording.append(payloads)
        self._touch()

    def _fold_ahead(self) -> None:
        """Fold all that was read, so that every position is near one that is known."""
        for place in range(AHEAD, len(self._recording) + AHEAD, AHEAD) if self._fold else ():
            if self.reading != "reading":
                raise Stopped
            self._state_at(min(place, len(self._recording)))

    def _end(self, state: State, note: str = "") -> None:
        with self._changed:
            if self.reading == "reading":
                self.reading, self._note = state, note
            self._touch()


class ReadingJob:
    """The reading of a scrubber, as `jobs` lists it."""

    id = 0
    kind = "scrub"

    def __init__(self, scrubber: Scrubber) -> None:
        self.channel = scrubber.channel
        self.connection = scrubber.connection
        self.code = scrubber.code
        self.since = datetime.now(UTC)
        self._scrubber = scrubber

    @property
    def state(self) -> str:
        """Reading, or how that ended."""
        return self._scrubber.reading

    @property
    def received(self) -> int:
        """How many events were read."""
        return self._scrubber.received

    @property
    def errors(self) -> int:
        """Whether reading or folding failed."""
        return self._scrubber.errors

    @property
    def note(self) -> str:
        """What went wrong; "" when all was well."""
        return self._scrubber.note

    @property
    def finished(self) -> bool:
        """Whether the reading is over."""
        return self._scrubber.reading != "reading"

    def stop(self) -> None:
        """End the reading."""
        self._scrubber.stop()


def _changes(columns: dict[str, list[object]]) -> list[list[object]]:
    return [values for name, values in columns.items() if name.endswith(" change")]
