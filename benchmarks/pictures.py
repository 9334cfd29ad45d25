"""Pictures of how costs grow, from what a run of `scripts/bench --growth` wrote."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#76808c"  # read on white and on black alike
COLOURS = ("#3987e5", "#d9730d", "#2e9e6b", "#c2549d", "#8a6fdf")
MARKS = "osD^v"  # whoever sees no colours tells lines apart by them
AXES = {
    "messages": "messages held in the queue, and as many stored events",
    "clients": "clients at once",
    "bodies": "bytes of a body",
    "channels": "queues, of ten messages each",
}
UNITS = {"us/row": "microseconds a row", "ms": "milliseconds", "MB": "MB"}
LOGARITHMIC = {"bodies", "clients", "channels"}  # where lines differ by more than ten
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "growth",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.25,
}


def draw(document: dict[str, Any], folder: Path) -> list[Path]:
    """One picture an axis: a panel a unit, a line a curve, a band from its least turn to its most."""
    made = []
    for axis, curves in groupby(document["curves"], key=lambda curve: curve["axis"]):
        path = folder / f"growth-{axis}.svg"
        with mpl.rc_context(STYLE):
            picture(axis, list(curves)).savefig(path, transparent=True, metadata={"Date": None})
        made.append(path)
    return made


def picture(axis: str, curves: list[dict[str, Any]]) -> Figure:
    """The panels of one axis, side by side."""
    units = list(dict.fromkeys(curve["unit"] for curve in curves))
    widths = [2 if unit == "us/row" else 1 for unit in units]
    figure = Figure(figsize=(6.4 if len(units) == 1 else 9, 3.2), layout="constrained")
    panels = figure.subplots(1, len(units), squeeze=False, width_ratios=widths)[0]
    for panel, unit in zip(panels, units, strict=True):
        plot(panel, [curve for curve in curves if curve["unit"] == unit])
        panel.set_ylabel(UNITS[unit])
        panel.set_xscale("log", base=2 if axis == "clients" else 10)
        ticks = sorted({point["at"] for curve in curves for point in curve["points"]})
        panel.set_xticks(ticks, [short(tick) for tick in ticks], minor=False)
        panel.minorticks_off()
        if axis in LOGARITHMIC and unit == "us/row":
            panel.set_yscale("log")
        else:
            panel.set_ylim(bottom=0)
        panel.grid(axis="y")
        panel.legend(frameon=False, fontsize=9)
    figure.supxlabel(AXES[axis], fontsize=10)
    return figure


def plot(panel: Any, curves: Iterable[dict[str, Any]]) -> None:
    """Draw the lines of one panel."""
    for number, curve in enumerate(curves):
        points = [(point["at"], point["values"]) for point in curve["points"] if point["values"]]
        places = [at for at, _ in points]
        colour = COLOURS[number % len(COLOURS)]
        lows, highs = [min(values) for _, values in points], [max(values) for _, values in points]
        panel.fill_between(places, lows, highs, color=colour, alpha=0.15, linewidth=0)
        middles = [median(values) for _, values in points]
        mark = MARKS[number % len(MARKS)]
        panel.plot(
            places, middles, color=colour, marker=mark, markersize=5, linewidth=1.8, label=curve["line"]
        )


def short(number: int) -> str:
    """1k for 1000."""
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            return f"{number / size:g}{sign}"
    return str(number)
