"""Answer by hand, in JupyterLab in Chromium, on a real broker, with askers in another process."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser import looks

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SETUP = """%load_ext kubemq_nb
%kubemq connect -q
from concurrent.futures import ThreadPoolExecutor
others = ThreadPoolExecutor(8)
def ask(channel, body, timeout=60, **more):
    pattern = kq.commands if channel.startswith("gates") else kq.queries
    return others.submit(pattern.send, channel, body, timeout=timeout, **more)
"""
OPEN = """%%kubemq
queries respond delays.mean --manual -q
commands respond gates.assign --manual -q"""
ASKER = """import json, sys, kubemq_nb
address, token, body = sys.argv[1:]
with kubemq_nb.connect(address, token_file=token) as kq:
    answer = kq.queries.send("delays.mean", json.loads(body), timeout=60)
    print(json.dumps([answer.executed, answer.json(), answer.metadata, dict(answer.tags)]))
"""


@pytest.fixture
def shown(open_notebook):
    """A notebook with a desk that takes queries and commands."""
    notebook = open_notebook(SETUP, OPEN, "answers = kq.answers\nanswers")
    notebook.view.get_by_text("Ready. No request waits").wait_for()
    return notebook


def waiting(notebook):
    return notebook.view.get_by_role("grid", name="Waiting requests").locator("tbody tr[data-key]")


def log(notebook):
    return notebook.view.get_by_role("table", name="Requests that ended").locator("tbody tr")


def form(notebook):
    return notebook.view.get_by_role("group", name="Your answer")


def field(notebook, name):
    return form(notebook).get_by_role("textbox", name=name, exact=True)


def foot(notebook):
    return notebook.view.locator(".kq-foot code")


def ask(notebook, call):
    """Ask in the kernel, and wait until it waits."""
    before = waiting(notebook).count()
    notebook.run(call)
    expect(waiting(notebook)).to_have_count(before + 1)


@contextmanager
def killing(process):
    """Ends it when a test is over, also one that failed before it was done."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.rows("R-13", "M-24")
def test_an_asker_in_another_process_gets_the_answer_that_is_typed(shown):
    looks.assert_clean(shown.page, shown.view)
    address, token = json.loads(shown.run("import json; print(json.dumps([kq.address, str(kq.token_file)]))"))
    body = json.dumps({"carrier": "UA", "month": 1})
    command = [sys.executable, "-c", ASKER, address, token, body]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker, killing(asker):
        expect(waiting(shown)).to_contain_text('{"carrier":"UA","month":1}')
        expect(shown.view.get_by_role("tabpanel")).to_contain_text('"month": 1')
        shown.view.get_by_role("tab", name="Raw").click()
        expect(shown.view.get_by_role("tabpanel")).to_contain_text('{"carrier": "UA", "month": 1}')
        expect(shown.view.get_by_role("timer")).to_contain_text("5")  # it counts down from 60 s
        field(shown, "Answer body").fill('{"mean_delay": ')
        expect(form(shown)).to_contain_text("Line 1")
        field(shown, "Answer body").press("Control+Enter")
        expect(waiting(shown)).to_have_count(1)
        field(shown, "Answer body").fill('{"mean_delay": 8.33}')
        field(shown, "Metadata").fill("from the January table")
        form(shown).get_by_role("textbox", name="Name of tag 1").fill("day")
        form(shown).get_by_role("textbox", name="Value of tag 1").fill("1")
        looks.assert_clean(shown.page, shown.view)
        field(shown, "Metadata").press("Control+Enter")
        told, _ = asker.communicate(timeout=30)

    assert json.loads(told) == [True, {"mean_delay": 8.33}, "from the January table", {"day": "1"}]
    expect(log(shown).first).to_contain_text('{"mean_delay":8.33}')
    expect(log(shown).first).to_contain_text("hand")
    expect(shown.count("answered")).to_have_text("1")
    expect(shown.view.get_by_text("latency p50")).to_be_visible()
    expect(foot(shown)).to_contain_text("answers.reply(")
    expect(shown.page.locator(".jp-Cell")).to_have_count(3)  # Ctrl+Enter was not the notebook's


