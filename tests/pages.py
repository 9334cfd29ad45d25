"""The examples of README, CONTRIBUTING and docs: which blocks a page has, and a way to follow it as a reader.

A block in `python` is a cell, one in `sh` lines of a shell; a `text` block right below is what it shows. Both
run from top to bottom, in one shell and one folder of the page's own. Where a page speaks of a server that is
elsewhere, one on this machine stands in for it.
"""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests.source import ROOT

NEEDS = re.compile(r"# needs (Docker|a Kubernetes cluster): no test runs this\n")
LONGEST = 250  # seconds, far more than any page takes
RUNNER = Path(__file__).with_name("run_page.py")


@dataclass(frozen=True)
class Block:
    """One block of a page, and what the page says it shows."""

    page: str
    language: str
    source: str
    expected: str = ""

    @property
    def needs(self) -> str:
        """What this machine need not have, as the block says; "" when it can run here."""
        found = NEEDS.match(self.source)
        return found[1] if found else ""

    @property
    def name(self) -> str:
        """Page and first line that is no comment."""
        lines = [line for line in self.source.splitlines() if line and not line.startswith("#")]
        return f"{self.page}: {lines[0]}"


def pages() -> list[str]:
    """Every page, as its path in the checkout."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(page.relative_to(ROOT)) for page in found if "site" not in page.parts)


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """All blocks of a page that are no output of another, in order."""
    tokens = MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8"))
    found: list[Block] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type not in {"fence", "code_block"}:
            continue
        shown = token.info == "text" and before is not None and before.info in {"python", "sh"}
        if shown:
            last = found.pop()
            found.append(Block(page, last.language, last.source, token.content))
        else:
            found.append(Block(page, token.info or token.type, token.content))
    return tuple(found)


def run(examples: list[Block], folder: Path, *, servers: dict[str, str], token: str, trusted: Path) -> None:
    """Run examples in a process of their own and fail with what it says.

    Args:
        examples: What to run, in order.
        folder: Where; also the home and all other folders of the user that they run as.
        servers: Address on the page to the one that stands in for it.
        token: Of the servers; in the environment, and typed when something asks.
        trusted: Certificates of the authorities that the system trusts.
    """
    steps = [[each.language, each.source, each.expected] for each in examples]
    homes = {
        f"XDG_{kind}_HOME": str(folder / f".{kind.lower()}") for kind in ("DATA", "STATE", "CONFIG", "CACHE")
    }
    runtime = folder / ".runtime"
    runtime.mkdir(mode=0o700)
    command = [sys.executable, RUNNER]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    surroundings = {
        **os.environ,
        **homes,
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / ".ipython"),
        "XDG_RUNTIME_DIR": str(runtime),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "KUBEMQ_TOKEN": token,
        "SSL_CERT_FILE": str(trusted),
    }
    # A group of its own: no terminal to ask for a password at, and what still runs at the end ends with it.
    with subprocess.Popen(
        command, cwd=folder, env=surroundings, text=True, start_new_session=True, **pipes
    ) as process:
        try:
            out, err = process.communicate(f"{json.dumps([steps, servers])}\n{token}\n", timeout=LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
    assert process.returncode == 0, out + err
