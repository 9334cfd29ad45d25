"""The same cells say the same wherever they run; what a view showed stays in the saved notebook."""

import re
import subprocess
import sys

import nbformat
import pytest

CELLS = [
    "%load_ext kubemq_nb",
    "%kubemq connect -q",
    "%kubemq queues send orders '{\"n\": 1}' --id first",
    "%kubemq events_store send prices '{\"price\": 2}' --id one",
    "%kubemq queues peek orders",
    "%kubemq events_store receive prices",
    "%kubemq queues peek nowhere --wait 0s",
]
VIEWS = {
    "dashboard": "%kubemq ui",
    "queue browser": "%kubemq ui queues orders",
    "held message": "%kubemq queues transaction orders --hold 0s",
    "live table": "live = %kubemq events_store receive prices --live --start first\nlive.wait(count=1)\nlive",
    "responder": "%kubemq queries respond price --echo",
    "answers": "%kubemq commands respond doors --manual",
    "scrubber": "%kubemq events_store scrub prices",
    "form": "%kubemq ui queues orders --send",
}
WITH_ROWS = {"dashboard", "queue browser", "held message", "live table"}
HARMLESS = {
    "p",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "small",
    "b",
    "code",
    "pre",
    "br",
    "div",
    "caption",
}


def notebook(path, cells):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(made, path)
    return path


def run(command, **options):
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, timeout=100, **options)


def nbconvert(path, out):
    run(["nbconvert", "--execute", "--to", "notebook", "--output", out.name, str(path)], cwd=path.parent)


def papermill(path, out):
    run(["papermill", "--no-progress-bar", str(path), str(out)], cwd=path.parent)


def displays(path):
    """The outputs of each cell as their data."""
    saved = nbformat.read(path, as_version=4)
    return [[output["data"] for output in cell.outputs if "data" in output] for cell in saved.cells]


def still(text):
    """Text without the times that differ from run to run."""
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "TIME", text).strip()


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The same notebook run by nbconvert and by papermill."""
    folder = tmp_path_factory.mktemp("everywhere")
    path = notebook(folder / "cells.ipynb", [*CELLS, *VIEWS.values()])
    outputs = {}
    for name, execute in (("nbconvert", nbconvert), ("papermill", papermill)):
        execute(path, folder / f"{name}.ipynb")
        outputs[name] = displays(folder / f"{name}.ipynb")
    return outputs


@pytest.mark.rows("M-45")
def test_cells_say_the_same_in_a_terminal_and_when_a_notebook_is_executed(executed):
    typed = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input="\n".join([*CELLS, ""]),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    terminal = still(typed.stdout)

    for outputs in executed.values():
        told = [still(data["text/plain"]) for cell in outputs[: len(CELLS)] for data in cell]
        assert len(told) == 5
        assert all(text in terminal for text in told), terminal


@pytest.mark.rows("M-17")
@pytest.mark.parametrize("view", VIEWS)
def test_what_a_view_shows_is_saved_as_text_and_its_rows_as_a_plain_table(executed, view):
    place = len(CELLS) + list(VIEWS).index(view)

    for outputs in executed.values():
        data = outputs[place][-1]
        assert data["text/plain"].strip()
        assert "Saved view, no kernel." in data["text/html"]
        assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", data["text/html"])
        assert ("<table" in data["text/html"]) is (view in WITH_ROWS)
        assert {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z]+)", data["text/html"])} <= HARMLESS
