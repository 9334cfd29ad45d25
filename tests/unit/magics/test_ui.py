"""`%kubemq ui` in a shell without a page: what it gives, and the plain forms that outlive every kernel."""

import uuid

import pytest

from kubemq_nb import render
from kubemq_nb.render import Look
from kubemq_nb.session import Answers, Dashboard, Feed, QueueBrowser, SendForm, Session

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("%kubemq ui", Dashboard),
        ("%kubemq ui queues CH", QueueBrowser),
        ("%kubemq ui events CH", Feed),
        ("%kubemq ui events_store CH", Feed),
        ("%kubemq ui commands CH", Answers),
        ("%kubemq ui queries CH", Answers),
        ("%kubemq ui queues CH --send", SendForm),
    ],
)
def test_a_line_opens_what_its_words_say(run, channel, line, model):
    opened = run(line)

    assert isinstance(opened, model)
    if model is not SendForm:
        assert opened.code == line.replace("CH", channel)
    run("%kubemq stop all -q")


def test_the_dashboard_of_another_connection_is_named_on_the_line(run, address, credentials, lab):
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in credentials.items())
    lab.run_cell(f"%kubemq connect {address}{options} --name staging -q").raise_error()
    lab.run_cell("%kubemq use lab -q").raise_error()

    assert run("%kubemq ui --on staging").connection == "staging"
    run("kq.use('staging').close()")


def test_a_dashboard_as_text_lists_the_channels_and_what_waits(run, lab):
    channel = f"kubemq-nb-test.ui-{uuid.uuid4().hex[:8]}"  # short enough to be shown whole
    run(f"_ = kq.queues.send({channel!r}, rows=['a', 'b'])")
    board = run("%kubemq ui")
    text = lab.display_formatter.format(board)[0]["text/plain"]
    everything = render.dashboard(board.board(), Look(max_rows=100_000)).text

    assert text.startswith("KubeMQ dashboard, lab, connected")
    assert render.dashboard(board.board(), Look(max_rows=1)).text.endswith("channels shown")
    (row,) = (line for line in everything.splitlines() if line.startswith(channel))
    assert row.split()[1:4] == ["queue", "2", "2"]
    run("%kubemq stop all -q")


def test_a_session_is_asked_once_for_both_forms_of_its_display(lab, monkeypatch):
    asked, status = [], Session.status
    monkeypatch.setattr(Session, "status", lambda session: asked.append(session) or status(session))

    shown = lab.display_formatter.format(lab.user_ns["kq"])[0]

    assert shown["text/plain"]
    assert shown["text/html"]
    assert asked == [lab.user_ns["kq"]]


def test_a_saved_view_is_a_bare_table_that_says_that_it_is_saved(run, lab, channel):
    run(f"_ = kq.queues.send('CH', {MARKUP!r}, metadata={MARKUP!r})")
    browser = run("%kubemq ui queues CH")
    page = lab.display_formatter.format(browser)[0]["text/html"]

    assert "Saved view, no kernel. Run the cell to see it live." in page
    assert "1 message peeked; the queue is unchanged" in page
    assert "<img" not in page
    assert "style" not in page


def test_a_queue_as_text_tells_what_cannot_be_looked_at(run, channel):
    run("_ = kq.queues.send('CH', rows=['a', 'b', 'c']); _ = kq.queues.send('CH', 'later', delay=600)")
    run("tx = kq.queues.transaction('CH')")
    browser = run("%kubemq ui queues CH")

    about = render.queue_browser(browser).text.splitlines()[0]
    run("tx.close()")

    assert ", 2 waiting, 1 delayed, 1 held, as of " in about


def test_without_what_differs_from_run_to_run_two_displays_are_the_same(run, lab, channel):
    run("_ = kq.queues.send('CH', rows=['a', 'b'])")
    look = Look(deterministic=True)
    browser = run("%kubemq ui queues CH")
    first = render.queue_browser(browser, look)
    browser.refresh()

    assert render.queue_browser(browser, look) == first
    assert "as of" not in first.text
    board = run("%kubemq ui")
    assert "as of" not in render.dashboard(board.board(), look).text
    assert "msg/s" not in render.dashboard(board.board(), look).text
    run("%kubemq stop all -q")
