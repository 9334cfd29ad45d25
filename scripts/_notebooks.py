"""Run every notebook again and save what it shows; see scripts/notebooks."""

import sys
import tempfile
from pathlib import Path

import nbformat
from _run_notebook import run_notebook

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def main(chosen: list[str]) -> None:
    """Outputs and execution counts, without widget state, times and versions of this machine."""
    for path in map(Path, chosen) if chosen else sorted(NOTEBOOKS.glob("*.ipynb")):
        print(path.name, flush=True)
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            run_notebook(notebook, folder, lambda _cell: None)
        notebook.metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
