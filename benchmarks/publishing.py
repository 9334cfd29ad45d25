"""Figures of a run into docs/performance.md: a table of rows, or a table and pictures of how costs grow."""

import re
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import pictures
from benchmarks.samples import Sample
from benchmarks.sides import ROOT

PAGE = ROOT / "docs" / "performance.md"
COLUMNS = (
    *("row", "against", "ours", "the other", "ratio", "goal", "met"),
    "processor time a message: client (broker), ours : other",
)
SIZES = {
    "messages/s": lambda value: f"{value:,.0f}/s",
    "ms": lambda value: f"{value:,.{max(0, 3 - len(f'{value:.0f}'))}f} ms",
    "us/row": lambda value: f"{value:,.{max(0, 3 - len(f'{value:.0f}'))}f} us",
    "MB": lambda value: f"{value:.3g} MB",
}


def publish(document: dict[str, Any], page: Path = PAGE) -> None:
    """Put what a run found where the page has a place for it."""
    if "curves" in document:
        replace(page, "growth", growth_table(document))
        pictures.draw(document, page.parent / "images")
    else:
        replace(page, f"rows-{document['server']}", rows_table(document))


def replace(page: Path, mark: str, text: str) -> None:
    """Put a text between the marks of its place."""
    begin, end = f"<!-- bench:{mark} -->", "<!-- /bench -->"
    place = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    before = page.read_text()
    if not place.search(before):
        raise ValueError(f"{page} has no place {begin}")
    page.write_text(place.sub(lambda _: f"{begin}\n{text}\n{end}", before, count=1))


def said(document: dict[str, Any]) -> str:
    """When and where a run was."""
    day, load = document["at"][:10], document["load"][0]
    return f"On {day}: Python {document['python']}, {document['cores']} cores, load {load:.1f} at the end."


def rows_table(document: dict[str, Any]) -> str:
    """All rows of a run."""
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    return "\n".join([said(document), "", *head, *map(row, document["rows"])])


def row(entry: dict[str, Any]) -> str:
    """One row; figures of a wrong answer are not shown."""
    head = f"| `{entry['row']}`: {entry['text']} | {entry['against']} |"
    if entry["verdict"] == "wrong":
        return f"{head} | | | {entry['goal']} | wrong | |"
    ours, other = ([Sample(**one) for one in entry[side]] for side in ("ours", "other"))
    values = middles(ours, "value"), middles(other, "value")
    size = SIZES[entry["unit"]]
    met = "yes" if entry["verdict"] == "met" else "no"
    cells = [*map(size, values), f"{values[0] / values[1]:.2f}", entry["goal"], met, processor(ours, other)]
    return f"{head} {' | '.join(cells)} |"


def processor(ours: list[Sample], other: list[Sample]) -> str:
    """Processor time of both sides, where it was measured."""
    if not middles(ours, "cpu"):
        return ""
    return " : ".join(f"{middles(s, 'cpu'):.3g} ({middles(s, 'server'):.3g})" for s in (ours, other)) + " us"


def middles(samples: list[Sample], name: str) -> float:
    """The median of a figure."""
    return median(getattr(sample, name) for sample in samples)


def growth_table(document: dict[str, Any]) -> str:
    """Medians of all points, a table for each axis under its picture."""
    parts = [said(document)]
    for axis, curves in groupby(document["curves"], key=lambda curve: curve["axis"]):
        lines = list(curves)
        places = [point["at"] for point in lines[0]["points"]]
        parts += [
            "",
            f"![Cost by {pictures.AXES[axis]}](images/growth-{axis}.svg)",
            "",
            f"| {pictures.AXES[axis]} | " + " | ".join(f"{at:,}" for at in places) + " |",
            "|---" * (len(places) + 1) + "|",
            *map(line, lines),
        ]
    return "\n".join(parts)


def line(curve: dict[str, Any]) -> str:
    """One curve as a row."""
    size = SIZES[curve["unit"]]
    values = [size(median(point["values"])) if point["values"] else "" for point in curve["points"]]
    return f"| {curve['line']} | " + " | ".join(values) + " |"
