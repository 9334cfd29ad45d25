"""Make the site of scripts/docs in the given folder; every warning is an error."""

import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import main

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as cache
    ):  # a fresh one each time, because what was read before warns no more
        options = ["--quiet", "--fail-on-warning", "--conf-dir", str(ROOT / "docs" / "site"), "-d", cache]
        sys.exit(main([*options, str(ROOT), sys.argv[1]]))
