"""A queue browser on a real broker: look, find, hold, send again, purge."""

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerUnavailable, InvalidChannel, RequestRejected


@pytest.fixture
def browser(session, channel):
    """A browser of a queue of three flights, one of them a dead letter."""
    session.queues.send(f"{channel}.rebook", {"origin": "JFK"}, max_receive_count=1, dead_letter=channel)
    session.queues.transaction(f"{channel}.rebook").reject()
    session.queues.send(
        channel, rows=[{"body": {"origin": "LGA"}}, {"body": {"origin": "EWR"}, "tags": {"day": "1"}}]
    )
    browser = session.ui("queues", channel)
    yield browser
    browser.close()


def test_it_shows_the_messages_and_the_counts(browser):
    assert [each["origin"] for each in browser.df["decoded"]] == ["JFK", "LGA", "EWR"]
    assert (browser.figures.waiting, browser.figures.held, browser.figures.delayed) == (3, 0, 0)
    assert browser.state == "live"


def test_a_cell_that_runs_again_gets_the_same_browser_and_a_new_look(session, channel, browser):
    session.queues.send(channel, "new")

    assert session.ui("queues", channel) is browser
    assert len(browser.df) == 4


def test_a_condition_finds_messages(browser):
    assert browser.find('body.origin == "EWR"')["tags"].tolist() == [{"day": "1"}]
    assert len(browser.find("jfk")) == 1
    assert browser.find("", rerouted=True)["decoded"].tolist() == [{"origin": "JFK"}]
    with pytest.raises(ValueError, match="where"):
        browser.find("body.origin ==")


@pytest.mark.rows("T-12")
def test_a_held_message_is_gone_from_the_look_and_counted_as_held(browser):
    held = browser.hold()
    browser.refresh()

    assert held.message.json() == {"origin": "JFK"}
    assert held.deadline is not None
    assert (len(browser.df), browser.figures.waiting, browser.figures.held) == (2, 2, 1)
    with pytest.raises(ValueError, match="is held already"):
        browser.hold()

    held.ack()
    assert browser.hold().message.json() == {"origin": "LGA"}


def test_what_is_held_runs_out_as_on_the_server(browser):
    held = browser.hold(1)

    assert held.deadline is not None
    assert (held.deadline - held.since).total_seconds() < 3  # it does not extend itself


def test_closing_gives_back_what_is_held(browser):
    browser.hold()
    browser.close()

    assert browser.refresh()["sequence"].tolist() == [2, 3, 4]  # at the tail, as another message


@pytest.mark.rows("M-22")
def test_a_message_is_sent_again_changed_or_not(browser, session, channel):
    sequence = int(browser.find("EWR")["sequence"][0])

    browser.form(sequence).send()
    browser.form(sequence).fill(body={"origin": "BOS"}).send()

    browser.refresh()
    assert [each["origin"] for each in browser.df["decoded"]] == ["JFK", "LGA", "EWR", "EWR", "BOS"]
    assert browser.df["tags"].tolist()[3:] == [{"day": "1"}, {"day": "1"}]
    assert browser.df["id"].nunique() == 5


def test_a_message_of_an_older_look_is_not_found(browser):
    with pytest.raises(ValueError, match="99 is not among the messages of the last look"):
        browser.form(99)


def test_a_purge_removes_what_waits_and_nothing_that_is_held(browser):
    browser.hold()

    assert browser.waiting() == 2
    assert browser.purge() == 2
    assert browser.held.state == "held"
    assert browser.waiting() == 0


def test_a_queue_without_a_message_is_empty_and_no_error(session, channel):
    browser = session.ui("queues", channel)

    assert browser.df.empty
    assert browser.figures is None
    assert browser.hold().empty


def test_a_wrong_name_is_an_error_at_once(session):
    with pytest.raises(InvalidChannel):
        session.ui("queues", "a b")


def test_a_read_only_connection_looks_and_nothing_more(address, credentials, session, channel):
    session.queues.send(channel, "precious")
    with kubemq_nb.connect(address, name="onlooker", read_only=True, **credentials) as onlooker:
        browser = onlooker.ui("queues", channel)
        assert len(browser.df) == 1
        for change in (browser.hold, browser.purge):
            with pytest.raises(RequestRejected, match="read-only"):
                change()


def test_a_version_tells_every_change(browser):
    versions = [browser.version]
    for change in (browser.refresh, browser.hold, browser.purge):
        change()
        versions.append(browser.version)

    assert len(set(versions)) == 4


@pytest.mark.embedded_only
def test_a_broker_that_is_away_is_said_and_the_messages_stay():
    with kubemq_nb.connect(name="short-lived") as session:
        session.queues.send("orders", "x")
        browser = session.ui("queues", "orders")
        session.broker.stop()

        with pytest.raises(BrokerUnavailable):
            browser.refresh()

        assert browser.state == "not connected"
        assert browser.note
        assert len(browser.df) == 1
        session.broker.start()
        browser.refresh()
        assert (browser.state, browser.note) == ("live", "")
    assert browser.state == "stopped"
