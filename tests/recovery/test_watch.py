"""What looks after an embedded broker goes on looking, whatever goes wrong meanwhile."""

import os
import signal
import threading

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerStartError, BrokerUnavailable
from kubemq_nb.session import embedded
from tests.conformance.support import eventually

pytestmark = pytest.mark.embedded_only


@pytest.fixture
def session():
    with kubemq_nb.connect(name="watched") as made:
        yield made


def test_a_broker_that_could_not_be_started_is_tried_again_and_that_is_told_once(
    session, monkeypatch, caplog
):
    monkeypatch.setattr(embedded, "LOOK", 0.05)
    monkeypatch.setattr(embedded, "AGAIN", 0.05)
    running = session._link.embedded.running
    revive, tries = type(running).revive, []

    def refuse(self):
        tries.append(self)
        raise BrokerStartError("the embedded broker did not start: no room")

    monkeypatch.setattr(type(running), "revive", refuse)
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: len(tries) > 3)
    with pytest.raises(BrokerStartError, match="no room"):
        session.queues.send("orders", "x")
    monkeypatch.setattr(type(running), "revive", revive)

    eventually(lambda: running.is_running)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "the embedded broker did not start: no room; it is tried again"
    eventually(lambda: [record.getMessage() for record in caplog.records][1:][:1])
    assert "was started again at" in caplog.records[1].getMessage()


def test_what_cannot_be_read_now_ends_no_watch(session, monkeypatch, caplog):
    monkeypatch.setattr(embedded, "AGAIN", 0.05)
    running = session._link.embedded.running
    seen = []

    def unreadable(self):
        seen.append(self)
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(type(running), "damage", unreadable)

    eventually(lambda: len(seen) > 3)
    assert [record.getMessage() for record in caplog.records] == [
        "[Errno 24] Too many open files; it is tried again"
    ]


def test_a_session_that_is_closed_while_its_broker_comes_back_ends_in_silence(monkeypatch, caplog):
    session = kubemq_nb.connect(name="closing")
    looked_after = session._link.embedded
    looked_after.attach(lambda: session._link.connection.close() or session._link.connection.reach())

    looked_after.restart()
    session.close()

    assert caplog.records == []


def test_a_shared_broker_that_one_session_stops_is_left_to_whoever_starts_it(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(embedded, "LOOK", 0.02)
    one = kubemq_nb.connect(store=tmp_path, name="one")
    other = kubemq_nb.connect(store=tmp_path, name="other")
    one.queues.send("orders", "kept")

    one.broker.stop()
    eventually(lambda: "Another session has stopped" in caplog.text)
    states = [each._link.embedded.running.is_running for each in (one, other)]
    other.broker.start()
    eventually(lambda: "Another session has started" in caplog.text)

    assert states == [False, False]
    assert [list(each.queues.peek("orders")["decoded"]) for each in (one, other)] == [["kept"]] * 2
    assert len(caplog.records) == 2
    assert "`%kubemq broker start` starts it again" in caplog.text
    for each in (one, other):
        each.close()


def test_where_a_connection_is_said_to_live_again_what_waits_gets_through_too(session):
    with kubemq_nb.connect(session.address, name="beside", token_file=session.token_file) as beside:
        for _ in range(4):
            session.broker.stop()
            for _ in range(30):  # gRPC waits longer from one try to the next, up to half a second
                with pytest.raises(BrokerUnavailable):
                    beside.queues.receive("orders", wait=1)
                threading.Event().wait(0.05)
            session.broker.start()
            eventually(lambda: beside.status()["state"].tolist() == ["live"])

            assert beside.queues.receive("orders", wait=1).empty
