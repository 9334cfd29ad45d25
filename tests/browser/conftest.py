"""One JupyterLab for the run, one page and one kernel for a module, and a notebook for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.browser import lab as labs

SETUP = """%load_ext kubemq_nb
%kubemq connect
def fly(*numbers, **more):
    for number in numbers:
        kq.events_store.send("flights.departures", {"carrier": "UA", "flight": number, "dest": "IAH"}, **more)
"""
LIVE = "live = %kubemq events_store receive flights.departures --start first --live"

OpenNotebook = Callable[..., labs.Notebook]
_failed = pytest.StashKey[bool]()
_desk = pytest.StashKey["Desk"]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    if report.failed and not item.stash.get(_failed, False):
        item.stash[_failed] = True
        with suppress(Exception):  # the page may be gone; what failed is told already
            report.sections.append(("page", item.config.stash[_desk].picture(item.name)))
    return report


@pytest.fixture(scope="module")  # an open Playwright keeps an event loop running in this thread
def browser():
    if not Path(labs.CHROMIUM).exists():
        pytest.skip(
            f"there is no Chromium at {labs.CHROMIUM}: apt-get install chromium, or set KUBEMQ_NB_CHROMIUM"
        )
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = labs.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[labs.Lab]:
    with labs.Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


class Desk:
    """A page and a kernel in which one notebook after another is opened; a new page when one is spoiled."""

    def __init__(self, browser, lab: labs.Lab, pictures: Path, application: str) -> None:
        self._browser = browser
        self._lab = lab
        self._application = application
        self._pages = ExitStack()
        self._notebook: labs.Notebook | None = None
        self._pictures = pictures

    def open(self, name: str, theme: str) -> labs.Notebook:
        """Open a notebook of the lab's folder; nothing that came before is left in page or kernel."""
        url = self._lab.address(name, application=self._application)
        if self._notebook and self._application == "notebooks":  # it opens each in a page of its own
            self.leave()
        if self._notebook:
            self._notebook.open(name, url)
        else:
            self._notebook = self._pages.enter_context(labs.opened(self._browser, url))
        self._notebook.theme(theme)
        return self._notebook

    def picture(self, name: str) -> str:
        """Take a picture of the page; tells where it is, and what cells that failed say."""
        assert self._notebook
        file = self._pictures / f"{name}.png"
        self._notebook.page.screenshot(path=file)
        return "\n".join([str(file), *self._notebook.errors])

    def leave(self) -> None:
        """Close page and kernel."""
        self._notebook = None
        self._pages.pop_all().close()
        self._lab.end_kernels()


@pytest.fixture(scope="module")
def desk(
    browser, lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Where notebooks of this module are opened: in Notebook 7 when it says `APPLICATION = "notebooks"`."""
    pictures = tmp_path_factory.mktemp("pictures")
    desk = Desk(browser, lab, pictures, getattr(request.module, "APPLICATION", "lab/tree"))
    request.config.stash[_desk] = desk
    yield desk
    desk.leave()


@pytest.fixture
def open_notebook(desk, lab, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Opens a notebook, or one of these cells, and runs it; nothing may leave the server or complain."""
    opened: list[labs.Notebook] = []

    def open(*cells: str | Path, theme: str = "JupyterLab Light") -> labs.Notebook:
        name = f"{request.node.originalname}_{len(list(lab.notebooks.iterdir()))}"
        file = lab.copy(cells[0]) if isinstance(cells[0], Path) else lab.write(name, *cells)
        notebook = desk.open(file, theme)
        opened.append(notebook)
        notebook.run_all()
        return notebook

    yield open
    if request.node.stash.get(_failed, False):
        desk.leave()
        return
    for notebook in opened:
        strangers = [url for url in notebook.requests if not url.startswith((lab.url, "blob:", "data:"))]
        complaints = list(notebook.complaints)
        notebook.forget()
        assert strangers == []
        assert complaints == []


@pytest.fixture
def live(open_notebook: OpenNotebook) -> labs.Notebook:
    """A notebook that shows a live table of five flights."""
    notebook = open_notebook(SETUP, f"{LIVE}\nfly(*range(1, 6))\nlive.wait(count=5)\nlive")
    notebook.rows.nth(4).wait_for()
    return notebook
