"""A notebook's kernel, driven as a browser does: what reaches its live table, and what cells feel of it."""

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from jupyter_client.blocking import BlockingKernelClient

PATIENCE = 60.0  # seconds
CONNECT = """
%load_ext kubemq_nb
import kubemq_nb
from IPython.display import display
kq = kubemq_nb.connect({address!r}, token_file={token_file!r})
"""
BUSY = """
import time
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    sum(range(1000))
"""
CHECK = """
from benchmarks.load import checksum_of_frame
import json
print("FOUND" + json.dumps({"checksum": checksum_of_frame(feed.df), "dropped": feed.status().dropped}))
"""


class Side:
    """A kernel with a session in it."""

    def __init__(self, *, address: str, token_file: str | None) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel()
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self._newest = 0  # number of the newest row shown
        self._shown_at = 0.0
        self._texts: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self._run(CONNECT.format(address=address, token_file=token_file))

    def watch(self, *, channel: str, keep: int) -> None:
        """Show a live table of a channel."""
        self._newest = 0
        self._run(f"feed = kq.events.receive({channel!r}, live=True, keep={keep})\ndisplay(feed)")

    def be_busy(self, *, seconds: float) -> None:
        """Begin a cell that computes for so long."""
        self._client.execute(BUSY.format(seconds=seconds))

    def shown(self, *, count: int) -> dict[str, Any]:
        """Wait until the table shows the row of this number; when that was, and what the feed holds."""
        end = time.monotonic() + PATIENCE
        while self._newest < count and time.monotonic() < end:
            time.sleep(0.02)
        newest, at = self._newest, self._shown_at
        self._texts.clear()
        self._run(CHECK)
        while not (found := [text for text in self._texts if "FOUND" in text]) and time.monotonic() < end:
            time.sleep(0.02)  # what a cell prints may come behind its reply
        return {"newest": newest, "at": at, **json.loads(found[0].partition("FOUND")[2])}

    def cells(self, *, count: int) -> list[float]:
        """Run short cells one after another; the seconds each took."""
        return [self._run("sum(range(1000))") for _ in range(count)]

    def forget(self) -> None:
        """Stop the feed."""
        self._run("feed.stop()")

    def close(self) -> None:
        """End the kernel."""
        self._manager.shutdown_kernel(now=True)

    def _run(self, code: str) -> float:
        began = time.perf_counter()
        reply = self._client.execute(code, reply=True, timeout=PATIENCE)
        assert reply["content"]["status"] == "ok", reply["content"]
        return time.perf_counter() - began

    def _listen(self) -> None:
        while True:
            message = self._client.iopub_channel.get_msg(timeout=None)
            content = message["content"]
            if message["msg_type"] == "stream":
                self._texts.append(content["text"])
            state = content.get("data", {}).get("state", {}) if "comm" in message["msg_type"] else {}
            rows = state.get("table", {}).get("rows")
            if rows:
                self._newest, self._shown_at = rows[-1]["number"], time.time()
