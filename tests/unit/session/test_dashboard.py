"""A dashboard over a broker that a test plays, and over a real one."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerUnavailable
from kubemq_nb.session import Dashboard, dashboard
from kubemq_nb.session.channels import Figures
from tests.unit.widgets.conftest import eventually


def started_at(moment):
    """What a broker says of itself that began to run then."""
    return kubemq_nb.ServerInfo(
        address="nowhere:1", host="", version="2.4.0", start_time=moment, uptime=timedelta()
    )


class Told:
    """A session whose broker says what a test wants, or does not answer."""

    def __init__(self, *figures, name="played"):
        self.name = name
        self.told = figures
        self.away = self.closed = False
        self.asked = 0
        self.jobs = []
        self.server = started_at(datetime(2026, 3, 1, tzinfo=UTC))
        self.channels = SimpleNamespace(figures=self._figures, complete=True)

    def _figures(self):
        self.asked += 1
        if self.away:
            raise BrokerUnavailable("Nothing answers at nowhere:1.")
        return self.told

    def ping(self):
        return self.server

    def begin(self, job):
        self.jobs.append(job)

    def open_jobs(self):
        self.jobs = [job for job in self.jobs if not job.finished]
        return self.jobs


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(dashboard, "PERIOD", 0.02)
    monkeypatch.setattr(dashboard, "RESTS", (0.01, 0.01))


@pytest.fixture
def opened():
    boards = []

    def open(session):
        boards.append(Dashboard(session))
        return boards[-1]

    yield open
    for each in boards:
        each.stop()


ORDERS = Figures(kind="queues", channel="orders", messages=8, waiting=5, delayed=1, sent=12, delivered=3)


def test_it_shows_every_channel_with_what_the_broker_tells(opened):
    board = opened(Told(ORDERS, Figures(kind="events", channel="gates", sent=4)))

    frame = board.df

    assert frame["channel"].tolist() == ["orders", "gates"]
    assert frame.loc[0, ["waiting", "delayed", "held", "sent"]].tolist() == [5, 1, 3, 12]
    assert frame["waiting"].isna().tolist() == [False, True]
    assert board.stats.loc[0, ["connection", "state", "channels", "waiting", "held"]].tolist() == [
        *("played", "live", 2, 5, 3)
    ]


def test_a_broker_that_was_started_again_has_its_own_uptime(opened, quick):
    session = Told(ORDERS)
    board = opened(session)
    again = session.server.start_time + timedelta(hours=1)
    session.ping = lambda: started_at(again)

    assert eventually(lambda: board.board().server.start_time == again)


def test_it_looks_again_by_itself_and_its_version_grows(opened, quick):
    session = Told(ORDERS)
    board = opened(session)
    before = board.version

    assert eventually(lambda: session.asked > 3)
    assert board.version > before
    assert len(board.history) > 2
    assert board.history["waiting"].tolist()[-1] == 5


def test_a_broker_that_is_away_when_it_begins_is_an_error():
    session = Told()
    session.away = True

    with pytest.raises(BrokerUnavailable, match="Nothing answers"):
        Dashboard(session)
    assert session.jobs == []


def test_when_the_broker_goes_away_it_tries_a_few_times_and_then_waits_to_be_asked(opened, quick):
    session = Told(ORDERS)
    board = opened(session)
    session.away = True

    assert eventually(lambda: board.state == "not connected")
    asked = session.asked
    assert "Nothing answers" in board.note
    assert board.errors == 3  # the look that failed and two more attempts
    assert board.df["waiting"].tolist() == [5]  # old figures stay
    assert not eventually(lambda: session.asked > asked, seconds=0.2)

    session.away = False
    board.refresh()

    assert board.state == "live"
    assert eventually(lambda: session.asked > asked + 2)


def test_it_says_when_the_next_attempt_is(opened, monkeypatch):
    monkeypatch.setattr(dashboard, "PERIOD", 0.02)
    session = Told(ORDERS)
    board = opened(session)
    session.away = True

    assert eventually(lambda: board.state == "reconnecting")
    assert board.board().next_at >= board.board().as_of
    assert board.board().attempt == 1


def test_a_stopped_one_looks_no_more_until_it_is_asked(opened, quick):
    session = Told(ORDERS)
    board = opened(session)
    board.stop()
    board.stop()

    assert (board.state, board.finished) == ("stopped", True)
    assert eventually(
        lambda: not [each for each in threading.enumerate() if each.name == "kubemq-nb:dashboard"]
    )

    asked = session.asked
    board.refresh()
    assert board.state == "live"
    assert eventually(lambda: session.asked > asked + 2)


def test_two_that_look_at_once_take_turns(opened):
    session = Told(ORDERS)
    board = opened(session)
    threads = [threading.Thread(target=board.refresh) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(board.history) == 9


def test_it_is_a_job_of_its_session_and_ends_with_it(address, credentials, channel):
    with kubemq_nb.connect(address, name="watched", **credentials) as session:
        session.queues.send(channel, "x")
        board = session.ui()
        (line,) = session.jobs().to_dict("records")
        assert (line["kind"], line["state"]) == ("dashboard", "live")
        assert session.ui() is board
        assert channel in board.df["channel"].tolist()

    assert board.state == "stopped"


def test_another_connection_can_be_shown(address, credentials):
    with (
        kubemq_nb.connect(address, name="first", **credentials) as first,
        kubemq_nb.connect(address, name="second", **credentials) as second,
    ):
        board = first.ui()
        board.use("second")

        assert board.connection == "second"
        assert first.jobs().empty
        assert second.jobs()["kind"].tolist() == ["dashboard"]
        assert len(board.history) == 1


def test_what_is_sent_shows_as_a_rate(session, channel, monkeypatch):
    monkeypatch.setattr(dashboard, "PERIOD", 0.5)
    board = session.ui()
    session.queues.send(channel, rows=["x"] * 20)

    def row():
        return board.df.set_index("channel").loc[channel]

    assert eventually(lambda: channel in board.df["channel"].tolist() and row()["rate_in"] > 0)
    assert row()["waiting"] == 20
    assert board.received >= 20
