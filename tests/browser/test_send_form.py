"""The send form, in JupyterLab in Chromium, on a real broker."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import looks

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SETUP = """%load_ext kubemq_nb
%kubemq connect
def gate(request):
    raise RuntimeError("gate C71 is taken until 06:10")
desks = kq.queries.respond("delays.mean", reply={"mean": 8.33}), kq.commands.respond("gates.assign", gate)
doors = kq.commands.respond("doors.close", echo=True)"""
OPEN = "form = %kubemq ui queues flights.cancelled --send\nform"
BODY = '{"carrier": "MQ", "flight": 4401}'


@pytest.fixture
def form(open_notebook):
    """A notebook that shows an empty form of a queue."""
    notebook = open_notebook(SETUP, OPEN)
    notebook.view.wait_for()
    return notebook


def field(notebook, label):
    return notebook.view.get_by_label(label, exact=True)


def body(notebook):
    return field(notebook, "Body")


def tab(notebook, name):
    return notebook.view.get_by_role("tab", name=name, exact=True)


def rows(notebook):
    return notebook.view.locator("tbody tr[data-key]")


def foot(notebook):
    return notebook.view.locator(".kq-foot code")


def say(notebook, text):
    return notebook.view.get_by_text(text).first


@pytest.mark.rows("M-19")
def test_a_message_with_all_its_options_is_sent_as_its_line_says(form):
    for label, text in {
        "Id": "first",
        "Metadata": "by hand",
        "Sender": "desk",
        "Name of tag 1": "day",
        "Value of tag 1": "1",
        "Delay": "1",
        "Expires after": "300",
        "Dead letter after": "3",
        "Dead letter queue": "flights.dead",
        "Body": BODY,
    }.items():
        field(form, label).fill(text)
    expect(say(form, "JSON, 33 bytes")).to_be_visible()
    form.button("Format JSON").click()
    expect(body(form)).to_have_value('{\n  "carrier": "MQ",\n  "flight": 4401\n}')
    form.button("Add tag").click()
    field(form, "Name of tag 2").fill("desk")
    expect(foot(form)).to_contain_text("-t desk=")
    form.button("Remove tag").first.click()
    expect(foot(form)).to_contain_text("-t desk= ")
    form.button("Send").click()
    expect(say(form, "Sent to flights.cancelled")).to_be_visible()
    expect(say(form, re.compile("Id first, visible in 1 s"))).to_be_visible()
    expect(rows(form)).to_have_count(1)
    looks.assert_clean(form.page, form.view)

    line = foot(form).text_content()
    told = form.run(
        f"again = get_ipython().run_cell({line!r}).result\n"
        "import time; time.sleep(1.5)\n"
        "frame = kq.queues.receive('flights.cancelled')\n"
        "options = ['metadata', 'body', 'client_id', 'max_receive_count', 'dead_letter']\n"
        "print(len(frame), len(frame[options].drop_duplicates()), frame['tags'].tolist())"
    )
    assert told.splitlines()[-1] == "2 1 [{'desk': ''}, {'desk': ''}]"


@pytest.mark.rows("M-19")
def test_every_pattern_is_sent_and_what_came_back_is_shown(form):
    body(form).fill(BODY)
    for name in ("Event", "Event, stored"):
        tab(form, name).click()
        form.button("Send").click()
        expect(say(form, "Sent to flights.cancelled")).to_be_visible()
    expect(rows(form)).to_have_count(2)

    tab(form, "Query").click()
    for label, text in {"Channel": "delays.mean", "Cache key": "MQ", "Cache for": "60"}.items():
        field(form, label).fill(text)
    form.button("Ask").click()
    expect(form.view.get_by_role("region", name="Answer")).to_have_text('{\n  "mean": 8.33\n}')
    form.button("Ask again").click()
    expect(say(form, "from the cache")).to_be_visible()
    expect(rows(form)).to_have_count(4)
    looks.assert_clean(form.page, form.view)

    tab(form, "Command").click()
    field(form, "Channel").fill("gates.assign")
    form.button("Run").click()
    expect(form.view.get_by_role("status").filter(has_text="Not executed:")).to_contain_text(
        "gate C71 is taken until 06:10. The responder answered in"
    )
    field(form, "Channel").fill("gates.nobody")
    field(form, "Timeout").fill("3")
    form.button("Run").click()
    expect(form.view.get_by_text("Running")).to_be_visible()
    expect(form.view.get_by_role("alert").first).to_contain_text("(error 301)")
    field(form, "Channel").fill("doors.close")
    form.button("Run").click()
    expect(form.view.get_by_role("status").filter(has_text="executed").first).to_be_visible()
    rows(form).nth(1).click()
    expect(form.view.get_by_role("group", name="Message 6")).to_contain_text("No answer on gates.nobody")
    looks.assert_clean(form.page, form.view)


def test_what_is_wrong_stands_at_its_field_and_nothing_leaves(form):
    body(form).fill('{"carrier": "MQ"\n "flight": 4401}')
    field(form, "Delay").fill("soon")
    expect(say(form, 'Line 1, column 17: a comma is missing before "flight".')).to_be_visible()
    expect(form.button("Send")).to_have_attribute("aria-disabled", "true")
    looks.assert_clean(form.page, form.view)

    field(form, "Delay").press("Control+Enter")
    expect(body(form)).to_be_focused()
    expect(say(form, re.compile(r"missing before \"flight\"\. Nothing was sent"))).to_be_visible()
    form.view.get_by_role("radio", name="Text").check()
    expect(say(form, "Text, 33 bytes")).to_be_visible()
    body(form).press("Control+Enter")
    expect(field(form, "Delay")).to_be_focused()
    expect(field(form, "Delay")).to_have_attribute("aria-invalid", "true")
    expect(say(form, "A number of seconds, not soon. Nothing was sent.")).to_be_visible()
    field(form, "Delay").fill("")
    assert form.run("print(len(form.sent), len(kq.queues.peek('flights.cancelled')))").strip() == "0 0"

    body(form).press("Control+Enter")
    expect(say(form, "Sent to flights.cancelled")).to_be_visible()


@pytest.mark.rows("M-22")
def test_the_keyboard_does_all_of_it_and_leaves_the_notebook_alone(form):
    press = form.page.keyboard.press
    tab(form, "Queue").focus()
    press("ArrowRight")
    expect(tab(form, "Event")).to_be_focused()
    press("ArrowLeft")
    for key in ("Tab", "Tab", "Tab", "Tab", "Tab"):  # channel, id, metadata, sender, first tag
        press(key)
    expect(field(form, "Name of tag 1")).to_be_focused()
    form.page.keyboard.type("day")
    press("Enter")
    expect(field(form, "Name of tag 2")).to_be_focused()
    body(form).focus()
    form.page.keyboard.type("first")
    press("Tab")
    press("ArrowRight")
    expect(form.view.get_by_role("radio", name="Text")).to_be_checked()
    press("Control+Enter")
    expect(rows(form)).to_have_count(1)

    rows(form).first.focus()
    press("a")
    expect(rows(form)).to_have_count(2)
    body(form).fill("second")
    rows(form).last.focus()
    press("Enter")
    expect(form.view.get_by_role("group", name="Message 1")).to_be_visible()
    press("Escape")
    expect(form.view.get_by_role("group", name="Message 1")).to_have_count(0)
    press("e")
    expect(body(form)).to_have_value("first")
    expect(body(form)).to_be_focused()

    expect(form.page.locator(".jp-Cell")).to_have_count(2)
    assert form.run("print(kq.queues.receive('flights.cancelled').decoded.tolist())").strip() == str(
        ["first"] * 2
    )


def test_an_answer_to_an_earlier_choice_takes_no_tab_away(form, tmp_path):
    form.run(f"""import time
