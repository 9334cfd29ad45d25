"""The log of a real responder, in JupyterLab in Chromium."""

from playwright.sync_api import expect

from tests.browser.conftest import SETUP

RESPOND = """%%kubemq queries respond delays.mean
if request.json()["carrier"] == "XX":
    raise ValueError("no such carrier")
return {"mean_delay": 6.93}"""


def test_a_responder_shows_what_it_was_asked_and_what_it_answered(open_notebook):
    notebook = open_notebook(SETUP, RESPOND)
    notebook.view.get_by_text("taking requests").wait_for()

    for carrier in ("AA", "XX"):
        notebook.run(f"kq.queries.send('delays.mean', {{'carrier': {carrier!r}}})")

    expect(notebook.rows).to_have_count(2)
    expect(notebook.rows.nth(0)).to_contain_text('{"mean_delay":6.93}')
    expect(notebook.rows.nth(0).get_by_text("yes")).to_be_visible()
    expect(notebook.rows.nth(1)).to_contain_text("ValueError: no such carrier")
    expect(notebook.rows.nth(1).get_by_text("no", exact=True)).to_be_visible()

    notebook.button("Stop").click()

    expect(notebook.view.get_by_text("stopped", exact=True)).to_be_visible()
