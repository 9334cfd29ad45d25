"""The product broken on purpose, on a copy: each break must be caught by the test that is there for it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.source import ROOT

HERE = Path(__file__).parent
COPIED = ("kubemq_nb", "tests", "scripts", "docs", "pyproject.toml", "README.md")
LONGEST = 240  # seconds of one test
FAILED = 1  # pytest's exit code for tests that ran and failed
BY_PROPERTY = "tests/campaign/test_campaign.py::test_a_property_holds"

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break the product."""

    patch: str  # file name here; also what it is called
    breaks: str  # what is wrong with the product then, in words
    test: str  # that must fail: pytest's name of it, or the name of a property, whose short form it is

    @property
    def name(self) -> str:
        """As it is chosen by."""
        return self.patch.removesuffix(".patch")

    @property
    def node(self) -> str:
        """What pytest runs."""
        return self.test if "::" in self.test else f"{BY_PROPERTY}[{self.test}]"


def mutations() -> list[Mutation]:
    """All of mutations.toml, in its order."""
    table = tomllib.loads((HERE / "mutations.toml").read_text()).get("mutation", [])
    return [Mutation(**entry) for entry in table]


def applies(mutation: Mutation, tree: Path) -> bool:
    """Apply a patch to a tree; whether it fits without a doubt."""
    command = ["patch", "--strip=1", "--fuzz=0", "--batch", "--silent", "--input", HERE / mutation.patch]
    return subprocess.run(command, cwd=tree, capture_output=True, check=False).returncode == 0


def copied(target: Path) -> Path:
    """A copy of the tree that can be broken."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target / name)
    return target


def outcome_of(tree: Path, nodes: list[str]) -> int:
    """Run tests on a tree; pytest's exit code, or -1 when they did not end."""
    quick = ["-q", "-x", "--override-ini=addopts=--import-mode=importlib", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *quick, *nodes]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=LONGEST * len(nodes), check=False
        )
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


def prove(only: list[str], say: Say) -> int:
    """Try each mutation and print its line; 1 when one is not caught, or a test fails without any."""
    chosen = [each for each in mutations() if not only or each.name.startswith(tuple(only))]
    if not chosen:
        say("no mutation has that name")
        return 1
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="kubemq-nb-mutant-") as folder:
        whole = outcome_of(copied(Path(folder)), sorted({each.node for each in chosen}))
        say(f"{'the tests without any mutation':48} {'pass' if whole == 0 else f'FAIL ({whole})'}")
    for mutation in chosen:
        began = time.monotonic()
        verdict = tried(mutation)
        verdicts.append(verdict)
        took = time.monotonic() - began
        say(f"{mutation.name:48} {verdict:18} {took:4.0f} s  {mutation.node.rpartition('/')[2]}")
    caught = verdicts.count("caught")
    say(f"\n{caught} of {len(chosen)} mutations are caught")
    return 0 if whole == 0 and caught == len(chosen) else 1


def tried(mutation: Mutation) -> str:
    """What became of one mutation, in words."""
    with tempfile.TemporaryDirectory(prefix="kubemq-nb-mutant-") as folder:
        tree = copied(Path(folder))
        if not applies(mutation, tree):
            return "DOES NOT APPLY"
        code = outcome_of(tree, [mutation.node])
    words = {0: "NOT CAUGHT", FAILED: "caught", -1: "DID NOT END"}
    return words.get(code, f"NOT RUN ({code})")
