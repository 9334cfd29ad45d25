"""The dashboard's widget on a real broker, without a browser: what traits say and actions do."""

import time
from datetime import timedelta

import pytest

import kubemq_nb
from kubemq_nb.session import Feed, QueueBrowser, Scrubber, dashboard
from kubemq_nb.session.channels import Figures
from kubemq_nb.widgets.dashboard import MOST
from kubemq_nb.widgets.views import Views
from tests.unit.session.test_dashboard import Told, started_at
from tests.unit.widgets.conftest import eventually


@pytest.fixture
def shown(session, channel):
    """A widget of a dashboard with a queue, an events store and a channel of queries."""
    session.queues.send(channel, rows=["a", "b"])
    session.events_store.send(f"{channel}.store", "x")
    views = Views({})
    view = views.of(session.ui())
    yield view
    session.stop("all")
    view.close()


def act(view, do, **more):
    view.act({"do": do, **more})
    assert eventually(lambda: not view.busy)


def row(view, channel):
    return next(row for row in view.table["rows"] if row[1] == channel)


def tiles(view):
    return {name: figure for name, figure, _ in view.status["tiles"]}


def test_every_channel_is_a_row(shown, channel):
    kind, _, name, waiting, sent, rate, last, line = row(shown, channel)

    assert (kind, name, waiting, sent, rate, line) == ("queues", channel, 2, 2, 0.0, [])
    assert last == pytest.approx(time.time() * 1000, abs=60_000)
    assert row(shown, f"{channel}.store")[3] is None
    assert shown.status["word"] == "connected"
    assert int(tiles(shown)["Channels"].replace(",", "")) >= 2


def test_an_open_channel_has_its_figures_and_what_can_be_done_with_it(shown, channel):
    shown.act({"do": "open", "kind": "queues", "channel": channel})
    assert [each["what"] for each in shown.detail["actions"]] == ["peek", "send", "hold"]
    assert dict(shown.detail["facts"])["waiting"] == "2"

    shown.act({"do": "open", "kind": "events_store", "channel": f"{channel}.store"})
    assert shown.detail["actions"][0]["what"] == "tail"
    shown.act({"do": "open", "channel": None})
    assert shown.detail == {}


@pytest.mark.parametrize(
    ("what", "kind", "model", "code"),
    [
        ("peek", "queues", QueueBrowser, "%kubemq ui queues {}"),
        ("hold", "queues", QueueBrowser, "%kubemq queues transaction {} --visibility 30s --hold 0s"),
        ("tail", "events", Feed, "%kubemq ui events {}"),
        ("tail", "events_store", Feed, "%kubemq ui events_store {}"),
        ("scrub", "events_store", Scrubber, "%kubemq events_store scrub {}"),
    ],
)
def test_each_action_opens_its_view_and_says_its_line(shown, channel, what, kind, model, code):
    act(shown, "act", what=what, kind=kind, channel=channel)

    assert isinstance(shown.child.source, model)
    assert shown.foot["code"] == code.format(channel)
    if what == "hold":
        assert shown.child.source.held.state == "held"
        shown.child.source.close()


def test_a_second_action_takes_the_place_of_the_first(shown, channel):
    act(shown, "act", what="tail", kind="events", channel=channel)
    feed = shown.child.source
    act(shown, "act", what="peek", kind="queues", channel=channel)

    assert feed.state == "stopped"
    assert isinstance(shown.child.source, QueueBrowser)


def test_choices_are_kept_and_strange_ones_are_not(shown):
    shown.act({"do": "choose", "choice": {"filter": "orders", "sort": "waiting", "else": 1}})

    assert shown.choices == {"filter": "orders", "kinds": [], "sort": "waiting", "descending": True}


def test_a_read_only_connection_offers_only_what_looks(address, credentials, session, channel):
    session.queues.send(channel, "x")
    with kubemq_nb.connect(address, name="onlooker", read_only=True, **credentials) as onlooker:
        view = Views({}).of(onlooker.ui())
        view.act({"do": "open", "kind": "queues", "channel": channel})

        assert [each["what"] for each in view.detail["actions"]] == ["peek"]
        assert view.detail["read_only"].startswith("Read-only connection")
        assert view.status["read_only"]
        act(view, "act", what="hold", kind="queues", channel=channel)
        assert "read-only" in view.said["head"]
        view.close()