@pytest.mark.rows("R-13", "M-24")
def test_the_keyboard_picks_refuses_and_executes(shown):
    ask(shown, "first = ask('delays.mean', {'carrier': 'B6'})")
    ask(shown, "gate = ask('gates.assign', {'gate': 'C71'})")
    waiting(shown).first.focus()
    shown.page.keyboard.press("ArrowDown")
    expect(waiting(shown).nth(1)).to_be_focused()
    shown.page.keyboard.press("Enter")
    yes = form(shown).get_by_role("radio", name="Yes")
    expect(yes).to_be_focused()
    shown.page.keyboard.press("ArrowRight")
    field(shown, "Error for the asker").fill("gate C71 is taken")
    looks.assert_clean(shown.page, shown.view)
    field(shown, "Error for the asker").press("Control+Enter")

    expect(waiting(shown)).to_have_count(1)
    expect(waiting(shown).first).to_be_focused()  # not in the form: nothing is answered by mistake
    assert shown.run("print(gate.result().error)").strip() == "gate C71 is taken"
    expect(shown.count("refused")).to_have_text("1")
    shown.page.keyboard.press("Enter")
    expect(field(shown, "Answer body")).to_be_focused()
    shown.page.keyboard.press("Escape")
    expect(waiting(shown).first).to_be_focused()
    shown.page.keyboard.press("s")
    expect(shown.view.get_by_text("stopped", exact=True)).to_be_visible()
    shown.page.keyboard.press("Enter")
    field(shown, "Answer body").fill('{"mean": 1}')
    shown.page.keyboard.press("Control+Enter")
    assert shown.run("print(first.result().json())").strip() == "{'mean': 1}"
    shown.button("Start again").click()
    expect(shown.view.get_by_text("taking requests", exact=True)).to_be_visible()
    ask(shown, "again = ask('delays.mean', 'still here')")


@pytest.mark.rows("M-24")
def test_a_request_that_runs_out_while_somebody_types_keeps_what_was_typed(shown):
    ask(shown, "late = ask('delays.mean', 'quick', timeout=20)")
    field(shown, "Answer body").fill("almost th")
    ask(shown, "next = ask('delays.mean', 'patient')")
    expect(shown.view.locator(".kq-left .kq-badge")).to_have_text("soon")
    expect(shown.view.get_by_role("timer")).to_contain_text(re.compile(r"[0-3]\.\d s"))

    expect(form(shown)).to_contain_text("Too late: the asker gave up after 20 s.")
    field(shown, "Answer body").press("End")
    field(shown, "Answer body").press_sequentially("ere")
    expect(form(shown)).to_contain_text("Nothing of what you typed was sent; it is still here.")
    expect(form(shown).get_by_role("button", name="Answer", exact=True)).to_have_count(0)
    expect(log(shown).first).to_contain_text("too late")
    looks.assert_clean(shown.page, shown.view)
    shown.button("Use it for the next").click()
    expect(shown.view.get_by_role("tabpanel")).to_contain_text("patient")
    shown.button("Answer").click()

    assert shown.run("print(next.result().text)").strip() == "almost there"


@pytest.mark.rows("M-24")
def test_the_auto_answer_has_its_four_ways(shown):
    switch = shown.view.get_by_role("switch")
    switch.check()
    expect(foot(shown)).to_have_text("answers.auto('echo')")
    assert shown.run("print(ask('delays.mean', 'AA').result().text)").strip() == "AA"
    shown.view.get_by_role("radio", name="Fixed").check()
    shown.view.get_by_role("textbox", name="Fixed body").fill('{"mean": 0}')
    shown.view.get_by_role("textbox", name="Fixed body").press("Enter")
    expect(foot(shown)).to_have_text("answers.auto('fixed', '{\"mean\": 0}')")
    assert shown.run("print(ask('delays.mean', 'AA').result().json())").strip() == "{'mean': 0}"
    looks.assert_clean(shown.page, shown.view)
    shown.view.get_by_role("radio", name="Error").check()
    shown.view.get_by_role("textbox", name="Error", exact=True).fill("closed")
    shown.view.get_by_role("textbox", name="Error", exact=True).press("Enter")
    expect(foot(shown)).to_have_text("answers.auto('error', error='closed')")
    assert shown.run("print(ask('gates.assign', 'AA').result().error)").strip() == "closed"
    shown.view.get_by_role("radio", name="Delay").check()
    shown.view.get_by_role("textbox", name="after").fill("30")
    shown.view.get_by_role("textbox", name="after").press("Enter")
    expect(foot(shown)).to_have_text("answers.auto('delay', after=30.0)")
    ask(shown, "slow = ask('delays.mean', 'faster by hand')")
    switch.uncheck()

    expect(waiting(shown)).to_have_count(1)
    expect(log(shown)).to_have_count(3)
    expect(shown.count("answered")).to_have_text("2")
    shown.run("answers.reply(answers.open[0], 'by a call')")
    expect(log(shown).first).to_contain_text("by a call")


