"""A feed while another process sends: what it holds is what was sent."""

import subprocess
import sys
import threading

import pytest

from benchmarks import load
from tests.conformance.support import eventually


@pytest.mark.embedded_only
@pytest.mark.rows("M-16")
def test_of_what_another_process_sends_nothing_is_lost(session, broker, channel):
    all_of_them = session.events.receive(channel, live=True)
    newest = session.events.receive(channel, live=True, keep=100)

    place = [broker.address, str(broker.token_file), channel, "2000"]
    subprocess.run([sys.executable, "-m", "benchmarks.page", "--publish", *place], check=True, timeout=60)

    assert all_of_them.wait(count=2_000, timeout=60)
    assert eventually(lambda: newest.received == 2_000, within=60)
    sent = [item.id for item in load.items(0, 2_000)]
    assert all_of_them.df["id"].tolist() == sent
    assert newest.df["id"].tolist() == sent[-100:]
    assert (newest.status().received, newest.status().dropped) == (2_000, 1_900)


def test_a_slow_handler_of_stored_events_misses_none(session, channel):
    gate, handled = threading.Event(), []

    def handle(event):
        gate.wait(20)
        handled.append(event.id)

    feed = session.events_store.subscribe(channel, handle, start="first", keep=5)
    sent = list(session.events_store.send(channel, rows=["x"] * 300)["id"])
    gate.set()

    eventually(lambda: len(handled) >= 300 or feed.status().dropped > 295)
    feed.stop()
    assert handled == sent
