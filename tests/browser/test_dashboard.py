"""The dashboard in JupyterLab in Chromium, on real brokers."""

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.conftest import CONNECT

SETUP = f"""{CONNECT}
kq.queues.send("flights.cancelled", rows=[{{"flight": n}} for n in range(5)])
kq.events_store.send("flights.departures", rows=[{{"flight": n}} for n in range(30)])
kq.events.send("gates.EWR", "x")
_ = kq.queries.respond("delays.mean", echo=True)
_ = kq.queries.send("delays.mean", "MQ")"""
OPEN = "board = %kubemq ui\nboard"
# A page that hears of a focus that goes may ask where things are, in the middle of our own doing.
LAID_OUT_MEANWHILE = """() => {
    const {remove} = Element.prototype;
    Element.prototype.remove = function () {
        remove.call(this);
        document.querySelector('.kq-scroll.tall')?.scrollTop;
    };
    window.noMore = () => { Element.prototype.remove = remove; };
}"""


@pytest.fixture
def board(open_notebook):
    """A notebook that shows a dashboard of four channels."""
    notebook = open_notebook(SETUP, OPEN)
    rows(notebook).nth(3).wait_for()
    return notebook


def rows(notebook):
    return notebook.view.get_by_role("grid", name="Channels").locator("tbody tr[data-key]")


def row(notebook, channel):
    return rows(notebook).filter(has_text=channel)


def tile(notebook, name):
    return notebook.view.locator(f".kq-stats dt:text-is('{name}') + dd")


def foot(notebook):
    return notebook.view.locator(".kq-foot code").last


@pytest.mark.rows("M-46", "M-26", "M-27")
def test_channels_figures_and_charts_follow_what_happens(board):
    expect(tile(board, "Channels")).to_have_text("4")
    expect(tile(board, "Waiting")).to_have_text("5")
    expect(tile(board, "Jobs")).to_have_text("2 running")  # itself and the responder
    board.run("kq.queues.send('flights.cancelled', rows=['x'] * 600)")

    expect(tile(board, "Waiting")).to_have_text("605")
    expect(row(board, "flights.cancelled")).to_contain_text("605")
    expect(tile(board, "In")).not_to_contain_text("0.0")
    expect(rows(board).first).to_contain_text("flights.cancelled")  # the busiest stands first
    expect(board.view.get_by_role("img", name="Backlog went from 5 to 605 messages")).to_be_visible()
    expect(board.view.get_by_text("connected", exact=True)).to_be_visible()
    expect(board.view.get_by_text("every 2 s")).to_be_visible()


@pytest.mark.rows("M-46")
def test_a_channel_opens_with_its_actions_and_they_open_below(board):
    row(board, "flights.cancelled").click()
    pane = board.view.get_by_role("complementary")
    expect(pane.get_by_role("button", name="Hold next")).to_be_visible()
    expect(pane).to_contain_text("waiting5")
    pane.get_by_role("button", name="Peek").click()
    child = board.view.locator(".kq-child .kq")
    expect(child.locator("tr[data-key]")).to_have_count(5)
    child.get_by_role("button", name="Hold next").first.click()
    expect(child.get_by_text("Held: sequence 1")).to_be_visible()
    expect(foot(board)).to_have_text("%kubemq ui queues flights.cancelled")
    expect(pane.locator("dt:text-is('held') + dd")).to_have_text("1")
    looks.assert_clean(board.page, board.view)
    child.get_by_role("button", name="Ack").click()
    expect(child.get_by_text("Done: sequence 1")).to_be_visible()

    row(board, "flights.departures").click()
    pane.get_by_role("button", name="Tail").click()
    expect(child.get_by_text("Connected, nothing new yet")).to_be_visible()
    board.run("kq.events_store.send('flights.departures', {'flight': 31})")
    expect(child.locator("tbody tr[data-number]")).to_have_count(1)
    assert "events_store" in board.run("print(kq.jobs().kind.tolist())")
    board.view.get_by_title("Close this pane").click()
    expect(child).to_have_count(0)
    assert "events_store" not in board.run("print(kq.jobs().kind.tolist())")


