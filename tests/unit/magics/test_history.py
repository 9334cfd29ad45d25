import sqlite3
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension
from kubemq_nb.magics.history import secrets

TOKEN = "eyJhbGciOi.canary.token"


@pytest.fixture
def remembering(tmp_path):
    """A shell that writes its history to disk."""
    config = Config()
    config.HistoryManager.hist_file = str(tmp_path / "history.sqlite")
    shell = InteractiveShell.instance(config=config)
    load_ipython_extension(shell)
    yield shell
    unload_ipython_extension(shell)
    shell._atexit_once()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    "line",
    [
        f"connect h:1 --token {TOKEN}",
        f"connect h:1 --token={TOKEN}",
        f'connect h:1 --auth-token "{TOKEN}"',
        f"connect h:1 --password '{TOKEN}'",
        f"connect h:1 --token-env {TOKEN}",
        f"ping --token {TOKEN}",
    ],
)
def test_a_token_on_a_line_is_refused_and_remembered_nowhere(remembering, line, capsys):
    result = remembering.run_cell(f"%kubemq {line}", store_history=True)
    remembering.history_manager.writeout_cache()

    assert type(result.error_in_exec).__name__ == "UsageError"
    captured = capsys.readouterr()
    assert TOKEN not in captured.out + captured.err
    assert not any(TOKEN in entry for entry in remembering.history_manager.input_hist_raw)
    assert not any(
        TOKEN in str(value) for name, value in remembering.user_ns.items() if name.startswith("_i")
    )
    file = remembering.history_manager.hist_file
    with sqlite3.connect(file) as stored:
        rows = stored.execute("SELECT source, source_raw FROM history").fetchall()
    stored.close()
    assert rows
    assert TOKEN not in str(rows)
    assert TOKEN.encode() not in Path(file).read_bytes()


def test_the_name_of_a_variable_is_no_token():
    assert secrets("connect h:1 --token-env KUBEMQ_AUTH_TOKEN --token-file t") == []
