"""Measure rows on the server at hand."""

from collections.abc import Callable, Iterable

from benchmarks.place import Place
from benchmarks.rows import Row
from benchmarks.samples import Measured, turns
from benchmarks.sides import SideFailed

Tell = Callable[[Row, Measured], None]


def run(place: Place, rows: Iterable[Row], tell: Tell) -> list[tuple[Row, Measured]]:
    """Measure the rows that are for this server; `tell` hears of each when it is done."""
    found = []
    for row in rows:
        if place.kind in row.goals:
            measured = measure(place, row)
            tell(row, measured)
            found.append((row, measured))
    return found


def measure(place: Place, row: Row) -> Measured:
    """All turns of one row."""
    measured = Measured(row.goals[place.kind])
    try:
        for name, sample in turns(row.sides(place), max(place.sizes.rounds, row.rounds)):
            getattr(measured, name).append(sample)
    except (SideFailed, OSError, ValueError) as error:
        measured.failures.append(str(error).strip())
    return measured
