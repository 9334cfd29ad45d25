"""Run the tests on several Pythons with several sets of libraries; see scripts/matrix."""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = Path(".cache/matrix")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FLOOR = re.compile(r"([\w-]+)>=([\w.]+)")
TOLD = ("grpcio", "protobuf", "pandas", "ipython")  # whose versions the table tells
SHARED = ("--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder")  # as in scripts/test
LEFT_OUT = (
    "tests/browser",
    "tests/official",
    "tests/test_site.py",
)  # what has one set of versions, or brings its own
SUITE = ("tests", *(f"--ignore={place}" for place in LEFT_OUT), *SHARED)
BESIDE = ("nbconvert",)  # which comes with JupyterLab elsewhere
# Without nbval: notebooks are compared on one pinned set of versions, by scripts/test.
PYTEST = ("-o", "addopts=--strict-markers --strict-config --import-mode=importlib -q --tb=short -rfE")
ASK = """
import importlib.metadata, platform, sys
print(platform.python_version(), *map(importlib.metadata.version, sys.argv[1:]))
"""
HEAD = ("environment", "python", *TOLD, "passed", "failed", "skipped", "seconds")


@dataclass(frozen=True)
class Combination:
    """A Python's minor version, and what holds the libraries down beside it."""

    name: str
    python: str
    pins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How the tests of one combination went; nothing passed where no test ran."""

    name: str
    versions: Sequence[str]
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0

    @property
    def good(self) -> bool:
        """Whether tests ran and none failed."""
        return self.passed > 0 and not self.failed

    def row(self) -> list[str]:
        """Its line of the table."""
        counts = (self.passed, self.failed, self.skipped, round(self.seconds))
        return [self.name, *self.versions, *map(str, counts)]


def floors() -> tuple[str, ...]:
    """The lowest version that pyproject.toml allows of every library that the package imports."""
    optional = PROJECT["optional-dependencies"]
    allowed = [*PROJECT["dependencies"], *optional["arrow"], *optional["decode"]]
    return tuple(FLOOR.sub(r"\1==\2", each) for each in allowed)


def tools() -> list[str]:
    """What the tests want beside the package, but for a browser and JupyterLab."""
    wanted = PROJECT["optional-dependencies"]["test"]
    return [each for each in wanted if not each.startswith(("kubemq-nb", "playwright"))]


COMBINATIONS = (
    Combination("3.11-lowest", "3.11", floors()),
    Combination("3.11-newest", "3.11"),
    Combination("3.12-pandas-2", "3.12", ("pandas<3",)),
    Combination("3.13-newest", "3.13"),
)


def find_python(minor: str) -> str | None:
    """A Python of this minor version that starts: on PATH or among pyenv's."""
    return next((path for path in candidates(minor) if is_python(path, minor)), None)


def candidates(minor: str) -> Iterator[str]:
    """Where it may be; a name on PATH can be pyenv's, which answers only for the versions chosen there."""
    for folder in os.get_exec_path():
        yield f"{folder}/python{minor}"
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
        yield from sorted(map(str, Path(root, "versions").glob(f"{minor}.*/bin/python{minor}")), reverse=True)


def is_python(path: str, minor: str) -> bool:
    """Whether this starts, as that version."""
    if not os.access(path, os.X_OK):
        return False
    asked = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == minor


def environment(combination: Combination, python: str) -> str:
    """The python of the combination's environment, made if it is not there as asked for."""
    wanted = [*combination.pins, *tools(), *BESIDE, "--editable", ".[demo,arrow,decode]"]
    call = f". scripts/_environment; environment {PLACE}/{combination.name} {shlex.join(wanted)}"
    made = subprocess.run(
        ["sh", "-ec", call],
        env=os.environ | {"PYTHON": python},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def run(combination: Combination, python: str, arguments: Sequence[str]) -> Result:
    """Run the tests there."""
    told = subprocess.run(
        [python, "-c", ASK, *TOLD], capture_output=True, text=True, check=True
    ).stdout.split()
    print(f"\n{combination.name}: {', '.join(map(' '.join, zip(HEAD[1:], told, strict=False)))}", flush=True)
    report = ROOT / PLACE / f"{combination.name}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    options = [*PYTEST, "-o", f"cache_dir={PLACE}/{combination.name}/pytest", f"--junit-xml={report}"]
    subprocess.run([python, "-m", "pytest", *options, *arguments], check=False)
    return Result(combination.name, told, *counted(report), time.monotonic() - began)


def selection(arguments: Sequence[str]) -> Sequence[str]:
    """The whole suite, unless one of the arguments is a place of tests."""
    named = any(Path(each.partition("::")[0]).exists() for each in arguments)
    return arguments if named else [*SUITE, *arguments]


def counted(report: Path) -> tuple[int, int, int]:
    """How many tests passed, failed and were skipped; a run that left no report is a failure."""
    if not report.exists():
        return 0, 1, 0
    suite = ET.parse(report).getroot()[0]
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped = int(suite.get("skipped", 0))
    return int(suite.get("tests", 0)) - failed - skipped, failed, skipped


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, columns as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(arguments: Sequence[str]) -> int:
    """1 when a test fails, a combination runs none, or no Python was found."""
    # Tests interrupt themselves, which a shell's background job would pass on as "ignored".
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="scripts/matrix", allow_abbrev=False)
    parser.add_argument("--list", action="store_true", help="the combinations and where their Pythons are")
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=[each.name for each in COMBINATIONS]
    )
    parser.add_argument("--fresh", action="store_true", help="make the environments again")
    options, rest = parser.parse_known_args(arguments)
    chosen = [each for each in COMBINATIONS if not options.only or each.name in options.only]
    pythons = {each: find_python(each.python) for each in chosen}
    if options.list:
        print(
            table([[each.name, where or "not found", " ".join(each.pins)] for each, where in pythons.items()])
        )
        return 0
    if options.fresh:
        for each in chosen:
            shutil.rmtree(PLACE / each.name, ignore_errors=True)
    found = {each: environment(each, where) for each, where in pythons.items() if where}
    results = [run(each, python, selection(rest)) for each, python in found.items()]
    print(f"\n{table([HEAD, *(result.row() for result in results)])}")
    for each in chosen:
        if each not in found:
            print(f"{each.name}: no Python {each.python} on PATH or among pyenv's")
    return 0 if results and all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
