"""Closing: whatever becomes of one part, an interrupt included, no other part stays open."""

import os
import signal
import threading
from unittest.mock import Mock

import pytest

import kubemq_nb
from kubemq_nb.broker import launcher
from kubemq_nb.client.connection import Connection
from kubemq_nb.errors import KubeMQError, SessionClosed
from kubemq_nb.session import registry
from tests.conformance.support import PATIENCE, interrupted

pytestmark = pytest.mark.embedded_only


@pytest.fixture
def session():
    session = kubemq_nb.connect(name="closing")
    yield session
    session.close()


@pytest.fixture
def busy(session):
    """A handler of the session is at work, until the test is over."""
    at_work, over = threading.Event(), threading.Event()

    def handle(_):
        at_work.set()
        over.wait(PATIENCE)

    job = session.events.subscribe("orders", handle)
    session.events.send("orders", "x")
    assert at_work.wait(PATIENCE)
    yield job
    over.set()


def is_open(session):
    """What of a session is still there."""
    link = session._link
    running = link.embedded.running
    parts = {
        "session": not session.closed,
        "connection": not link.connection.closed,
        "broker": running.is_running,
        "store": running.store.exists(),
        "jobs": bool(session.open_jobs()),
    }
    return [name for name, still in parts.items() if still]


@pytest.mark.usefixtures("busy")
def test_a_close_that_is_interrupted_leaves_nothing_open(session):
    with interrupted():
        session.close()

    assert is_open(session) == []


def test_a_job_that_cannot_be_stopped_keeps_nothing_else_open(session, monkeypatch):
    job = session.events.receive("orders", live=True)
    with monkeypatch.context() as failing:
        failing.setattr(job, "stop", Mock(side_effect=RuntimeError("no")))
        with pytest.raises(KubeMQError, match=r"0 of 1 jobs were stopped; job 1 .*: no"):
            session.close()

    assert set(is_open(session)) <= {"jobs"}
    session.close()
    assert is_open(session) == []


def test_another_close_ends_what_an_interrupt_has_left(session, monkeypatch):
    monkeypatch.setattr(session._link.embedded, "leave", Mock(side_effect=[KeyboardInterrupt]))
    with pytest.raises(KeyboardInterrupt):
        session.close()
    monkeypatch.undo()
    assert is_open(session) == ["broker", "store"]

    session.close()

    assert is_open(session) == []


def test_an_interrupt_of_the_wait_for_a_broker_that_does_not_end_ends_it():
    broker = launcher.launch()
    os.kill(broker.pid, signal.SIGSTOP)

    with interrupted():
        broker.stop()

    assert not broker.is_running
    assert not broker.store.exists()


def test_a_session_that_cannot_be_closed_keeps_no_other_open(session, monkeypatch):
    other = kubemq_nb.connect(name="other")
    monkeypatch.setattr(registry, "all", lambda: [failing, other])
    failing = Mock(close=Mock(side_effect=RuntimeError("no")))

    with pytest.raises(RuntimeError, match="no"):
        registry.close_all()

    assert other.closed


def test_a_stream_that_cannot_be_closed_keeps_no_other_open():
    connection = Connection("127.0.0.1:50000")
    failing, other = Mock(close=Mock(side_effect=KeyboardInterrupt)), Mock()
    for stream in (failing, other):
        connection.adopt(stream)

    with pytest.raises(KeyboardInterrupt):
        connection.close()

    other.close.assert_called_once_with()
    assert connection.workers._closed
    with pytest.raises(SessionClosed):
        connection.ping()
