"""The views in Notebook 7: the same front end in another page."""

from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import LIVE, SETUP

APPLICATION = "notebooks"


def test_live_table_and_dashboard_are_the_same_in_notebook_7(open_notebook):
    live = open_notebook(SETUP, f"{LIVE}\nfly(*range(1, 6))\nlive", "%kubemq ui")
    live.rows.nth(4).wait_for()
    assert "/notebooks/" in live.page.url
    live.run("fly(6)")
    expect(live.rows).to_have_count(6)

    live.button("Pause").click()
    expect(live.button("Resume")).to_be_visible()
    looks.assert_clean(live.page, live.view)
    live.button("Stop").click()

    expect(live.view.get_by_text("stopped", exact=True)).to_be_visible()
    board = live.page.locator(".jp-OutputArea-output .kq[aria-label='KubeMQ dashboard']")
    expect(board.get_by_role("row").filter(has_text="flights.departures")).to_be_visible()
    looks.assert_clean(live.page, board)
