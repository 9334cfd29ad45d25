"""All views in one notebook, and what happens to all: an interrupt, a reload, an unload, a restart."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CONNECT
from tests.browser.lab import wait_until

SETUP = f"""{CONNECT}
kq.queues.send("orders", rows=[{{"order": n}} for n in range(3)])
kq.events_store.send("prices", rows=[{{"price": n}} for n in range(3)])
_ = kq.events.send("gates", "x")"""
VIEWS = {  # label of the view: what makes its model
    "KubeMQ dashboard": "kq.ui()",
    "Queue browser of orders": "kq.ui('queues', 'orders')",
    "Held messages of orders": "kq.queues.transaction('orders', hold=0, visibility=300)",
    "Live table of prices": "kq.events_store.receive('prices', start='first', live=True)",
    "Requests on stock": "kq.queries.respond('stock', echo=True)",
    "Answer by hand: doors": "kq.commands.respond('doors', manual=True)",
    "Time scrubber of prices": "kq.events_store.scrub('prices')",
    "Send form on embedded broker": "kq.ui('queues', 'orders', send=True)",
}
THREADS = "import threading; print([each.name for each in threading.enumerate() if 'kubemq' in each.name])"


def view(notebook, label):
    return notebook.page.locator(f".jp-OutputArea-output > * .kq[aria-label='{label}']").first


def state(notebook, label):
    return view(notebook, label).locator(".kq-state").first


def rows(notebook, label):
    return view(notebook, label).locator("tbody tr:not(.kq-gap)")


@pytest.mark.rows("M-38")
def test_every_view_outlives_what_happens_to_its_kernel_and_its_page_and_ends_with_the_extension(
    open_notebook,
):
    notebook = open_notebook(SETUP, *VIEWS.values())
    for label in VIEWS:
        expect(view(notebook, label)).to_be_visible()
    notebook.keep_busy()
    notebook.interrupt()
    notebook.run("kq.events_store.send('prices', {'price': 4}); kq.queries.send('stock', 'how many')")
    expect(rows(notebook, "Live table of prices")).to_have_count(4)
    expect(rows(notebook, "Requests on stock")).to_have_count(1)

    notebook.reload()

    for label in VIEWS:
        expect(view(notebook, label)).to_be_visible()
    expect(rows(notebook, "Live table of prices")).to_have_count(4)
    view(notebook, "Held messages of orders").get_by_role("button", name="Ack").click()
    expect(view(notebook, "Held messages of orders")).to_contain_text("Done: sequence 1")

    notebook.run("%unload_ext kubemq_nb")

    expect(view(notebook, "KubeMQ dashboard")).to_contain_text("The connection embedded was closed.")
    expect(state(notebook, "Live table of prices")).to_have_text("stopped")
    expect(state(notebook, "Requests on stock")).to_have_text("stopped")
    expect(state(notebook, "Queue browser of orders")).to_have_text("closed")
    expect(state(notebook, "Answer by hand: doors")).to_have_text("closed")
    expect(state(notebook, "Send form on embedded broker")).to_have_text("closed")
    for label in VIEWS:
        expect(view(notebook, label).get_by_text("The kernel no longer holds this.")).to_be_visible()
    wait_until(lambda: notebook.run(THREADS).strip() == "[]", 20, "threads are left")

    notebook.restart_kernel()

    for label in VIEWS:
        expect(view(notebook, label).get_by_text("The kernel that showed this is gone.")).to_be_visible()
    expect(rows(notebook, "Live table of prices")).to_have_count(4)
