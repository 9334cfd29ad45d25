"""The command line of the lab: open JupyterLab with this environment's kernel."""

import argparse
import os
import sys
from importlib.util import find_spec
from typing import NoReturn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command understands."""
    parser.add_argument("notebook", nargs="?", help="notebook or folder to open; this folder when left out")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="passed on to JupyterLab, as --no-browser")


def run(options: argparse.Namespace) -> int:
    """Become JupyterLab; the exit status counts only when that is not installed."""
    if find_spec("jupyterlab"):
        become(options)
    sys.stderr.write("JupyterLab is not installed here; this installs it: pip install 'kubemq-nb[lab]'\n")
    return 1


def become(options: argparse.Namespace) -> NoReturn:
    """Replace this process by JupyterLab."""
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # this environment's kernel, not one of the user's
    wanted = [options.notebook] if options.notebook else []
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *wanted, *options.options])  # noqa: S606
