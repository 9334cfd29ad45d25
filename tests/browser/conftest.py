"""One JupyterLab and one browser for the run, and a notebook for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("browser")


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


@pytest.fixture
def open_notebook(browser, lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenNotebook]:
    """Opens a notebook, or one of these cells, and runs it; nothing may leave the server or complain."""
    opened: list[labs.Notebook] = []
    with ExitStack() as pages:

        def open(*cells: str | Path, theme: str = "JupyterLab Light") -> labs.Notebook:
            lab.theme(theme)
            name = request.node.originalname
            address = lab.copy(cells[0]) if isinstance(cells[0], Path) else lab.write(name, *cells)
            notebook = pages.enter_context(labs.opened(browser, address))
            opened.append(notebook)
            notebook.run_all()
            return notebook

        yield open
        for notebook in opened:
            notebook.page.screenshot(path=tmp_path / "page.png")
            strangers = [url for url in notebook.requests if not url.startswith((lab.url, "blob:", "data:"))]
            assert strangers == []
            assert notebook.complaints == []
    lab.end_kernels()


@pytest.fixture
def live(open_notebook: OpenNotebook) -> labs.Notebook:
    """A notebook that shows a live table of five flights."""
    notebook = open_notebook(SETUP, f"{LIVE}\nfly(*range(1, 6))\nlive.wait(count=5)\nlive")
    notebook.rows.nth(4).wait_for()
    return notebook
