"""A bare IPython shell, without history on disk."""

import atexit

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


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
