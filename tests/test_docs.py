"""What README and docs claim."""

import os
import re
import subprocess
import sys

import pytest

from tests.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
SCRIPTS = sorted(
    path for path in (ROOT / "scripts").iterdir() if not path.name.startswith(("_", ".")) and path.is_file()
)
README = (ROOT / "README.md").read_text()
RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for number, cell in enumerate(sys.stdin.read().split("\\0")):
    if not shell.run_cell(cell, store_history=True).success:
        sys.exit(f"this cell of the README fails:\\n{cell}")
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_opens_with_the_two_commands():
    assert re.findall(r"^\./scripts/(\w+)", README, re.MULTILINE)[:2] == ["tour", "test"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_runs_and_is_explained(script):
    assert os.access(script, os.X_OK)
    assert f"`scripts/{script.name}" in (ROOT / "CONTRIBUTING.md").read_text()


def test_every_notebook_is_listed_in_the_readme():
    assert [path.name for path in (ROOT / "notebooks").glob("*.ipynb") if path.name not in README] == []


@pytest.mark.embedded_only
def test_the_cells_of_the_readme_run_from_top_to_bottom():
    cells = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input="\0".join(cells),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "options"), [("broker", ("--address", "--store", "--no-auth")), ("lab", ("notebook",))]
)
def test_the_command_line_has_what_the_readme_names(command, options):
    call = [sys.executable, "-m", "kubemq_nb", command, "--help"]

    help = subprocess.run(call, capture_output=True, text=True, check=True).stdout

    assert [option for option in options if option not in help] == []