def test_markup_from_an_asker_stays_text_wherever_it_is_shown(shown):
    told = repr(MARKUP)
    ask(
        shown,
        f"bad = ask('delays.mean', {{{told}: {told}}}, id={told}, metadata={told}, tags={{{told}: {told}}}, "
        f"client_id={told})",
    )
    for tab in ("Decoded", "Raw", "Hex", "Tags 1"):
        shown.view.get_by_role("tab", name=tab).click()
        expect(shown.view.get_by_role("tabpanel")).to_contain_text("3c 69" if tab == "Hex" else "<img src=x")
    expect(shown.view.get_by_role("group", name="Open request").locator("dl").last).to_contain_text(
        "<img src=x"
    )
    field(shown, "Answer body").fill(MARKUP)
    form(shown).get_by_role("radio", name="Text").check()
    field(shown, "Metadata").fill(MARKUP)
    shown.button("Answer").click()
    expect(log(shown).first).to_contain_text("<img src=x")
    channel = "m<img/src=x/onerror=alert(1)//"
    shown.run(f"kq.queries.respond({channel!r}, manual=True)")
    expect(shown.view.locator(".kq-name").first).to_contain_text("<img")
    ask(shown, f"ask({channel!r}, {told})")
    expect(waiting(shown)).to_contain_text(channel)
    shown.run(f"answers.auto('error', error={told})")
    expect(log(shown).first).to_contain_text(channel)

    expect(shown.view.locator("img, script")).to_have_count(0)
    assert shown.complaints == []


def test_a_page_loaded_again_and_a_second_display_show_the_same(open_notebook):
    notebook = open_notebook(SETUP, OPEN, "answers = kq.answers\ndisplay(answers)\ndisplay(answers)")
    frames = notebook.page.locator(".jp-OutputArea-output .kq")
    second = frames.nth(1)
    second.wait_for()
    ask(notebook, "one = ask('delays.mean', 'first')")
    ask(notebook, "two = ask('delays.mean', 'second')")
    waiting(notebook).nth(1).click()
    expect(notebook.view.get_by_role("tabpanel")).to_contain_text("second")
    field(notebook, "Answer body").fill("not yet sent")
    expect(second.get_by_role("textbox", name="Answer body")).to_have_value("not yet sent")
    expect(second.get_by_role("tabpanel")).to_contain_text("second")

    notebook.reload()

    for view in (frames.first, second):
        expect(view.get_by_role("textbox", name="Answer body")).to_have_value("not yet sent")
        expect(view.get_by_role("tabpanel")).to_contain_text("second")
    second.get_by_role("button", name="Answer", exact=True).click()
    expect(waiting(notebook)).to_have_count(1)
    assert notebook.run("print(two.result().text)").strip() == "not yet sent"


def test_it_goes_on_beside_a_busy_kernel_and_an_interrupt_and_stands_still_after_a_restart(shown):
    ask(shown, "one = ask('delays.mean', 'first')")
    shown.keep_busy()
    shown.interrupt()
    field(shown, "Answer body").fill("after the interrupt")
    shown.button("Answer").click()
    expect(shown.count("answered")).to_have_text("1")
    assert shown.run("print(one.result().text)").strip() == "after the interrupt"

    shown.restart_kernel()

    expect(shown.view.get_by_text("no kernel", exact=True)).to_be_visible()
    expect(log(shown)).to_have_count(1)
    expect(shown.view.get_by_role("switch")).to_be_disabled()


def test_a_broker_that_comes_back_is_listened_to_again_and_what_is_typed_stays(shown):
    ask(shown, "lost = ask('delays.mean', 'first')")
    field(shown, "Answer body").fill("not yet sent")
    shown.run("kq.broker.stop()")
    expect(shown.view.get_by_text("reconnecting", exact=True)).to_be_visible()
    expect(shown.view.get_by_text(re.compile(r"Lost .+\. Attempt \d+"))).to_be_visible()
    expect(field(shown, "Answer body")).to_have_value("not yet sent")
    looks.assert_clean(shown.page, shown.view, widths=(480,))

    shown.run("kq.broker.start()")

    expect(shown.view.get_by_text("taking requests", exact=True)).to_be_visible()
    shown.run("again = ask('gates.assign', 'second')")
    expect(waiting(shown).filter(has_text="second")).to_have_count(1)
    waiting(shown).filter(has_text="second").click()
    expect(shown.view.get_by_role("tabpanel")).to_contain_text("second")
    shown.button("Answer").click()
    assert shown.run("print(again.result().executed)").strip() == "True"


@pytest.mark.rows("M-24")
def test_the_dashboard_opens_the_desk(open_notebook):
    notebook = open_notebook(
        SETUP, "kq.queries.respond('delays.mean', echo=True)\nkq.queries.send('delays.mean', 'x')\nkq.ui()"
    )
    notebook.view.get_by_role("row").filter(has_text="delays.mean").click()
    notebook.view.get_by_role("button", name="Answer…").click()
    inner = notebook.view.locator(".kq")
    inner.get_by_text("Ready. No request waits").wait_for()
    notebook.run("asked = ask('delays.mean', 'from the dashboard')")
    inner.get_by_role("textbox", name="Answer body").fill("answered there")
    inner.get_by_role("button", name="Answer", exact=True).click()

    expect(inner.get_by_role("table", name="Requests that ended")).to_contain_text("answered there")
    looks.assert_clean(notebook.page, notebook.view, widths=(728, 1200))
