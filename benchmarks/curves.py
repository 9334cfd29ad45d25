"""How costs grow, as curves: each has points along one axis, and each point several turns.

A round takes every point of an axis once, the next round takes them backwards: a slow minute of the machine
falls on all of them.
"""

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.samples import Sample, Turn, middle
from benchmarks.sides import SideFailed


@dataclass(frozen=True)
class Point:
    """What something costs at one place of the axis."""

    at: int
    turn: Turn
    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What went wrong, each thing once."""
        return list(dict.fromkeys([*self.failures, *(p for sample in self.samples for p in sample.problems)]))


@dataclass(frozen=True)
class Curve:
    """What something costs along an axis."""

    line: str
    unit: str
    points: list[Point]


def curve(line: str, unit: str, turns: Iterable[tuple[int, Turn]]) -> Curve:
    """A curve that has yet to be measured."""
    return Curve(line, unit, [Point(at, turn) for at, turn in turns])


def measure(curves: list[Curve], rounds: int) -> None:
    """Measure all points; a round before the first warms up."""
    points = [point for curve in curves for point in curve.points]
    for number in range(rounds + 1):
        for point in points if number % 2 else reversed(points):
            try:
                sample = point.turn()
            except (SideFailed, OSError, ValueError) as error:
                point.failures.append(str(error).strip())
                continue
            if number or sample.problems:
                point.samples.append(sample)


def line(axis: str, curve: Curve, width: int = 26) -> str:
    """A curve for people, and what was wrong with it below."""
    figures = "  ".join(
        f"{point.at:>9,}: {middle(point.samples):<8.4g}" if point.samples else f"{point.at:>9,}: -"
        for point in curve.points
    )
    said = [f"{axis:9} {curve.line:{width}} {curve.unit:>6}  {figures}"]
    said += [f"    at {point.at:,}: {problem}" for point in curve.points for problem in point.problems]
    return "\n".join(said)


def wrong(curve: Curve) -> bool:
    """Whether a check failed or a point is missing."""
    return any(point.problems or not point.samples for point in curve.points)


def document(found: Iterable[tuple[str, Curve]]) -> dict[str, Any]:
    """All that was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "curves": [entry(axis, curve) for axis, curve in found],
    }


def entry(axis: str, curve: Curve) -> dict[str, Any]:
    """One curve."""
    points = [
        {
            "at": point.at,
            "values": [sample.value for sample in point.samples],
            "problems": point.problems,
        }
        for point in curve.points
    ]
    return {"axis": axis, "line": curve.line, "unit": curve.unit, "points": points}


Tell = Callable[[str, Curve], None]
