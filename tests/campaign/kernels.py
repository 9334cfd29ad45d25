"""A kernel as JupyterLab has one: cells go in, what they print comes out, and it can be interrupted."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any, NamedTuple

from jupyter_client.manager import KernelManager

PATIENCE = 60.0  # seconds for what a kernel does at once unless it never does
ANSWER = 15.0  # seconds for an interrupt
STARTED = "the cell has begun"


class Ran(NamedTuple):
    """How a cell ended."""

    error: str  # the name of the exception; "" when there was none
    text: str  # all that it printed and showed
    saved: int  # bytes of its outputs, as a notebook would keep them


class Kernel:
    """One kernel and the one client that speaks to it."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KUBEMQ_")}
        self.manager.start_kernel(
            cwd=str(folder), env=clean | {"IPYTHONDIR": str(folder)}, extra_arguments=["--log-level=ERROR"]
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    @property
    def pid(self) -> int:
        """The process of the kernel."""
        return self.manager.provisioner.process.pid

    def begin(self, code: str) -> str:
        """Run a cell and go on when it has begun; its id."""
        cell = self.client.execute(f"print({STARTED!r})\n{code}")
        self._until(cell, lambda message: STARTED in message["content"].get("text", ""))
        return cell

    def run(self, code: str) -> Ran:
        """Run a cell to its end."""
        return self.end(self.client.execute(code))

    def good(self, code: str) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(code)
        assert not ran.error, f"{code}: {ran.error} {ran.text}"
        return ran

    def is_busy(self, cell: str, *, within: float) -> bool:
        """Whether a cell has not ended `within` so many seconds from now."""
        try:
            self._answer(cell, within)
        except Empty:
            return True
        return False

    def end(self, cell: str) -> Ran:
        """Wait for a cell to end; how it did."""
        texts: list[str] = []
        saved = 0

        def idle(message: dict[str, Any]) -> bool:
            nonlocal saved
            content = message["content"]
            if message["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                shown = [
                    content.get("text", ""),
                    *content.get("data", {}).values(),
                    content.get("evalue", ""),
                ]
                texts.extend(str(part) for part in shown)
                saved += sum(len(str(part)) for part in shown)
            return content.get("execution_state") == "idle"

        self._until(cell, idle)
        answer = self._answer(cell, PATIENCE)
        return Ran(answer["content"].get("ename", ""), "".join(texts), saved)

    def interrupt(self, cell: str) -> tuple[float, Ran]:
        """Interrupt a cell; the seconds until the kernel answered, and how the cell ended."""
        began = time.monotonic()
        self.manager.interrupt_kernel()
        self._answer(cell, ANSWER)
        took = time.monotonic() - began
        return took, self.end(cell)

    def close(self) -> None:
        """End it at once."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def _answer(self, cell: str, within: float) -> dict[str, Any]:
        """The reply to a cell, also when it was looked at before."""
        if getattr(self, "_replied", ("", {}))[0] == cell:
            return self._replied[1]
        until = time.monotonic() + within
        while True:
            message = self.client.get_shell_msg(timeout=max(0.0, until - time.monotonic()))
            if message["parent_header"].get("msg_id") == cell:
                self._replied = (cell, message)
                return message

    def _until(self, cell: str, seen: Any) -> None:
        """Read what the cell shows until it is what is waited for."""
        until = time.monotonic() + PATIENCE
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.0, until - time.monotonic()))
            if message["parent_header"].get("msg_id") == cell and seen(message):
                return


@contextlib.contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel that ends with the block."""
    running = Kernel(folder)
    try:
        yield running
    finally:
        running.close()
