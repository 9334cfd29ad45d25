"""The shipped notebooks as documents; what their cells show is compared in the same run (nbval)."""

import json
import re

import nbformat
import pytest

from tests.source import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HIDDEN = {"nbval-ignore-output", "nbval-skip"}
PRIVATE = re.compile(r"/home/|/root/|/tmp/|127\.0\.0\.1:\d|0x[0-9a-f]{6,}|authorization", re.IGNORECASE)

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", ()))


@pytest.mark.rows("M-47")
def test_a_notebook_was_run_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]

    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.rows("M-47")
def test_at_least_four_of_five_cells_are_compared(path):
    cells = code_cells(path)
    showing = [cell for cell in cells if cell.outputs]

    for some in (cells, showing):
        assert sum(not tags(cell) & HIDDEN for cell in some) >= 0.8 * len(some)


def test_only_cells_that_say_so_show_an_error(path):
    failed = [cell for cell in code_cells(path) if any(out.output_type == "error" for out in cell.outputs)]

    assert [cell.source for cell in failed if "raises-exception" not in tags(cell)] == []


def test_a_notebook_keeps_no_widget_state(path):
    assert "widgets" not in json.loads(path.read_text())["metadata"]


def test_a_notebook_shows_nothing_of_the_machine_it_ran_on(path):
    shown = [json.dumps(cell.outputs) for cell in code_cells(path) if not tags(cell) & HIDDEN]

    assert [text for text in shown if PRIVATE.search(text)] == []


def test_hidden_outputs_carry_no_path_either(path):
    shown = [json.dumps(cell.outputs) for cell in code_cells(path)]

    assert [text for text in shown if re.search(r"/home/|/root/", text)] == []