from pathlib import Path
take = form.choose
def choose(noun):
    while not Path({str(tmp_path)!r}, noun).exists():
        time.sleep(0.05)
    return take(noun)
form.choose = choose""")
    tab(form, "Queue").focus()
    form.page.keyboard.press("ArrowRight")
    form.page.keyboard.press("ArrowLeft")
    (tmp_path / "events").touch()  # now the answer to the first of the two comes
    expect(foot(form)).to_have_text("%kubemq events send flights.cancelled")

    expect(tab(form, "Queue")).to_have_attribute("aria-selected", "true")
    form.page.keyboard.press("Tab")
    expect(field(form, "Channel")).to_be_focused()  # no other tab is a stop on the way
    expect(field(form, "Delay")).to_be_visible()
    (tmp_path / "queues").touch()
    expect(foot(form)).to_have_text("%kubemq queues send flights.cancelled")
    expect(tab(form, "Queue")).to_have_attribute("aria-selected", "true")


def test_markup_stays_text_in_every_field_and_in_what_comes_back(open_notebook):
    notebook = open_notebook(
        SETUP,
        f"""from kubemq_nb.messages import Response
text = {MARKUP!r}
answer = Response(executed=True, body=text.encode(), metadata=text, tags={{text: text}})
ask = kq.queries.respond("marked", lambda _: answer)
run = kq.commands.respond("marked.refused", lambda _: Response(executed=False, error=text))
form = kq.ui("queries", "marked", send=True).fill(body={{text: 1}})
form""",
    )
    notebook.view.wait_for()
    for label in (
        "Metadata",
        "Sender",
        "Name of tag 1",
        "Value of tag 1",
        "Cache key",
        "Id",
        "Timeout",
        "Body",
    ):
        field(notebook, label).fill(MARKUP)
    expect(say(notebook, "A number of seconds, not <img")).to_be_visible()
    field(notebook, "Timeout").fill("5")
    notebook.view.get_by_role("radio", name="Text").check()
    field(notebook, "Cache for").fill("9")
    notebook.button("Ask").click()
    expect(notebook.view.get_by_role("region", name="Answer")).to_have_text(MARKUP)
    rows(notebook).first.click()
    expect(notebook.view.get_by_role("group", name="Message 1")).to_contain_text("<img src=x")
    field(notebook, "Channel").fill(MARKUP)
    notebook.button("Ask").click()
    expect(say(notebook, "Nothing was sent.")).to_be_visible()
    tab(notebook, "Command").click()
    field(notebook, "Channel").fill("marked.refused")
    notebook.button("Run").click()
    expect(say(notebook, "Not executed:")).to_be_visible()

    expect(notebook.view.locator("img, script")).to_have_count(0)
    assert notebook.complaints == []


def test_a_page_loaded_again_and_a_second_display_show_the_same(open_notebook):
    notebook = open_notebook(SETUP, OPEN.replace("\nform", "\ndisplay(form)\ndisplay(form)"))
    frames = notebook.page.locator(".jp-OutputArea-output .kq")
    second = frames.nth(1)
    second.wait_for()
    field(notebook, "Metadata").fill("night")
    field(notebook, "Name of tag 1").fill("day")
    body(notebook).press_sequentially(
        "[1, 2, 3]", delay=265
    )  # the kernel says what it heard between two letters
    expect(second.get_by_label("Body", exact=True)).to_have_value("[1, 2, 3]")
    expect(body(notebook)).to_have_value("[1, 2, 3]")
    second.get_by_role("button", name="Send", exact=True).click()
    expect(rows(notebook)).to_have_count(1)
    rows(notebook).first.click()
    expect(second.get_by_role("group", name="Message 1")).to_be_visible()

    notebook.reload()

    for view in (frames.first, second):
        expect(view.get_by_label("Metadata")).to_have_value("night")
        expect(view.get_by_label("Name of tag 1")).to_have_value("day")
        expect(view.get_by_role("group", name="Message 1")).to_be_visible()
        expect(view.get_by_text("Sent to flights.cancelled").first).to_be_visible()
    notebook.run("form.clear()")
    for view in (frames.first, second):
        expect(view.get_by_label("Metadata")).to_have_value("")
        expect(view.get_by_label("Name of tag 1")).to_have_value("")


def test_what_cannot_be_sent_is_said_and_stays_in_the_form(form):
    body(form).fill(BODY)
    form.run("kq.broker.stop()")
    form.button("Send").click()
    expect(form.view.get_by_text("not connected", exact=True)).to_be_visible()
    expect(form.view.get_by_role("alert").first).to_be_visible()
    looks.assert_clean(form.page, form.view, widths=())
    form.run("kq.broker.start()")
    form.button("Send again").first.click()
    expect(say(form, "Sent to flights.cancelled")).to_be_visible()
    expect(form.view.get_by_text("not connected", exact=True)).to_be_hidden()

    form.run("kq.close()")
    expect(say(form, "The connection embedded was closed. Connect again to send.")).to_be_visible()
    expect(form.view.get_by_role("button", name="Send", exact=True)).to_have_count(0)
    looks.assert_clean(form.page, form.view, widths=(480,))
    form.restart_kernel()
    expect(form.view.get_by_text("Run the cell to see it live.")).to_be_visible()
    expect(body(form)).to_have_value(BODY)
    expect(body(form)).to_be_disabled()


@pytest.mark.rows("M-22")
def test_a_row_of_a_queue_and_a_channel_of_the_dashboard_open_a_form(open_notebook):
    notebook = open_notebook(
        SETUP, f"_ = kq.queues.send('flights.cancelled', {BODY!r}, tags={{'day': '1'}})\n%kubemq ui"
    )
    notebook.view.locator("tr[data-key]", has_text="flights.cancelled").click()
    notebook.view.get_by_role("complementary").get_by_role("button", name="Send…").click()
    child = notebook.view.locator(".kq").first
    expect(child.get_by_label("Channel", exact=True)).to_have_value("flights.cancelled")
    expect(foot(notebook).last).to_have_text("%kubemq ui queues flights.cancelled --send")

    notebook.view.get_by_role("complementary").get_by_role("button", name="Peek").click()
    child.locator("tr[data-key]").first.click()
    child.get_by_role("button", name="Send again…").click()
    inner = child.locator(".kq")
    expect(inner.get_by_label("Body", exact=True)).to_have_value(BODY)
    expect(inner.get_by_label("Name of tag 1")).to_have_value("day")
    inner.get_by_label("Body", exact=True).fill('{"carrier": "UA"}')
    inner.get_by_label("Body", exact=True).press("Control+Enter")
    expect(inner.get_by_text("Sent to flights.cancelled").first).to_be_visible()
    looks.assert_clean(notebook.page, notebook.view)
    child.get_by_role("button", name="Refresh").first.click()
    queue = child.get_by_role("grid", name="Messages of flights.cancelled")
    expect(queue.locator("tr[data-key]", has_text="UA")).to_have_count(1)
