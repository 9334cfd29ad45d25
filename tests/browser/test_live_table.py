"""The live table of a real feed from a real broker, in JupyterLab in Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import LIVE, SETUP

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"

# It connects again by itself only after so many seconds, so that it is the button that does it.
PATIENT = "from kubemq_nb.client import subscription as each; each.FIRST_PAUSE, each.LONGEST_PAUSE = {}"


@pytest.mark.rows("M-09")
def test_events_appear_as_they_come_and_the_counters_follow(live):
    expect(live.rows).to_have_count(5)
    expect(live.count("received")).to_have_text("5")

    live.run("fly(6, 7)")

    expect(live.rows).to_have_count(7)
    expect(live.count("received")).to_have_text("7")
    expect(live.view.get_by_role("status").first).to_have_text("live")
    expect(live.rows.last).to_contain_text("IAH")
    expect(live.view.locator("th", has_text="flight")).to_be_visible()


def test_pause_resume_and_stop_are_those_of_the_feed(live):
    live.button("Pause").click()
    expect(live.view.get_by_text("paused")).to_be_visible()

    live.run("fly(6, 7)")
    expect(live.view.get_by_text("2 new events since the pause.")).to_be_visible()
    expect(live.rows).to_have_count(5)
    live.button("Resume").click()
    expect(live.rows).to_have_count(7)

    live.button("Stop").click()
    expect(live.view.get_by_text("stopped", exact=True)).to_be_visible()
    expect(live.view.locator("code")).to_have_text("live.stop()")
    assert live.run("print(live.status().state)").strip() == "stopped"
    expect(live.rows).to_have_count(7)


@pytest.mark.rows("M-13")
def test_a_view_stays_where_it_was_left_while_a_cell_runs(live):
    live.run("fly(*range(6, 41))")
    expect(live.rows).to_have_count(40)
    live.run("""import threading
def depart():
    for number in range(41, 10_000):
        if ended.wait(0.1):
            return
        fly(number)
