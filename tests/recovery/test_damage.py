"""What is damaged reaches the person: in the notebook, by channel and sequence, with what to do."""

import sqlite3
import subprocess
import sys
import threading
import time

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerStartError

PATIENCE = 20.0
pytestmark = pytest.mark.embedded_only


@pytest.fixture
def store(tmp_path):
    """A store that holds three messages and that no broker uses."""
    store = tmp_path / "store"
    with kubemq_nb.connect(store=store) as session:
        session.queues.send("orders", rows=["m1", "m2", "m3"])
        session.broker.stop()
    return store


def spoil(store, statement):
    connection = sqlite3.connect(store / "broker.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def test_a_damaged_message_is_named_and_the_others_are_served(store, caplog):
    spoil(store, "UPDATE message SET md5 = x'00' WHERE key & 0xffff = 2")

    with kubemq_nb.connect(store=store) as session:
        bodies = session.queues.peek("orders")["decoded"].tolist()
        found = session.broker.damage()
        eventually(lambda: "broker damage` lists it" in caplog.text)

    assert bodies == ["m1", "m3"]
    assert found[["channel", "sequence"]].values.tolist() == [["orders", 2]]
    assert "sequence 2 of queues channel orders is damaged" in caplog.text


def test_a_store_that_is_refused_names_the_command_that_repairs_it(store):
    path = store / "broker.sqlite"
    path.write_bytes(b"no database" + path.read_bytes()[11:])

    with pytest.raises(BrokerStartError) as caught:
        kubemq_nb.connect(store=store)
    repaired = subprocess.run(
        [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(store), "--repair"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"`kubemq-nb broker --store {store} --repair`" in str(caught.value)
    assert "3 rows of message were saved" in repaired.stdout
    with kubemq_nb.connect(store=store) as session:
        assert session.queues.peek("orders")["decoded"].tolist() == ["m1", "m2", "m3"]


def test_a_store_in_use_is_not_repaired(store):
    with kubemq_nb.connect(store=store) as session:
        refused = subprocess.run(
            [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(store), "--repair"],
            capture_output=True,
            text=True,
            check=False,
        )
        there = len(session.queues.peek("orders"))

    assert "has a broker already" in refused.stderr
    assert (refused.returncode, there) == (1, 3)
