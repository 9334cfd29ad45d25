"""A live table in a real page of JupyterLab, while another process sends: what is lost, and what it costs.

`python -m benchmarks.page [--seconds 60] [--rate 5000]` wants Chromium, prints one line a figure, and exits 1
when something was lost or stands in another order. `--into-docs` also puts them into docs/performance.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks import load, publishing, raw
from tests.browser.lab import Lab, Notebook, launch, opened

CHANNEL = "flights.departures"
DEFAULT = 10_000  # rows that a feed keeps
SETUP = f"""%load_ext kubemq_nb
%kubemq connect
live = kq.events.receive("{CHANNEL}", live=True, keep={{count}})
bounded = kq.events.receive("{CHANNEL}", live=True)
live"""
FACTS = """
import json, time
def memory(name):
    return int(open("/proc/self/status").read().partition(name)[2].split()[0]) * 1024
print(json.dumps({"resident": memory("VmRSS:"), "highest": memory("VmHWM:"), "spent": time.process_time()}))
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
    parser.add_argument("--into-docs", action="store_true", help="put the figures into docs/performance.md")
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
            figures, right = measured(notebook, count=count, rate=given.rate)
        browser.close()
    for name, text in figures:
        print(f"{name:32}{text}")
    if given.into_docs:
        publishing.replace(publishing.PAGE, "page", table(figures))
    return 0 if right else 1


def table(figures: Sequence[tuple[str, str]]) -> str:
    """The figures as the page has them, and when and where they were taken."""
    at = f"On {datetime.now(UTC):%Y-%m-%d}: Python {platform.python_version()}, {os.cpu_count()} cores, "
    lines = [f"| {name} | {text} |" for name, text in figures]
    return "\n".join(
        [f"{at}load {os.getloadavg()[0]:.1f} at the end.", "", "| figure | |", "|---|---|", *lines]
    )


def measured(notebook: Notebook, *, count: int, rate: int) -> tuple[list[tuple[str, str]], bool]:
    """Send, and tell what became of it: figures by name, and whether all is there and in its place."""
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
    in_page = last == ids(count)[-200:]
    figures = {
        "sent": f"{count:,} in {count / sent['rate']:.1f} s, {sent['rate']:,.0f} a second (asked: {rate:,})",
        **held(found, in_page=in_page, last=last),
        "last row shown after": f"{shown_after:.1f} s",
        "frames of the page": smooth([later - earlier for earlier, later in pairwise(frames)]),
        "another cell, median": beside_and_before(median, beside, idle),
        "another cell, 95 %": beside_and_before(slow, beside, idle),
        **kernel(before, after, count=count),
    }
    received, dropped, kept = found["bounded"]
    bounded = kept and (received, dropped) == (count, max(0, count - DEFAULT))
    return list(figures.items()), found["all"] and in_page and bounded


def held(found: dict[str, Any], *, in_page: bool, last: Sequence[str | None]) -> dict[str, str]:
    """What arrived, and where it stands."""
    received, dropped, kept = found["bounded"]
    newest = "the last ones held, in order" if kept else "NOT the last ones held"
    return {
        "received": f"{found['received']:,}, dropped {found['dropped']:,}, missing {found['missing']:,}",
        "ids in `.df`": "all, in order" if found["all"] else "NOT as they were sent",
        "ids in the page": "the last 200, in order" if in_page else f"NOT the last 200: {last[-3:]}",
        "default bound": f"received {received:,}, dropped from view {dropped:,}, {newest}",
    }


def smooth(gaps: Sequence[float]) -> str:
    """How often the page was painted; milliseconds between two frames."""
    return f"{1000 / (sum(gaps) / len(gaps)):.0f} a second, the longest {max(gaps):.0f} ms"


def beside_and_before(of: Callable[[list[float]], float], beside: list[float], idle: list[float]) -> str:
    """What a cell took beside the table, and before anything was sent."""
    return f"{1000 * of(beside):.0f} ms beside the table, {1000 * of(idle):.0f} ms before"


def kernel(before: dict[str, float], after: dict[str, float], *, count: int) -> dict[str, str]:
    """What it costs the kernel."""
    spent = 1e6 * (after["spent"] - before["spent"]) / count
    sizes = [size(int(each)) for each in (before["resident"], after["resident"], after["highest"])]
    return {
        "processor time of the kernel": f"{spent:.0f} us an event, for both feeds, the view and the cells",
        "memory of the kernel": "{} before, {} after, {} at most".format(*sizes),
    }


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
        timeout=180_000,
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


if __name__ == "__main__":
    sys.exit(main())
