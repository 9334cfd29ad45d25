"""The recipes of docs/how-to: their cells run, and show what the page says that they show."""

import json
import re
import subprocess
import sys

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.source import ROOT

FOLDER = ROOT / "docs" / "how-to"
RECIPES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
BLOCK = re.compile(r"^```python( server)?\n(.*?)^```$(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
import json
import sys

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_cell("import kubemq_nb")
for cell, expected in json.load(sys.stdin):
    done = shell.run_cell(cell, store_history=True)
    if not done.success:
        sys.exit(f"this cell fails:\\n{cell}")
    shown = shell.display_formatter.format(done.result)[0]["text/plain"].strip()
    if expected and shown != expected.strip():
        sys.exit(f"this cell:\\n{cell}\\nshows:\\n{shown}\\nnot:\\n{expected}")
"""


def blocks(page):
    return [(source, expected, bool(server)) for server, source, expected in BLOCK.findall(page.read_text())]


@pytest.mark.embedded_only
@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_does_what_it_says(page, tmp_path):
    cells = [(source, expected) for source, expected, server in blocks(page) if not server]

    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(cells),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_shows_a_result(page):
    assert any(expected for _, expected, _ in blocks(page))


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_no_block_of_a_recipe_is_overlooked(page):
    opened = re.findall(r"^```(\w.*)$", page.read_text(), re.MULTILINE)

    assert set(opened) <= {"python", "python server", "text", "sh"}
    assert sum(kind.startswith("python") for kind in opened) == len(blocks(page))
    assert opened.count("text") == sum(bool(expected) for _, expected, _ in blocks(page))


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_what_needs_a_server_is_a_command_that_there_is(page):
    from kubemq_nb.magics import grammar
    from kubemq_nb.magics.commands import COMMANDS
    from kubemq_nb.magics.words import split

    cells = [source for source, _, server in blocks(page) if server]

    assert [TransformerManager().check_complete(source)[0] for source in cells] == ["complete"] * len(cells)
    for line in "".join(cells).splitlines():
        if line.startswith("%kubemq "):
            words = split(line.removeprefix("%kubemq "))
            command, length = grammar.find(words, COMMANDS)
            parsed = grammar.parse(command, words[length:], str)
            assert grammar.missing(command, parsed.arguments) == ""


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_shell_lines_are_well_formed(page):
    for block in SHELL.findall(page.read_text()):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)


def test_every_recipe_is_listed():
    index = (FOLDER / "README.md").read_text()

    assert [page.name for page in RECIPES if f"]({page.name})" not in index] == []
