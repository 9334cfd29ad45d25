"""A bare IPython shell without history on disk, and what is typed into it."""

import atexit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension


@pytest.fixture
def shell():
    """A shell of its own, which `get_ipython` and `display` find."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    try:
        yield shell
    finally:
        shell._atexit_once()
        atexit.unregister(shell.atexit_operations)
        InteractiveShell.clear_instance()


@pytest.fixture
def lab(shell, address, credentials):
    """A shell with the extension, connected to the broker of this run."""
    load_ipython_extension(shell)
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in credentials.items())
    shell.run_cell(f"%kubemq connect {address}{options} --name lab -q").raise_error()
    yield shell
    unload_ipython_extension(shell)


@pytest.fixture
def run(lab, channel):
    """Run a cell, CH standing for a channel of the test; its result."""

    def run(cell):
        result = lab.run_cell(cell.replace("CH", channel))
        result.raise_error()
        return result.result

    return run
