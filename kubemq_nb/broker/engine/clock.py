"""Time as the engine sees it: a port, so that tests move a clock instead of sleeping."""

from collections.abc import Callable
from typing import Protocol

SECOND = 1_000_000_000  # nanoseconds
RETRY = SECOND  # how long to wait when the store could not do what has to be done


class Alarm(Protocol):
    """A call that will be made later."""

    def cancel(self) -> None:
        """Do not make the call; harmless when it was made."""


class Clock(Protocol):
    """Says what time it is and calls back later, on the thread of the engine."""

    def now(self) -> int:
        """The time in Unix nanoseconds."""

    def wake_at(self, when: int, call: Callable[[], None]) -> Alarm:
        """Make `call` at `when` (Unix nanoseconds), or soon when that is past; never at once."""

    def wake_beside(self, when: int, call: Callable[[], None]) -> object:
        """The same where it need not be exact, without slowing down what goes on until then."""
