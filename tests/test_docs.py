"""What README and docs claim."""

import os
import re
import subprocess
import sys

import pytest

from tests.source import ROOT

MAP = ROOT / "docs" / "README.md"
PAGES = sorted(
    page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if "site" not in page.parts
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
SCRIPTS = sorted(
    path for path in (ROOT / "scripts").iterdir() if not path.name.startswith(("_", ".")) and path.is_file()
)
README = (ROOT / "README.md").read_text()


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


KINDS = ("Tour", "How to", "Reference", "Explanation")


def linked(page):
    """The pages and notebooks of the checkout that a page leads to."""
    found = {(page.parent / target).resolve() for target in LINK.findall(page.read_text(encoding="utf-8"))}
    return {path for path in found if path.suffix in {".md", ".ipynb"} and path.is_relative_to(ROOT)}


def test_the_map_has_the_four_kinds_of_pages():
    assert re.findall(r"^## ([\w ]+):", MAP.read_text(encoding="utf-8"), re.MULTILINE) == list(KINDS)


def test_every_page_is_of_one_kind():
    parts = re.split(r"^## ", MAP.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    links = [target for part in parts for target in dict.fromkeys(LINK.findall(part))]

    assert [target for target in links if links.count(target) > 1] == []


def test_every_page_is_reached_from_the_readme_by_way_of_the_map():
    listed = linked(ROOT / "README.md") | linked(MAP)
    lists = [page for page in listed if page.name == "README.md"]
    reached = listed.union(*(linked(page) for page in lists))

    assert MAP in linked(ROOT / "README.md")
    assert [page for page in PAGES if page not in reached] == []


@pytest.mark.parametrize(
    ("command", "options"), [("broker", ("--address", "--store", "--no-auth")), ("lab", ("notebook",))]
)
def test_the_command_line_has_what_the_readme_names(command, options):
    call = [sys.executable, "-m", "kubemq_nb", command, "--help"]

    help = subprocess.run(call, capture_output=True, text=True, check=True).stdout

    assert [option for option in options if option not in help] == []
