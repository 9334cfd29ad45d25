"""The end of an interpreter that has a session open."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.embedded_only

LOOKS_OFTEN = """
import kubemq_nb
from kubemq_nb.session import embedded

embedded.LOOK = 0.005  # seconds: often enough to see the broker end before the session is gone
session = kubemq_nb.connect()
session.queues.send("orders", "first")
print(session.status()["state"][0])
"""


def at_end(script, folder):
    """Run a script to the end of its interpreter: exit code, lines, and what it says beside them."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_an_interpreter_that_ends_does_not_start_its_broker_again(tmp_path):
    assert at_end(LOOKS_OFTEN, tmp_path) == (0, ["live"], "")


READS = """
import kubemq_nb
from kubemq_nb.broker import launcher

end = launcher.Hold.let_go
launcher.Hold.let_go = lambda hold: (print(session.closed, feed.state), end(hold))

session = kubemq_nb.connect()
session.queues.send("orders", "first")
feed = session.events.receive("news", live=True)
held = session.queues.transaction("orders", wait=1)
session.events.send("news", "heard")
print(feed.wait(count=1), held.state)
"""


def test_a_broker_ends_after_the_sessions_that_use_it(tmp_path):
    assert at_end(READS, tmp_path) == (0, ["True held", "True stopped"], "")


OUTAGE = """
import atexit, threading
import kubemq_nb
from kubemq_nb.client import connection, subscription

subscription.LONGEST_PAUSE = 0.1
session = kubemq_nb.connect()
feed = session.events.receive("news", live=True)
session.broker.stop()

tried, ping = threading.Semaphore(0), connection.Connection.ping
connection.Connection.ping = lambda self: (tried.release(), ping(self))[1]

def try_again():
    print(all(tried.acquire(timeout=10) for _ in range(5)), feed.state)

atexit.register(try_again)  # before the session ends
"""


def test_a_feed_that_tries_to_reconnect_keeps_no_interpreter_from_its_end(tmp_path):
    # Python 3.12.1 starts no thread then, which gRPC needs, and `close` waits for.
    assert at_end(OUTAGE, tmp_path) == (0, ["True reconnecting"], "")
