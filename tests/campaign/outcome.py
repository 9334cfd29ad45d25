"""What a property of the campaign is, and what trying it told."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the tries; all three counts are zero when the property holds.

    Ids are compared as sets, what was acknowledged with what was received; never one counter with another.
    """

    tries: int
    lost: int = 0  # acknowledged, and never seen again
    duplicated: int = 0  # seen twice
    undetected: int = (
        0  # anything else that must not be: wrong bytes, a hang, a wrong error, growth without bound
    )
    worst: float | None = None  # seconds, of what the property times; None when it times nothing
    note: str = ""  # one line for a person: what was timed, or what went wrong first

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, duplicated or missed."""
        return not (self.lost or self.duplicated or self.undetected)


@dataclass(frozen=True, slots=True)
class Property:
    """Something the product never does, however often it is tried.

    `run` takes how many tries and a seed; the same two make the same tries. `against` is the same on a server
    that the test does not own, for what can be shown there; it takes the address too.
    """

    row: int  # of the table in docs/reliability.md
    name: str  # words with hyphens: also the id of its test
    run: Callable[[int, int], Outcome]
    short: int  # tries in the suite
    long: int  # tries in the campaign
    needs: str = ""  # "root" when the machine must allow it
    against: Callable[[int, int, str], Outcome] | None = None
