"""What one turn of one side showed, and what several turns of two sides amount to."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


class Sample(NamedTuple):
    """One turn of one side."""

    value: float  # in the row's unit
    problems: tuple[str, ...] = ()  # what it did wrong; a fast wrong answer counts for nothing
    cpu: float = 0.0  # processor microseconds a message, of the client
    server: float = 0.0  # and of the server, where it is ours


Turn = Callable[[], Sample]


class Sides(NamedTuple):
    """The two that are compared; each call is one turn."""

    ours: Turn
    other: Turn


class Goal(NamedTuple):
    """What a row is to reach."""

    at: Literal["least", "most"]
    bound: float
    of: Literal["ratio", "ours", "difference"] = "ratio"

    def __str__(self) -> str:
        sign = ">=" if self.at == "least" else "<="
        what = {"ratio": "x", "ours": "", "difference": " more"}[self.of]
        return f"{sign} {self.bound:g}{what}"

    def met(self, reached: float) -> bool:
        """Whether it is reached."""
        return reached >= self.bound if self.at == "least" else reached <= self.bound


@dataclass(frozen=True)
class Measured:
    """All turns of one row."""

    goal: Goal
    ours: list[Sample] = field(default_factory=list)
    other: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # what raised, before or in a turn

    @property
    def reached(self) -> float | None:
        """What the goal is about; None when a side has no turn."""
        if not (self.ours and self.other):
            return None
        ours, other = middle(self.ours), middle(self.other)
        return {"ours": ours, "difference": ours - other, "ratio": ours / other}[self.goal.of]

    @property
    def problems(self) -> list[str]:
        """What went wrong, each thing once."""
        said = [
            f"{side}: {problem}"
            for side, samples in (("ours", self.ours), ("the other", self.other))
            for sample in samples
            for problem in sample.problems
        ]
        return list(dict.fromkeys([*self.failures, *said]))

    @property
    def verdict(self) -> Literal["met", "missed", "wrong"]:
        """Wrong when a check failed or a side is missing, whatever the times."""
        if self.problems or self.reached is None:
            return "wrong"
        return "met" if self.goal.met(self.reached) else "missed"


def middle(samples: list[Sample], name: str = "value") -> float:
    """The median of a figure."""
    return statistics.median(getattr(sample, name) for sample in samples)


def turns(sides: Sides, rounds: int) -> Iterator[tuple[Literal["ours", "other"], Sample]]:
    """Both sides turn by turn, the first of a round second in the next; a round before them warms up."""
    for number in range(rounds + 1):
        names: list[Any] = ["ours", "other"] if number % 2 else ["other", "ours"]
        for name in names:
            sample = getattr(sides, name)()
            # The first turn's time is nobody's, but what it did wrong was wrong.
            if number or sample.problems:
                yield name, sample
