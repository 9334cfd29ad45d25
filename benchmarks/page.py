"""A live table in a real page of JupyterLab, while another process sends: what is lost, and what it costs.

`python -m benchmarks.page [--seconds 60] [--rate 5000]` wants Chromium, and prints one line a figure.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks import load, raw
from tests.browser.lab import Lab, Notebook, launch, opened

CHANNEL = "flights.departures"
DEFAULT = 10_000  # rows that a feed keeps
SETUP = f"""%load_ext kubemq_nb
%kubemq connect
live = kq.events.receive("{CHANNEL}", live=True, keep={{count}})
bounded = kq.events.receive("{CHANNEL}", live=True)
live"""
FACTS = """
import json
def memory(name):
    return int(open("/proc/self/status").read().partition(name)[2].split()[0]) * 1024
print(json.dumps({"resident": memory("VmRSS:"), "highest": memory("VmHWM:")}))
"""
CHECK = """
import json
frame, held, bound = live.df, live.status(), bounded.status()
ids = [f"flight-{{number:08}}" for number in range({count})]
print(json.dumps({{
    "all": frame["id"].tolist() == ids,
    "missing": len(set(ids) - set(frame["id"])),
    "received": held.received, "dropped": held.dropped,
    "bounded": [bound.received, bound.dropped, bounded.df["id"].tolist() == ids[-{default}:]],
}}))
"""
FRAMES = """() => {
    window.kqFrames = [];
    const note = (at) => { window.kqFrames.push(at); window.kqNoting = requestAnimationFrame(note); };
    note(performance.now());
}"""
NOTED = "() => { cancelAnimationFrame(window.kqNoting); return window.kqFrames; }"


def main() -> int:
    """Measure once, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument(
        "--publish", nargs=4, metavar=("ADDRESS", "TOKEN_FILE", "CHANNEL", "COUNT"), help=argparse.SUPPRESS
    )
    given = parser.parse_args()
    if given.publish:
        address, token_file, channel, count = given.publish
        side = raw.Side(address=address, token=Path(token_file).read_text().strip())
        print(json.dumps(side.send_events(channel=channel, count=int(count), rate=given.rate)))
        return 0
    with tempfile.TemporaryDirectory() as home, Lab(Path(home)) as lab, sync_playwright() as playwright:
        browser = launch(playwright)
        count = given.rate * given.seconds
        address = lab.address(lab.write("page", SETUP.format(count=count)))
        with opened(browser, address, width=1320) as notebook:
            notebook.run_all()
            notebook.view.wait_for()
            report(notebook, count=count, rate=given.rate)
        browser.close()
    return 0


def report(notebook: Notebook, *, count: int, rate: int) -> None:
    """Send, and print what became of it."""
    before, idle = ask(notebook, FACTS), [cell(notebook) for _ in range(20)]
    notebook.page.evaluate(FRAMES)
    with publisher(notebook, count=count, rate=rate) as sending:
        beside = []
        while sending.poll() is None:
            beside.append(cell(notebook))
            time.sleep(0.25)
        sent = json.loads(sending.stdout.read() if sending.stdout else "{}")
    frames = notebook.page.evaluate(NOTED)
    shown_after = wait_for(notebook, count)
    after = ask(notebook, FACTS)  # before the check, which makes a frame of all
    found = ask(notebook, CHECK.format(count=count, default=DEFAULT))
    last = [row.get_attribute("title") for row in notebook.rows.locator("td.id").all()]
    gaps = [later - earlier for earlier, later in pairwise(frames)]
    say(
        "sent",
        f"{count:,} events in {count / sent['rate']:.1f} s, {sent['rate']:,.0f} a second (asked: {rate:,})",
    )
    say("received", f"{found['received']:,}, dropped {found['dropped']:,}, missing {found['missing']:,}")
    say("ids in .df", "all, in order" if found["all"] else "NOT as they were sent")
    say(
        "ids in the page",
        "the last 200, in order" if last == ids(count)[-200:] else f"NOT the last 200: {last[-3:]}",
    )
    received, dropped, right = found["bounded"]
    say("default bound", f"received {received:,}, dropped from view {dropped:,}, the last ones held: {right}")
    say("last row shown after", f"{shown_after:.1f} s")
    say("frames", f"{1000 / (sum(gaps) / len(gaps)):.0f} a second, the longest {max(gaps):.0f} ms")
    say("another cell", f"{1000 * median(idle):.0f} ms idle, {1000 * median(beside):.0f} ms beside the table")
    say(
        "another cell, 95 %",
        f"{1000 * slow(idle):.0f} ms idle, {1000 * slow(beside):.0f} ms beside the table",
    )
    say(
        "kernel memory",
        f"{size(before['resident'])}, {size(after['resident'])} after, {size(after['highest'])} at most",
    )


@contextmanager
def publisher(notebook: Notebook, *, count: int, rate: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that sends so many, so many a second."""
    place = ask(notebook, "import json; print(json.dumps([kq.address, str(kq.token_file)]))")
    command = [
        sys.executable,
        "-m",
        "benchmarks.page",
        "--rate",
        str(rate),
        "--publish",
        *place,
        CHANNEL,
        str(count),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process


def ask(notebook: Notebook, code: str) -> Any:
    """What code in the kernel prints as JSON."""
    return json.loads(notebook.run(code))


def cell(notebook: Notebook) -> float:
    """Seconds until a short cell has answered the page."""
    began = time.perf_counter()
    notebook.run("sum(range(1000))")
    return time.perf_counter() - began


def wait_for(notebook: Notebook, count: int) -> float:
    """Seconds until the page says that all were received."""
    began = time.perf_counter()
    notebook.page.wait_for_function(
        "(text) => [...document.querySelectorAll('.kq-counts dd')].some((each) => each.textContent === text)",
        arg=f"{count:,}",
    )
    return time.perf_counter() - began


def ids(count: int) -> list[str]:
    """Ids of all that was sent."""
    return [load.item(number).id for number in range(count)]


def slow(times: list[float]) -> float:
    """What one of twenty exceeded."""
    return quantiles(times, n=20)[-1]


def size(count: int) -> str:
    """Bytes as MB."""
    return f"{count / 1e6:,.0f} MB"


def say(name: str, text: str) -> None:
    """Print one figure."""
    print(f"{name:22}{text}")


if __name__ == "__main__":
    sys.exit(main())
