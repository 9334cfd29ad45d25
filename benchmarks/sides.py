"""The bench's hold on its sides: processes that are told what to do, and what that cost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


class SideFailed(Exception):
    """A side raised; the text is its traceback."""


class Process:
    """One side; every method of its `Side` is a method here."""

    def __init__(self, module: str, python: str = sys.executable, **made_with: object) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._write(made_with)

    def __getattr__(self, call: str) -> Callable[..., Any]:
        return lambda **arguments: self._ask(call, arguments)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def start(self, call: str, **arguments: object) -> Callable[[], Any]:
        """Let it begin; calling what this returns waits for the answer."""
        self._write({"call": call, "with": arguments})
        return self._answer

    def _ask(self, call: str, arguments: dict[str, object]) -> Any:
        return self.start(call, **arguments)()

    def _write(self, message: dict[str, object]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SideFailed("the process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise SideFailed(answer["error"])
        return answer["result"]


def cpu_of(pid: int | None) -> float:
    """Processor seconds that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Memory of a process in MB; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