def test_another_connection_is_chosen_by_its_name(address, credentials, shown):
    with kubemq_nb.connect(address, name="staging", **credentials) as other:
        assert eventually(lambda: ["staging", "staging"] in shown.status["connections"])
        act(shown, "use", name="staging")

        assert shown.status["connection"] == "staging"
        assert shown.foot["code"] == "%kubemq ui --on staging"
        assert other.jobs()["kind"].tolist() == ["dashboard"]
    assert eventually(lambda: shown.status["word"] == "closed")


def played(monkeypatch, *figures):
    """A widget of a dashboard whose broker a test plays."""
    monkeypatch.setattr(dashboard, "PERIOD", 0.02)
    monkeypatch.setattr(dashboard, "RESTS", (0.02, 30.0))
    told = Told(*figures)
    told.address, told.read_only = "nowhere:1", False
    return told, Views({}).of(dashboard.Dashboard(told))


@pytest.mark.rows("M-24")
def test_what_the_pane_began_to_answer_ends_with_it_and_nothing_else_does(shown, session, channel):
    before = session.queries.respond(f"{channel}.other", manual=True).responders[0]
    for name in (channel, f"{channel}.other"):
        act(shown, "act", kind="queries", channel=name, what="answer")
    assert shown.child.source is session.answers
    assert session.answers.channels == (f"{channel}.other", channel)

    shown.act({"do": "close"})

    assert session.answers.channels == (f"{channel}.other",)
    assert (shown.child, before.finished) == (None, False)


def test_a_broker_that_does_not_answer_is_said_with_the_age_of_the_figures(monkeypatch):
    told, view = played(monkeypatch, Figures(kind="queues", channel="orders", waiting=3, sent=3))
    told.away = True

    assert eventually(lambda: view.status["attempt"] == 2)
    assert view.status["word"] == "reconnecting"
    assert view.status["note"]["head"] == "played (nowhere:1) does not answer."
    assert view.status["next_at"] > view.status["as_of"]
    assert row(view, "orders")[3] == 3  # old figures stay

    told.away = False
    act(view, "refresh")
    assert view.status["word"] == "connected"
    assert view.status["note"] == {}
    view.source.stop()
    view.close()


def test_of_very_many_channels_the_last_used_reach_the_browser(monkeypatch):
    many = [
        Figures(kind="queues", channel=f"c{number}", waiting=1, sent=number) for number in range(MOST + 100)
    ]
    _, view = played(monkeypatch, *many)

    assert (len(view.table["rows"]), view.table["of"]) == (MOST, MOST + 100)
    assert view.status["tiles"][0][1] == f"{MOST + 100:,}"
    view.source.stop()
    view.close()


def test_a_broker_that_was_started_again_begins_its_uptime_anew(monkeypatch):
    told, view = played(monkeypatch)
    before = view.status["started"]
    again = told.server.start_time + timedelta(hours=1)
    told.ping = lambda: started_at(again)

    assert eventually(lambda: view.status["started"] == before + 3_600_000)
    view.source.stop()
    view.close()


def test_a_stopped_dashboard_can_be_started_again(monkeypatch):
    _, view = played(monkeypatch)
    view.source.stop()
    assert eventually(lambda: view.status["word"] == "stopped")
    assert view.status["note"]["act"] == "Start again"
    assert view.source.finished

    act(view, "refresh")

    assert view.status["word"] == "connected"
    view.source.stop()
    view.close()


def test_of_a_closed_connection_the_figures_stay_and_nothing_can_be_done(monkeypatch):
    told, view = played(monkeypatch, Figures(kind="queues", channel="orders", waiting=3, sent=3))
    view.act({"do": "open", "kind": "queues", "channel": "orders"})
    assert view.detail["actions"]
    assert "held" in dict(view.detail["facts"])

    told.closed = True
    view.source.stop()
    view.refresh()

    assert view.status["note"]["head"] == "The connection played was closed."
    assert "act" not in view.status["note"]
    assert view.status["connections"][-1] == ["played", "played"]
    assert view.detail["actions"] == []
    assert view.status["word"] == "closed"
    assert "held" not in dict(view.detail["facts"])
    assert tiles(view)["Held"] == "–"  # noqa: RUF001  nobody knows any more
    assert row(view, "orders")[3] == 3
    view.close()