def test_filter_kinds_and_order_are_the_same_in_both_displays_and_after_a_reload(open_notebook):
    notebook = open_notebook(SETUP, OPEN.replace("\nboard", "\ndisplay(board)\ndisplay(board)"))
    frames = notebook.page.locator(".jp-OutputArea-output .kq")
    second = frames.nth(1)
    second.locator("tr[data-key]").nth(3).wait_for()
    notebook.view.get_by_role("searchbox").fill("flights")
    expect(rows(notebook)).to_have_count(2)
    notebook.view.get_by_role("button", name="Queues 1").click()
    expect(rows(notebook)).to_have_count(1)
    expect(second.locator("tr[data-key]")).to_have_count(1)
    notebook.view.get_by_role("button", name="Queues 1").click()
    notebook.view.get_by_role("searchbox").press("Escape")
    notebook.view.get_by_role("button", name="channel").click()
    expect(second.locator("tr[data-key]").first).to_contain_text("delays.mean")
    row(notebook, "gates.EWR").click()
    second.get_by_role("complementary", name="gates.EWR").wait_for()

    notebook.reload()

    for view in (frames.first, second):
        expect(view.get_by_role("complementary", name="gates.EWR")).to_be_visible()
        expect(view.locator("tr[data-key]").first).to_contain_text("delays.mean")
    notebook.run("kq.events.send('gates.LGA', 'x')")
    expect(rows(notebook)).to_have_count(5)


def test_a_thousand_channels_are_quick_to_scroll_filter_and_sort(open_notebook):
    notebook = open_notebook(
        SETUP, "for number in range(996):\n    kq.events.send(f'sensors.{number:04}', 'x')\n" + OPEN
    )
    expect(tile(notebook, "Channels")).to_have_text("1,000")  # the browser gets no more
    assert rows(notebook).count() < 60
    notebook.page.evaluate(LAID_OUT_MEANWHILE)
    notebook.view.get_by_role("button", name="channel").click()
    expect(rows(notebook).first).to_contain_text("delays.mean")  # rows that go take the focus along
    rows(notebook).first.press("End")
    expect(row(notebook, "sensors.0995")).to_be_focused()
    notebook.page.keyboard.press("PageUp")
    expect(row(notebook, "sensors.0985")).to_be_focused()
    notebook.page.evaluate("noMore()")
    assert rows(notebook).count() < 60
    notebook.view.get_by_role("searchbox").fill("sensors.0500")
    expect(rows(notebook)).to_have_count(1)


def test_the_keyboard_does_all_of_it_and_leaves_the_notebook_alone(board):
    rows(board).first.focus()
    board.page.keyboard.press("ArrowDown")
    expect(rows(board).nth(1)).to_be_focused()
    row(board, "flights.cancelled").focus()
    board.page.keyboard.press("Enter")
    expect(board.view.get_by_role("complementary", name="flights.cancelled")).to_be_visible()
    board.page.keyboard.press("p")
    child = board.view.locator(".kq-child .kq")
    expect(child.locator("tr[data-key]")).to_have_count(5)
    child.locator("tr[data-key]").first.focus()
    board.page.keyboard.press("h")  # of the view inside
    expect(child.get_by_text("Held: sequence 1")).to_be_visible()
    row(board, "flights.cancelled").focus()
    board.page.keyboard.press("Escape")
    expect(board.view.get_by_role("complementary")).to_have_count(0)
    board.page.keyboard.press("/")
    expect(board.view.get_by_role("searchbox", name="Filter channels")).to_be_focused()
    board.page.keyboard.type("dd")

    expect(rows(board)).to_have_count(0)
    expect(board.page.locator(".jp-Cell")).to_have_count(2)


