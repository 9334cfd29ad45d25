"""What a run shows: a table for people, JSON for programs."""

import os
import platform
import sys
from datetime import UTC, datetime
from typing import Any

from benchmarks.place import OFFICIAL, Place
from benchmarks.rows import Row
from benchmarks.samples import Measured, Sample, middle

HEAD = (
    f"{'row':14} {'ours':>10} {'the other':>10} {'ratio':>6}  {'goal':>9}  {'spread':>13}"
    "  processor time a message: client (server)"
)


def line(row: Row, measured: Measured) -> str:
    """One row of the table, and what was wrong with it below."""
    said = [f"{row.name:14} {figures(measured)}  {measured.verdict}"]
    said += [f"    {problem}" for problem in measured.problems]
    return "\n".join(said)


def figures(measured: Measured) -> str:
    """Medians, ratio, goal, spread of our turns and of the other's, processor time."""
    if measured.reached is None:
        return "-"
    ours, other = middle(measured.ours), middle(measured.other)
    spreads = f"{spread(measured.ours)}/{spread(measured.other)}"
    return (
        f"{ours:>10,.5g} {other:>10,.5g} {ours / other:>6.2f}  {measured.goal!s:>9}  {spreads:>13}"
        f"  {cpu(measured.ours)} : {cpu(measured.other)}"
    )


def spread(samples: list[Sample]) -> str:
    """Half the distance from the least to the most, in percent of the median."""
    values = [sample.value for sample in samples]
    return f"+-{(max(values) - min(values)) / 2 / middle(samples):.0%}" if middle(samples) else "-"


def cpu(samples: list[Sample]) -> str:
    """Processor time a message of client and server."""
    return f"{middle(samples, 'cpu'):.3g} ({middle(samples, 'server'):.3g}) us"


def document(place: Place, found: list[tuple[Row, Measured]]) -> dict[str, Any]:
    """All that was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "server": place.kind,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "official": OFFICIAL,
        "command": sys.argv,
        "rows": [entry(row, measured) for row, measured in found],
    }


def entry(row: Row, measured: Measured) -> dict[str, Any]:
    """One row."""
    return {
        "row": row.name,
        "text": row.text,
        "against": row.against,
        "unit": row.unit,
        "goal": str(measured.goal),
        "reached": measured.reached,
        "verdict": measured.verdict,
        "problems": measured.problems,
        "ours": [sample._asdict() for sample in measured.ours],
        "other": [sample._asdict() for sample in measured.other],
    }
