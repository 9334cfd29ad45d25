"""Run a notebook in a fresh kernel that knows of no broker but its own."""

import os
from collections.abc import Callable

os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's kernel, not one of the user's

from nbclient import NotebookClient
from nbformat import NotebookNode


def run_notebook(notebook: NotebookNode, folder: str, say: Callable[[NotebookNode], object]) -> None:
    """Run every cell; `say` hears of each before it runs. Raises CellExecutionError at the first that fails.

    Args:
        notebook: Changed in place: outputs and execution counts.
        folder: Where the kernel runs, and has its profile.
        say: Called with a cell.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMQ_")}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        extra_arguments=[
            "--log-level=ERROR"
        ],  # a kernel warns about TCP, which is this machine talking to itself
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": folder}},
        on_cell_start=lambda cell, cell_index: say(cell),  # noqa: ARG005  nbclient names them
    )
    client.execute(env=clean | {"IPYTHONDIR": folder})
