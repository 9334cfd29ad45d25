"""The views in Notebook 7: the same front end in another page."""

from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import SETUP

APPLICATION = "notebooks"


def test_the_live_table_is_the_same_in_notebook_7(live):
    assert "/notebooks/" in live.page.url
    live.run("fly(6)")
    expect(live.rows).to_have_count(6)

    live.button("Pause").click()
    expect(live.button("Resume")).to_be_visible()
    looks.assert_clean(live.page, live.view)
    live.button("Stop").click()

    expect(live.view.get_by_text("stopped", exact=True)).to_be_visible()


def test_the_dashboard_is_the_same_in_notebook_7(open_notebook):
    notebook = open_notebook(SETUP, "kq.queues.send('flights.cancelled', 'UA 1545')\n%kubemq ui")

    expect(notebook.view.get_by_role("row").filter(has_text="flights.cancelled")).to_be_visible()
    looks.assert_clean(notebook.page, notebook.view)
