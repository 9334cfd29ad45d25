"""One JupyterLab, one page and one kernel for all browser tests, and a notebook for each of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import lab as labs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CONNECT = "%load_ext kubemq_nb\n%kubemq connect\n"
SETUP = (
    CONNECT
    + """
def fly(*numbers, **more):
    for number in numbers:
        kq.events_store.send("flights.departures", {"carrier": "UA", "flight": number, "dest": "IAH"}, **more)
"""
)
LAB = "lab/tree"
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


class Desk:
    """A page and a kernel in which one notebook after another is opened; new ones when they are spoiled."""

    def __init__(self, browser: "Browser", lab: labs.Lab, pictures: Path) -> None:
        self.lab = lab
        self._browser = browser
        self._pictures = pictures
        self._windows: dict[str, tuple[labs.Notebook, ExitStack]] = {}  # by application
        self._notebook: labs.Notebook | None = None

    def open(self, name: str, theme: str, application: str) -> labs.Notebook:
        """Open a notebook of the lab's folder; nothing that came before is left in page or kernel."""
        url = self.lab.address(name, application=application)
        if application in self._windows:
            self._notebook, _ = self._windows[application]
            self._notebook.open(name, url)
        else:
            stack = ExitStack()
            stack.callback(self.lab.end, self.lab.begin(name))  # its kernel starts while the page is loaded
            self._notebook = stack.enter_context(labs.opened(self._browser, url))
            self._windows[application] = self._notebook, stack
        self._notebook.theme(theme)
        return self._notebook

    def picture(self, name: str) -> str:
        """Take a picture of the page; tells where it is, and what cells that failed say."""
        assert self._notebook
        file = self._pictures / f"{name}.png"
        self._notebook.page.screenshot(path=file)
        return "\n".join([str(file), *self._notebook.errors])

    def close(self, application: str) -> None:
        """Close a page, and end its kernel."""
        _, stack = self._windows.pop(application)
        stack.close()

    def leave(self) -> None:
        """Close all pages, and end all kernels."""
        for application in list(self._windows):
            self.close(application)
        self.lab.end_kernels()


@pytest.fixture(scope="package")  # an open Playwright keeps an event loop running in this thread
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One JupyterLab and one browser for all of these tests."""
    if not Path(labs.CHROMIUM).exists():
        pytest.skip(
            f"there is no Chromium at {labs.CHROMIUM}: apt-get install chromium, or set KUBEMQ_NB_CHROMIUM"
        )
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)
    with ExitStack() as stack:
        lab = labs.Lab(tmp_path_factory.mktemp("lab"))
        stack.callback(lab.close)
        browser = labs.launch(stack.enter_context(sync_playwright()))  # while Lab starts
        stack.callback(browser.close)
        lab.wait()
        desk = request.config.stash[_desk] = Desk(browser, lab, tmp_path_factory.mktemp("pictures"))
        stack.callback(desk.leave)
        yield desk


@pytest.fixture
def open_notebook(desk: Desk, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Opens a notebook, or one of these cells, and runs it; nothing may leave the server or complain.

    In Notebook 7 when the module says `APPLICATION = "notebooks"`.
    """
    application = getattr(request.module, "APPLICATION", LAB)
    opened: list[labs.Notebook] = []

    def open(*cells: str | Path, theme: str = "JupyterLab Light") -> labs.Notebook:
        name = f"{request.node.originalname}_{len(list(desk.lab.notebooks.iterdir()))}"
        file = desk.lab.copy(cells[0]) if isinstance(cells[0], Path) else desk.lab.write(name, *cells)
        notebook = desk.open(file, theme, application)
        opened.append(notebook)
        notebook.run_all()
        return notebook

    yield open
    if request.node.stash.get(_failed, False):
        desk.leave()
        return
    for notebook in opened:
        strangers = [url for url in notebook.requests if not url.startswith((desk.lab.url, "blob:", "data:"))]
        complaints = list(notebook.complaints)
        notebook.forget()
        assert strangers == []
        assert complaints == []
    if opened and application != LAB:  # each notebook has a page of its own there
        desk.close(application)


@pytest.fixture
def live(open_notebook: OpenNotebook) -> labs.Notebook:
    """A notebook that shows a live table of five flights."""
    notebook = open_notebook(SETUP, f"{LIVE}\nfly(*range(1, 6))\nlive.wait(count=5)\nlive")
    notebook.rows.nth(4).wait_for()
    return notebook
