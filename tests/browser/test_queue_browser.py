"""The queue browser and the card of a held message, in JupyterLab in Chromium, on a real broker."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import CONNECT

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SETUP = (
    CONNECT
    + """
def cancel(*numbers, **more):
    for number in numbers:
        body = {"carrier": "MQ", "flight": number, "origin": "LGA", "reason": "crew out of hours"}
        kq.queues.send("flights.cancelled", body, **{"tags": {"day": "1"}, **more})
cancel(4401, expiration=300, max_receive_count=3, dead_letter="flights.dead")
cancel(4308, 791)"""
)
OPEN = "browser = %kubemq ui queues flights.cancelled\nbrowser"


@pytest.fixture
def browsed(open_notebook):
    """A notebook that shows a queue of three flights."""
    notebook = open_notebook(SETUP, OPEN)
    rows(notebook).nth(2).wait_for()
    return notebook


def rows(notebook):
    return notebook.view.locator("tbody tr[data-key]")


def card(notebook):
    return notebook.view.get_by_role("group")


def foot(notebook):
    return notebook.view.locator(".kq-foot code")


@pytest.mark.rows("M-18", "T-12")
def test_a_message_is_looked_at_held_extended_and_acked(browsed):
    expect(browsed.count("waiting")).to_have_text("3")
    browsed.view.get_by_role("searchbox").fill("body.flight < 800")
    expect(rows(browsed)).to_have_count(1)
    browsed.view.get_by_role("searchbox").press("Escape")
    expect(rows(browsed)).to_have_count(3)

    rows(browsed).first.click()
    panel = browsed.view.get_by_role("tabpanel")
    expect(panel).to_contain_text('"flight": 4401')
    browsed.view.get_by_role("tab", name="Hex").click()
    expect(panel).to_contain_text("0000  7b 22")
    browsed.view.get_by_role("tab", name="Hex").press("ArrowRight")
    expect(panel.get_by_role("row")).to_have_count(2)
    browsed.view.get_by_role("tab", name="Policy").click()
    expect(panel).to_contain_text("after 3 times to flights.dead")

    browsed.button("Hold next").click()
    left = browsed.view.get_by_role("timer")
    expect(left).to_contain_text(re.compile(r"2\d\.\d s"))
    first = left.text_content()
    expect(left).not_to_have_text(first)  # it runs in the browser
    expect(browsed.count("held")).to_have_text("1")
    expect(rows(browsed)).to_have_count(2)
    card(browsed).get_by_role("textbox", name="Seconds").fill("90")
    browsed.button("Extend").click()
    expect(left).to_contain_text(re.compile(r"[678]\d\.\d s"))
    looks.assert_clean(browsed.page, browsed.view)
    browsed.button("Ack").click()

    expect(card(browsed)).to_contain_text("Acked after")
    expect(browsed.view.get_by_role("button", name="Hold next").last).to_be_focused()
    expect(foot(browsed)).to_have_text("browser.held.ack()")
    expect(browsed.count("waiting")).to_have_text("2")
    assert (
        browsed.run("print(browser.held.state, kq.queues.ack_all('flights.cancelled'))").strip() == "acked 2"
    )


@pytest.mark.rows("T-12")
def test_reject_resend_and_modify_do_what_the_transaction_does(browsed):
    browsed.button("Hold next").click()
    browsed.button("Reject").click()
    expect(card(browsed)).to_contain_text("Rejected after")
    expect(rows(browsed).last).to_contain_text("2 of 3")

    card(browsed).get_by_role("button", name="Hold next").click()
    card(browsed).get_by_role("textbox", name="Queue").fill("flights.rebook")
    browsed.button("Resend").click()
    expect(card(browsed)).to_contain_text("Resent after")
    assert browsed.run("print(kq.queues.peek('flights.rebook').decoded[0]['flight'])").strip() == "4308"

    card(browsed).get_by_role("button", name="Hold next").click()
    expect(card(browsed).last).to_contain_text("Held: sequence")
    browsed.run("browser.held.extend(300)")  # longer than all this takes on a busy machine
    browsed.button("Modify…").click()
    body = browsed.view.get_by_role("textbox", name="Body")
    expect(body).to_be_focused()
    body.fill('{"flight": 792')
    body.press("Control+Enter")
    expect(browsed.view.get_by_role("alert")).to_contain_text("Nothing was sent.")
    looks.assert_clean(browsed.page, browsed.view)
    body.fill('{"flight": 792}')
    body.press("Control+Enter")
    expect(card(browsed).last).to_contain_text("Modified after")
    expect(rows(browsed).last).to_contain_text("792")
    assert browsed.page.locator(".jp-Cell").count() == 2  # Ctrl+Enter was not the notebook's


@pytest.mark.rows("T-12")
def test_at_zero_the_card_says_what_the_server_says(browsed):
    browsed.run("browser.hold(4)")
    expect(browsed.view.get_by_text("left: extend now, or it goes back")).to_be_visible()
    looks.assert_clean(browsed.page, browsed.view, widths=())

    expect(card(browsed)).to_contain_text(
        "Its 4 s ran out (error 129). It is back in the queue, received 2 of 3."
    )
    expect(card(browsed)).to_contain_text("No longer held: sequence 1")
    card(browsed).get_by_role("button", name="Hold next").click()
    expect(card(browsed)).to_contain_text("Held: sequence 2")


def test_a_purge_asks_first_and_the_safe_button_has_the_focus(browsed):
    browsed.button("Purge…").click()
    asking = browsed.view.get_by_role("alertdialog")
    expect(asking).to_contain_text("Remove all 3 waiting messages from flights.cancelled?")
    expect(browsed.button("Keep them")).to_be_focused()
    looks.assert_clean(browsed.page, browsed.view)
    browsed.button("Keep them").press("Enter")  # Lab may have taken the focus as its theme changed
    expect(asking).to_have_count(0)
    expect(browsed.button("Purge…")).to_be_focused()

    browsed.button("Purge…").click()
    browsed.button("Remove 3 messages").click()

    expect(browsed.view.get_by_text("No message waits in flights.cancelled")).to_be_visible()
    expect(browsed.view.get_by_text("3 messages are removed.")).to_be_visible()
    expect(foot(browsed)).to_have_text("browser.purge()")


def test_the_keyboard_does_all_of_it_and_leaves_the_notebook_alone(browsed):
    rows(browsed).first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        browsed.page.keyboard.press(key)
    expect(rows(browsed).nth(1)).to_be_focused()
    browsed.page.keyboard.press("Enter")
    expect(browsed.view.get_by_role("heading", name="Message 2")).to_be_visible()
    browsed.page.keyboard.press("Escape")
    expect(browsed.view.get_by_role("heading", name="Message 2")).to_have_count(0)
    browsed.page.keyboard.press("h")
    expect(card(browsed)).to_contain_text("Held: sequence 1")
    browsed.page.keyboard.press("m")
    expect(browsed.view.get_by_role("textbox", name="Body")).to_be_focused()
    browsed.page.keyboard.press("Escape")
    expect(browsed.view.get_by_role("textbox", name="Body")).to_have_count(0)
    rows(browsed).first.focus()
    browsed.page.keyboard.press("a")
    expect(card(browsed)).to_contain_text("Done: sequence 1")
    browsed.page.keyboard.press("/")
    expect(browsed.view.get_by_role("searchbox")).to_be_focused()

    expect(browsed.page.locator(".jp-Cell")).to_have_count(2)


def test_a_body_is_copied_as_it_is_and_the_column_received_explains_itself(open_notebook):
    body = '{\n\t"gate": "caf\u00e9"\n}'
    notebook = open_notebook(SETUP, f"kq.queues.send('gates', {body!r}.encode())\nkq.ui('queues', 'gates')")
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    rows(notebook).first.click()
    notebook.view.get_by_role("tabpanel").wait_for()

    notebook.button("Copy body").click()

    expect(notebook.view.get_by_text("Copied", exact=True)).to_be_attached()
    assert notebook.page.evaluate("navigator.clipboard.readText()") == body
    for place in (notebook.view.get_by_role("button", name="received"), rows(notebook).locator("td").nth(3)):
        expect(place).to_have_attribute("title", re.compile("nobody has received it yet"))


def test_a_queue_whose_connection_was_closed_offers_nothing_more(browsed):
    rows(browsed).first.click()
    browsed.button("Hold next").click()
    expect(card(browsed)).to_contain_text("Held: sequence 1")

    browsed.run("kq.close()")

    expect(browsed.view.get_by_text("closed", exact=True)).to_be_visible()
    expect(card(browsed)).to_contain_text("Done: sequence 1")
    for name in ("Hold next", "Send…", "Purge…", "Refresh", "Send again…"):
        expect(browsed.view.get_by_role("button", name=name)).to_have_count(0)
    expect(browsed.button("To DataFrame")).to_be_visible()
    browsed.view.get_by_role("searchbox").fill("nowhere")
    expect(browsed.view.locator(".kq-empty h4")).to_be_visible()
    expect(browsed.button("Look again")).to_have_count(0)
    browsed.view.get_by_role("searchbox").fill("")
    expect(browsed.count("held")).to_have_text("–")  # noqa: RUF001  nobody knows any more
    looks.assert_clean(browsed.page, browsed.view)


def test_markup_in_a_message_stays_text_wherever_it_is_shown(open_notebook):
    told = repr(MARKUP)
    notebook = open_notebook(
        SETUP,
        f"kq.queues.send('marked', {{{told}: {told}}}, id={told}, metadata={told}, tags={{{told}: {told}}})\n"
        "browser = kq.ui('queues', 'marked')\nbrowser",
    )
    rows(notebook).first.click()
    for tab in ("Decoded", "Raw", "Tags 1", "Policy"):
        notebook.view.get_by_role("tab", name=tab).click()
        expect(notebook.view.get_by_role("tabpanel")).to_contain_text("<img src=x")
    notebook.button("Hold next").click()
    notebook.button("Modify…").click()
    expect(notebook.view.get_by_role("textbox", name="Metadata")).to_have_value(MARKUP)
    notebook.view.get_by_role("searchbox").fill(MARKUP)
    notebook.button("Resend").click()
    expect(notebook.view.get_by_role("alert").first).to_be_visible()

    expect(notebook.view.locator("img, script")).to_have_count(0)
    assert notebook.complaints == []


def test_a_page_loaded_again_and_a_second_display_show_the_same(open_notebook):
    notebook = open_notebook(SETUP, OPEN.replace("\nbrowser", "\ndisplay(browser)\ndisplay(browser)"))
    frames = notebook.page.locator(".jp-OutputArea-output .kq")
    second = frames.nth(1)
    second.wait_for()
    rows(notebook).nth(1).click()
    notebook.view.get_by_role("searchbox").fill("crew")
    notebook.button("Hold next").click()
    expect(second.get_by_text("Held: sequence 1")).to_be_visible()
    notebook.run("browser.held.extend(300)")  # longer than a page takes on a busy machine
    expect(second.get_by_role("heading", name="Message 2")).to_be_visible()
    expect(second.get_by_role("searchbox")).to_have_value("crew")

    notebook.reload()

    for view in (frames.first, second):
        expect(view.get_by_text("Held: sequence 1")).to_be_visible()
        expect(view.get_by_role("heading", name="Message 2")).to_be_visible()
    second.get_by_role("button", name="Ack").click()
    expect(notebook.view.get_by_text("Done: sequence 1")).to_be_visible()


def test_a_broker_that_goes_away_takes_nothing_from_the_view(browsed):
    browsed.button("Hold next").click()
    expect(card(browsed)).to_contain_text("Held: sequence 1")
    browsed.run("kq.broker.stop()")
    expect(card(browsed)).to_contain_text("The connection broke.")
    browsed.button("Refresh").click()
    expect(browsed.view.get_by_text("not connected")).to_be_visible()
    expect(
        browsed.view.get_by_role("alert").filter(has_text="The embedded broker was stopped")
    ).to_have_count(1)
    looks.assert_clean(browsed.page, browsed.view, widths=(480,))
    expect(rows(browsed)).to_have_count(2)

    browsed.run("kq.broker.start()")
    browsed.button("Try again").click()

    expect(browsed.view.get_by_text("connected", exact=True)).to_be_visible()
    expect(rows(browsed)).to_have_count(3)


def test_a_restart_of_the_kernel_leaves_what_was_shown(browsed):
    rows(browsed).first.click()
    browsed.view.get_by_role("tabpanel").wait_for()

    browsed.restart_kernel()

    expect(browsed.view.get_by_text("no kernel", exact=True)).to_be_visible()
    expect(rows(browsed)).to_have_count(3)
    expect(browsed.button("Hold next")).to_be_disabled()


@pytest.mark.rows("T-12")
def test_a_transaction_has_its_card(open_notebook):
    notebook = open_notebook(SETUP, "tx = %kubemq queues transaction flights.cancelled --visibility 60s\ntx")
    notebook.view.get_by_text("Held: sequence 1").wait_for()
    expect(notebook.view.get_by_role("timer")).to_contain_text("9 m")  # it extends itself for ten minutes
    looks.assert_clean(notebook.page, notebook.view)
    notebook.button("Ack").click()
    expect(notebook.view.get_by_text("Acked after")).to_be_visible()
    expect(notebook.view.locator(".kq-foot code")).to_have_text("tx.ack()")