def test_a_broker_that_is_away_is_said_and_old_figures_stay(board):
    row(board, "flights.cancelled").click()
    # It looks again by itself only after ten minutes, so that it is the button that does it.
    board.run("from kubemq_nb.session import dashboard; dashboard.RESTS = (600.0,)")
    board.run("kq.broker.stop()")
    expect(board.view.get_by_text("reconnecting", exact=True)).to_be_visible()
    expect(board.view.get_by_text("does not answer.")).to_be_visible()
    expect(board.view.get_by_text("Attempt ")).to_be_visible()
    expect(row(board, "flights.cancelled")).to_contain_text("5")
    looks.assert_clean(board.page, board.view)

    board.run("kq.broker.start()")
    board.button("Try now").click()
    expect(board.view.get_by_text("connected", exact=True)).to_be_visible()
    expect(board.view.get_by_text("does not answer.")).to_have_count(0)

    board.run("kq.stop('all')")
    expect(board.view.get_by_text("stopped", exact=True)).to_be_visible()
    board.button("Start again").click()
    expect(board.view.get_by_text("connected", exact=True)).to_be_visible()

    board.restart_kernel()
    expect(board.view.get_by_text("no kernel", exact=True)).to_be_visible()
    expect(row(board, "flights.cancelled")).to_be_visible()


def test_of_several_connections_one_is_chosen_and_a_read_only_one_only_looks(open_notebook):
    notebook = open_notebook(
        SETUP,
        "import kubemq_nb\n"
        "options = {'token_file': kq.token_file, 'name': 'production', 'read_only': True}\n"
        "looking = kubemq_nb.connect(kq.address, **options)\n"
        "kq = kq.use('embedded')\n" + OPEN,
    )
    rows(notebook).nth(3).wait_for()
    notebook.view.get_by_role("combobox", name="Connection").select_option("production")
    expect(notebook.view.get_by_text("read-only", exact=True)).to_be_visible()
    expect(foot(notebook)).to_have_text("%kubemq ui --on production")
    row(notebook, "flights.cancelled").click()
    pane = notebook.view.get_by_role("complementary")
    expect(pane.get_by_role("button", name="Peek")).to_be_visible()
    for name in ("Send…", "Hold next", "Purge…"):
        expect(notebook.view.get_by_role("button", name=name)).to_have_count(0)
    expect(pane).to_contain_text("Read-only connection")
    pane.get_by_role("button", name="Peek").click()
    child = notebook.view.locator(".kq-child .kq")
    expect(child.locator("tr[data-key]")).to_have_count(5)
    for name in ("Send…", "Hold next", "Purge…"):
        expect(child.get_by_role("button", name=name)).to_have_count(0)
    looks.assert_clean(notebook.page, notebook.view)


def test_markup_in_the_name_of_a_channel_stays_text_and_a_closed_connection_is_said(open_notebook):
    channel = "m<img/src=x/onerror=alert(1)//"
    notebook = open_notebook(SETUP, f"kq.events.send({channel!r}, 'x')\n{OPEN}")
    row(notebook, channel).click()
    pane = notebook.view.get_by_role("complementary", name=channel)
    pane.get_by_role("button", name="Tail").click()
    expect(notebook.view.locator(".kq-child .kq-name")).to_have_text(channel)
    expect(foot(notebook)).to_have_text(f"%kubemq ui events {channel}")
    notebook.view.get_by_role("searchbox", name="Filter channels").fill("<img")
    expect(rows(notebook)).to_have_count(1)
    expect(notebook.view.locator("img, script")).to_have_count(0)
    assert notebook.complaints == []

    notebook.run("kq.close()")

    expect(notebook.view.get_by_text("The connection embedded was closed.")).to_be_visible()
    expect(notebook.view.get_by_role("combobox", name="Connection")).to_have_value("embedded")
    expect(notebook.view.get_by_title("Look now", exact=True)).to_have_count(0)  # which would start it again
    expect(pane.get_by_role("button", name="Tail")).to_have_count(0)
    looks.assert_clean(notebook.page, notebook.view)


def test_a_broker_without_a_channel_says_so(open_notebook):
    notebook = open_notebook(CONNECT, OPEN)
    expect(notebook.view.get_by_text("No channel yet")).to_be_visible()
    looks.assert_clean(notebook.page, notebook.view, widths=())
    notebook.run("kq.events.send('gates', 'x')")
    expect(row(notebook, "gates")).to_be_visible()