ended = threading.Event()
threading.Thread(target=depart, daemon=True).start()""")
    live.deafen()
    live.keep_busy()
    live.rows.last.focus()
    live.page.keyboard.press("PageUp")
    reader = live.page.locator(":focus")
    number = reader.get_attribute("data-number")
    before = live.count("received").text_content()

    for _ in range(3):  # looks at the feed, each of which knows nothing of the key yet
        expect(live.count("received")).not_to_have_text(before)
        before = live.count("received").text_content()

    expect(reader).to_have_attribute("data-number", number)
    expect(live.view.get_by_role("checkbox")).not_to_be_checked()
    live.interrupt()
    live.run("ended.set()")
    expect(live.view.get_by_role("checkbox")).not_to_be_checked()
    expect(reader).to_have_attribute("data-number", number)


def test_its_buttons_work_while_a_cell_runs(live):
    live.keep_busy()

    live.button("Pause").click()
    expect(live.view.get_by_text("paused")).to_be_visible()
    live.button("Stop").click()

    expect(live.view.get_by_text("stopped", exact=True)).to_be_visible()
    live.interrupt()
    assert live.run("print(live.status().state)").strip() == "stopped"


def test_what_python_does_shows_in_the_view(live):
    live.run("live.clear()")
    expect(live.view.get_by_text("Nothing is held")).to_be_visible()

    live.run("live.stop()")
    expect(live.view.get_by_text("stopped", exact=True)).to_be_visible()


def test_markup_in_a_message_stays_text(open_notebook):
    notebook = open_notebook(
        SETUP,
        LIVE,
        f"fly(1, metadata={MARKUP!r}, tags={{{MARKUP!r}: {MARKUP!r}}})\n"
        f"kq.events_store.send('flights.departures', {{{MARKUP!r}: {MARKUP!r}}}, id={MARKUP!r})\n"
        "live.wait(count=2)\nlive",
    )
    notebook.rows.nth(1).click()
    notebook.view.get_by_text("Event 2").wait_for()

    expect(notebook.rows.nth(1)).to_contain_text(MARKUP)
    expect(notebook.view.locator("img, script")).to_have_count(0)
    assert notebook.complaints == []


def test_a_filter_narrows_what_is_held(live):
    field = live.view.get_by_role("searchbox")
    field.fill("body.flight > 3 and body.flight != 5")
    expect(live.count("shown")).to_have_text("1 of 5")
    expect(live.rows).to_have_count(1)
    expect(live.view.locator(".kq-foot code")).to_have_text(
        "live.filter('body.flight > 3 and body.flight != 5')"
    )

    field.fill("body.flight >")
    expect(live.view.get_by_role("alert")).to_contain_text("where, column 14")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(live.rows).to_have_count(1)

    live.run("live.filter('IAH')")  # a text is searched for everywhere
    expect(live.rows).to_have_count(5)
    field.press("Escape")
    expect(live.count("shown")).to_have_text("5")
    looks.assert_clean(live.page, live.view)


def test_a_filter_counts_also_when_the_field_is_left_at_once(live):
    field = live.view.get_by_role("searchbox")
    field.evaluate("(node) => { node.focus(); node.value = 'IAH'; }")
    field.evaluate("(node) => { node.dispatchEvent(new Event('input')); node.blur(); }")

    expect(live.count("shown")).to_have_text("5 of 5")
    expect(field).to_have_value("IAH")


def test_start_again_reads_from_the_position_that_was_picked(live):
    live.view.get_by_role("searchbox").fill("IAH")  # its answer comes while a start is picked
    live.view.get_by_role("radio", name="Sequence").check()
    field = live.view.get_by_role("textbox", name="Start value")
    field.fill("none")
    live.button("Start again").click()
    expect(live.view.get_by_role("alert")).to_contain_text("a sequence is a whole number such as 1200")
    expect(live.rows).to_have_count(5)

    field.fill("4")
    expect(live.view.get_by_role("alert")).to_have_count(0)
    live.button("Start again").click()

    expect(live.rows).to_have_count(2)
    expect(live.rows.first).to_contain_text("4")
    expect(live.button("Start again")).to_have_count(0)
    expect(live.view.locator(".kq-foot code")).to_have_text("live.restart(start='seq:4')")

    live.button("Stop").click()
    looks.assert_clean(live.page, live.view)
    live.view.get_by_role("radio", name="First").check()
    live.button("Start again").click()
    expect(live.rows).to_have_count(5)
    expect(live.view.get_by_role("status").first).to_have_text("live")


def test_an_interrupt_leaves_the_table_alone_and_a_restart_says_that_the_kernel_is_gone(live):
    live.interrupt()
    live.run("fly(6)")
    expect(live.rows).to_have_count(6)

    live.restart_kernel()

    expect(live.view.get_by_text("no kernel", exact=True)).to_be_visible()
    expect(live.view.get_by_text("Run the cell to see it live.")).to_be_visible()
    expect(live.rows).to_have_count(6)
    expect(live.view.get_by_role("button", name="Pause")).to_have_count(0)
    expect(live.view.get_by_role("searchbox")).to_be_disabled()
    looks.assert_clean(live.page, live.view)


@pytest.mark.rows("M-09")
def test_to_dataframe_hands_the_rows_to_the_notebook(live):
    live.button("To DataFrame").click()

    expect(live.view.get_by_text("5 rows are in flights_departures")).to_be_visible()
    assert live.run("print(len(flights_departures))").strip() == "5"


@pytest.mark.rows("M-22")
def test_an_open_row_is_sent_again_through_a_form_below(live):
    live.rows.first.click()
    live.button("Send again…").click()
    form = live.view.locator(".kq-child .kq")
    expect(form.get_by_label("Body", exact=True)).to_have_value(
        '{"carrier": "UA", "flight": 1, "dest": "IAH"}'
    )
    form.get_by_role("button", name="Send", exact=True).click()

    expect(live.rows).to_have_count(6)
    expect(live.view.locator(".kq-foot code").last).to_have_text("live.form(1)")
    live.view.get_by_title("Close this pane").click()
    expect(form).to_have_count(0)


def test_the_keyboard_does_what_the_buttons_do_and_leaves_the_notebook_alone(live):
    live.rows.last.focus()

    live.page.keyboard.press("ArrowUp")
    expect(live.rows.nth(3)).to_be_focused()
    expect(live.view.get_by_role("checkbox")).not_to_be_checked()
    live.page.keyboard.press("Enter")
    expect(live.view.get_by_text("Event 4")).to_be_visible()
    live.page.keyboard.press("Escape")
    expect(live.view.get_by_text("Event 4")).to_have_count(0)
    live.page.keyboard.press("d")
    live.page.keyboard.press("d")
    expect(live.view.get_by_text("5 rows are in flights_departures")).to_be_visible()
    live.page.keyboard.press("p")
    expect(live.button("Resume")).to_be_visible()
    live.page.keyboard.press("/")
    expect(live.view.get_by_role("searchbox")).to_be_focused()

    expect(live.page.locator(".jp-Cell")).to_have_count(2)


def test_a_page_that_is_loaded_again_shows_the_same(live):
    live.button("Pause").click()
    live.view.get_by_role("searchbox").fill("flight")
    expect(live.count("shown")).to_have_text("5 of 5")

    live.reload()

    expect(live.rows).to_have_count(5)
    expect(live.view.get_by_text("paused")).to_be_visible()
    expect(live.view.get_by_role("searchbox")).to_have_value("flight")
    live.button("Resume").click()
    live.run("fly(6)")
    expect(live.rows).to_have_count(6)


def test_two_displays_of_a_feed_agree(open_notebook):
    notebook = open_notebook(SETUP, LIVE, "live", "live")
    views = notebook.page.locator(".jp-OutputArea-output .kq")
    views.nth(1).wait_for()

    views.nth(0).get_by_role("button", name="Pause").click()
    expect(views.nth(1).get_by_role("button", name="Resume", exact=True)).to_be_visible()
    notebook.run("fly(1)")

    for view in views.all():
        expect(view.get_by_role("button", name="Resume", exact=True)).to_be_visible()
        expect(view.get_by_text("1 new event since the pause.")).to_be_visible()


def test_a_broker_that_comes_back_leaves_a_mark_in_the_stream(live):
    live.run(PATIENT.format("600.0, 600.0"))
    live.run("kq.broker.stop()")
    expect(live.view.get_by_text("reconnecting", exact=True)).to_be_visible()
    expect(live.view.get_by_text(re.compile(r"Lost .+\. Attempt \d+, next in \d+ s\."))).to_be_visible()
    looks.assert_clean(live.page, live.view)
    live.run("kq.broker.start(); fly(6)")
    live.button("Try now").click()

    expect(live.count("reconnects")).to_have_text("1")
    expect(live.rows).to_have_count(6)
    expect(live.view.locator("tr.mark")).to_have_count(1)
    expect(live.view.get_by_role("status").first).to_have_text("live")
    live.run(PATIENT.format("0.1, 2.0"))


def test_an_empty_view_says_what_is_true(open_notebook):
    notebook = open_notebook(SETUP, "%kubemq events receive gates --live")

    notebook.view.get_by_text("Connected, nothing new yet").wait_for()
    looks.assert_clean(notebook.page, notebook.view)
    notebook.button("Send…").click()
    form = notebook.view.locator(".kq-child .kq")
    form.get_by_label("Body", exact=True).fill('{"gate": "C71"}')
    form.get_by_role("button", name="Send", exact=True).click()
    expect(notebook.rows).to_have_count(1)
    expect(notebook.view.get_by_text("Connected, nothing new yet")).to_be_hidden()


def test_where_nothing_is_shown_a_button_says_what_to_do(open_notebook):
    notebook = open_notebook(SETUP, f"fly(1, 2)\n{LIVE.replace('first', 'new')}\nlive")
    notebook.view.get_by_text("Only events sent from now on appear. Earlier ones are stored.").wait_for()
    notebook.button("Replay from first").click()
    expect(notebook.rows).to_have_count(2)
    expect(notebook.view.locator(".kq-foot code")).to_have_text("live.restart(start='first')")

    notebook.view.get_by_role("searchbox").fill("ORD")
    expect(notebook.view.get_by_text("None of 2 held rows matches “ORD”")).to_be_visible()
    notebook.button("Empty the filter").click()
    expect(notebook.rows).to_have_count(2)
    expect(notebook.view.get_by_role("searchbox")).to_be_focused()


def test_every_text_stands_out_in_any_theme_and_is_cut_off_at_no_width(open_notebook):
    cell = f"{LIVE}\nfly(*range(1, 6), tags={{'day': '1', 'gate': 'B' * 90}})\nlive.wait(count=5)\nlive"
    notebook = open_notebook(SETUP, cell)
    notebook.rows.nth(2).click()
    notebook.button("Pause").click()
    notebook.button("To DataFrame").click()
    notebook.view.get_by_text("5 rows are in").wait_for()
    notebook.button("Resume").wait_for()

    assert len(notebook.view.evaluate(looks.CONTRAST)) > 50
    looks.assert_clean(notebook.page, notebook.view, themes=(*looks.THEMES, "JupyterLab Dark High Contrast"))
