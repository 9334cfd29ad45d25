"""The site of scripts/docs: made from source without a warning, with all that is public on it."""

import inspect
import re
import subprocess
import sys
from html import unescape

import pytest

import kubemq_nb
from kubemq_nb.magics.commands import COMMANDS
from tests.source import ROOT

FOR_VIEWS = {  # methods of public classes that the layers above call, not users
    "Answers": {"add", "take"},
    "Session": {"begin", "line", "replaced"},
    "Transaction": {"changed", "hold"},
    "Feed": {"begin"},
    "Responder": {"answer", "begin", "deliver", "exchanges", "give_to", "settle", "swap"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "_docs.py", folder], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def anchors(page):
    return set(re.findall(r'id="([^"]+)"', page.read_text(encoding="utf-8")))


def text(page):
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def public_methods(owner):
    members = inspect.getmembers(owner, lambda each: inspect.isroutine(each) or isinstance(each, property))
    named = [name for name, each in members if name[0] != "_" and _ours(owner, name)]
    return set(named) - FOR_VIEWS.get(owner.__name__, set())


def _ours(owner, name):
    home = next(each for each in owner.__mro__ if name in vars(each))
    return home.__module__.startswith("kubemq_nb")


def owners():
    """The public classes, and what a session's attributes are."""
    with kubemq_nb.connect() as session:
        parts = {type(each) for name, each in vars(session).items() if name[0] != "_"} - {
            kubemq_nb.ServerInfo
        }
    classes = {
        f"kubemq_nb.{name}": getattr(kubemq_nb, name) for name in kubemq_nb.__all__ if name != "connect"
    }
    return classes | {f"{part.__module__}.{part.__name__}": part for part in parts}


@pytest.mark.rows("I-02")
def test_every_public_name_and_method_is_on_the_site_that_is_built_from_source(site):
    wanted = {f"kubemq_nb.{name}" for name in kubemq_nb.__all__}
    for name, owner in owners().items():
        wanted |= {f"{name}.{method}" for method in public_methods(owner)}

    assert sorted(wanted - anchors(site / "docs" / "api.html")) == []
    assert {f"kubemq_nb.session.queues.Queues.{verb}" for verb in ("send", "peek", "receive")} <= wanted


def test_every_command_is_on_the_site(site):
    page = text(site / "docs" / "commands.html")

    assert [command.words for command in COMMANDS if f"\n{command.words}¶" not in page] == []


def test_every_page_and_notebook_is_on_the_site(site):
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    pages = [page.relative_to(ROOT) for page in pages if "site" not in page.parts]

    assert [page for page in pages if not (site / page).with_suffix(".html").exists()] == []


def test_the_site_begins_with_the_map(site):
    target = re.search(r"url=([^\"]+)", (site / "index.html").read_text(encoding="utf-8"))[1]

    assert (site / target).resolve() == (site / "docs" / "README.html").resolve()


def test_a_page_asks_no_other_host_for_anything(site):
    loading = re.compile(
        r"""(?:src=|<link[^>]+href=|url\(|@import |import )\s*["']?(?:https?:)?//[^"')\s]+"""
    )
    files = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]

    found = {address for path in files for address in loading.findall(path.read_text(encoding="utf-8"))}

    assert len(files) > len(list((ROOT / "docs").rglob("*.md")))
    assert found == set()
