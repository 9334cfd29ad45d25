"""The time scrubber over a real store, in JupyterLab in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import CONNECT

MARKUP = "<img src=x onerror=alert(1)>"
SETUP = (
    CONNECT
    + """
carriers = ["UA", "AA", "B6"]
rows = [{"carrier": carriers[number % 3], "flight": number, "delay": number % 7} for number in range(1, 301)]
kq.events_store.send("flights.departures", rows=rows)
def mean_delay(state, event):
    state = state or {}
    told = event.json()
    line = state.setdefault(told["carrier"], {"flights": 0, "delay": 0})
    line["flights"] += 1
    line["delay"] += told["delay"]
    return state
"""
)
SCRUB = "scrub = %kubemq events_store scrub flights.departures --fold {{mean_delay}}\nscrub.wait(20)\nscrub"


def cell(view, key, place):
    return view.get_by_role("row", name=key).get_by_role("cell").nth(place)


def test_the_slider_the_steps_and_python_move_over_the_same_events(open_notebook):
    notebook = open_notebook(SETUP, SCRUB)
    view = notebook.view
    expect(view.get_by_role("heading", name="Event 300", exact=True)).to_be_visible()
    expect(cell(view, "UA", 1)).to_have_text("100")

    view.get_by_role("button", name="Back one (Left)").click()
    expect(view.get_by_role("heading", name="State after event 299")).to_be_visible()
    view.get_by_role("button", name="First (Home)").click()
    expect(view.get_by_text("Before the first event", exact=True)).to_be_visible()
    view.get_by_role("textbox", name="Sequence").fill("12")
    view.get_by_role("textbox", name="Sequence").press("Enter")
    expect(cell(view, "UA", 1)).to_have_text("4")
    expect(view.locator(".kq-foot code")).to_have_text("scrub.at(12)")
    view.get_by_role("slider").fill("30")
    expect(cell(view, "UA", 1)).to_have_text("10")

    notebook.run("scrub.at(150)")
    expect(view.get_by_role("heading", name="Event 150", exact=True)).to_be_visible()
    expect(cell(view, "B6", 1)).to_have_text("50")
    looks.assert_clean(notebook.page, view)

    notebook.reload()
    expect(notebook.view.get_by_role("heading", name="Event 150", exact=True)).to_be_visible()


def test_the_keyboard_steps_and_pins_and_two_positions_stand_side_by_side(open_notebook):
    notebook = open_notebook(SETUP, SCRUB)
    view = notebook.view
    view.get_by_role("slider").focus()
    keys = notebook.page.keyboard

    keys.press("Home")
    keys.press("ArrowRight")
    keys.press("Shift+ArrowRight")
    expect(view.get_by_role("heading", name="Event 11", exact=True)).to_be_visible()
    keys.press("a")
    expect(view.get_by_role("button", name="Unpin A", exact=True)).to_be_visible()
    keys.press("End")

    expect(view.locator(".kq-foot code")).to_have_text("scrub.compare(11, 300)")
    row = view.get_by_role("row", name="UA")
    expect(row).to_contain_text("+97")
    looks.assert_clean(notebook.page, view)
    view.get_by_role("button", name="Swap", exact=True).click()
    expect(row).to_contain_text("−97")  # noqa: RUF001  a true minus
    view.get_by_role("button", name="Unpin A", exact=True).click()
    view.get_by_role("combobox", name="Axis").select_option("time")
    expect(view.get_by_role("heading", name="Event 11", exact=True)).to_be_visible()
    view.get_by_role("button", name="To DataFrame", exact=True).click()
    expect(view.get_by_text("11 rows are in")).to_be_visible()
    expect(notebook.page.locator(".jp-Cell")).to_have_count(2)


def test_the_axis_is_a_field_of_the_bodies_where_that_never_goes_back(open_notebook):
    notebook = open_notebook(
        CONNECT,
        """from datetime import datetime, timedelta
began = datetime(2013, 1, 1, 5)
hours = [f"{began + timedelta(hours=number):%Y-%m-%dT%H:%M}" for number in range(720)]
rows = [{"carrier": "UA", "time_hour": hour} for hour in hours]
kq.events_store.send("flights.hours", rows=rows)
scrub = %kubemq events_store scrub flights.hours
scrub.wait(20)
scrub""",
    )
    view = notebook.view
    axis = view.get_by_role("combobox", name="Axis")
    expect(axis.get_by_role("option")).to_have_text(["sequence", "stored at", "body.time_hour"])

    axis.select_option("body.time_hour")

    marks = view.locator(".kq-axis span")
    expect(marks).to_have_text(["1 Jan 2013", "8 Jan", "16 Jan", "23 Jan", "31 Jan"])
    time = view.get_by_role("textbox", name="Time")
    expect(time).to_have_value("2013-01-31 04:00:00")
    time.fill("2013-01-02 17:30")
    time.press("Enter")
    expect(view.get_by_role("heading", name="Event 37", exact=True)).to_be_visible()
    expect(view.locator(".kq-foot code")).to_contain_text("by='body.time_hour'")
    view.get_by_role("slider").fill(str(1357020000000 + 3_600_000 * 100))
    expect(view.get_by_role("heading", name="Event 102", exact=True)).to_be_visible()
    expect(time).to_have_value("2013-01-05 10:00:00")
    looks.assert_clean(notebook.page, view)

    notebook.reload()
    expect(notebook.view.get_by_role("combobox", name="Axis")).to_have_value("body.time_hour")


@pytest.mark.rows("M-22")
def test_an_event_is_sent_again_through_a_form_below(open_notebook):
    notebook = open_notebook(SETUP, SCRUB, "scrub.at(12)")
    view = notebook.view
    view.get_by_role("heading", name="Event 12", exact=True).wait_for()

    view.get_by_role("button", name="Send again…").click()
    form = view.locator(".kq-child .kq")
    expect(form.get_by_label("Body", exact=True)).to_have_value('{"carrier": "UA", "flight": 12, "delay": 5}')
    form.get_by_role("button", name="Send", exact=True).click()
    expect(form.get_by_text("Sent to flights.departures")).to_be_visible()
    looks.assert_clean(notebook.page, view)
    view.get_by_title("Close this pane").click()

    expect(form).to_have_count(0)
    expect(view.locator(".kq-foot code")).to_have_text("scrub.form()")
    sent = notebook.run("print(kq.events_store.receive('flights.departures')['body'].iloc[-1])")
    assert '"flight": 12,' in sent


def test_a_fold_that_raises_and_markup_in_a_store_stay_text(open_notebook):
    notebook = open_notebook(
        SETUP,
        f"kq.events_store.send('odd', rows=[{MARKUP!r}, {MARKUP!r}, 'x'])\n"
        "def count(state, event):\n"
        "    if event.sequence == 3:\n"
        f"        raise TypeError({MARKUP!r})\n"
        f"    return {{event.text: (state or {{}}).get(event.text, 0) + 1}}\n"
        "scrub = %kubemq events_store scrub odd --fold {{count}}\nscrub",
    )
    view = notebook.view

    alert = view.get_by_role("alert")
    expect(alert).to_contain_text("count stopped at event 3: TypeError in line 4")
    expect(alert).to_contain_text("The state shown is the one before.")
    expect(cell(view, MARKUP, 1)).to_have_text("2")
    expect(view.locator("img, script")).to_have_count(0)
    looks.assert_clean(notebook.page, view)
    notebook.run("scrub.step(-1)")
    expect(alert).to_have_count(0)

    notebook.restart_kernel()
    expect(view.get_by_text("Run the cell to see it live.")).to_be_visible()
