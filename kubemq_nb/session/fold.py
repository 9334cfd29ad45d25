"""A fold over recorded events: the state after each of them, without folding all of them again."""

import copy
import pickle
import traceback
from bisect import bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemq_nb._wire import codec
from kubemq_nb.messages import Event
from kubemq_nb.session.recording import Recording
from kubemq_nb.session.responders import line_of, short

FoldFunction = Callable[[Any, Event], Any]
"""Gives the state after an event, from the state before it."""

CLOSEST = 64  # events between two states that are kept, at first
MOST = 512  # states that are kept; beyond, every second one goes
HELD = 2**26  # bytes of them, as far as that can be told
_UNKNOWN = 2**12  # bytes that are assumed of a state that cannot be pickled


@dataclass(frozen=True, slots=True)
class Failure:
    """A fold that raised."""

    name: str  # of the function
    place: int
    sequence: int
    error: str
    line: int | None
    traceback: str

    @property
    def text(self) -> str:
        """What happened, and what is shown instead."""
        kind, _, reason = self.error.partition(": ")
        where = f" in line {self.line}" if self.line else ""
        why = f", {reason.rstrip('.')}" if reason else ""
        return (
            f"{self.name} stopped at event {self.sequence:,}: {kind}{where}{why}. "
            "The state shown is the one before."
        )


class _Broken(Exception):
    """The fold cannot go beyond the place before this one."""

    def __init__(self, error: BaseException, place: int) -> None:
        super().__init__(place)
        self.error = error
        self.place = place


class _Kept:
    """A state as it was, whatever becomes of the object.

    Raises whatever a state raises that can be neither pickled nor copied.
    """

    __slots__ = ("_state", "size")

    def __init__(self, state: object) -> None:
        try:
            self._state: object = pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
            self.size = len(self._state)
        except Exception:  # noqa: BLE001  a lambda in it, whatever a user keeps in a state
            self._state = (copy.deepcopy(state),)
            self.size = _UNKNOWN

    def again(self) -> Any:
        """A state of its own, equal to that."""
        if isinstance(self._state, bytes):
            return pickle.loads(self._state)  # noqa: S301  written above, by this object
        assert isinstance(self._state, tuple)
        return copy.deepcopy(self._state[0])


class Fold:
    """States of a fold. Not for several threads at once.

    Attributes:
        name: Of the function.
        failure: Where the function raised; None as long as it has not.
    """

    def __init__(self, function: FoldFunction, initial: object, recording: Recording) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self.failure: Failure | None = None
        self._function = function
        self._recording = recording
        self._every = CLOSEST
        self._places = [0]
        self._kept = {0: _Kept(initial)}
        self._place, self._state = 0, self._kept[0].again()

    def at(self, place: int) -> Any:
        """The state after so many events, a copy; from a failure on the one before that."""
        if self.failure:
            place = min(place, self.failure.place - 1)
        self._begin_near(place)
        try:
            for payload in self._recording.payloads(self._place, place):
                self._step(payload)
            return self._copy().again()
        except _Broken as broken:
            self.failure = self._failed(broken.error, broken.place)
            self._place, self._state = 0, self._kept[0].again()  # it may have been half changed
            return self.at(place)

    def _step(self, payload: bytes) -> None:
        try:
            self._state = self._function(self._state, codec.decode_event(payload))
        except (Exception, SystemExit) as error:  # the user's code
            raise _Broken(error, self._place + 1) from error
        self._place += 1
        if self._place == 1 or not self._place % self._every:
            self._keep()

    def _copy(self) -> _Kept:
        """The state of now; where it cannot be copied, the fold ends behind the last one that could."""
        try:
            return _Kept(self._state)
        except Exception as error:  # the user's objects
            raise _Broken(error, self._places[bisect_right(self._places, self._place) - 1] + 1) from error

    def _failed(self, error: BaseException, place: int) -> Failure:
        told = "".join(traceback.format_exception(error))
        sequence = self._recording.sequence(place)
        return Failure(self.name, place, sequence, short(error), line_of(error, self._function), told)

    def _begin_near(self, place: int) -> None:
        """Go to the nearest state at or before a place that is known."""
        nearest = self._places[bisect_right(self._places, place) - 1]
        if not nearest <= self._place <= place:
            self._place, self._state = nearest, self._kept[nearest].again()

    def _keep(self) -> None:
        if self._place in self._kept:
            return
        self._kept[self._place] = self._copy()
        insort(self._places, self._place)
        while len(self._kept) > MOST or sum(kept.size for kept in self._kept.values()) > HELD:
            if len(self._kept) == 1:
                return
            self._every *= 2
            self._kept = {place: kept for place, kept in self._kept.items() if not place % self._every}
            self._places = sorted(self._kept)
