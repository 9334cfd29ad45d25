"""The end of an interpreter that has a session open."""

import subprocess
import sys

SCRIPT = """
import kubemq_nb
from kubemq_nb.session import embedded

embedded.LOOK = 0.005  # seconds: often enough to see the broker end before the session does
with open({pid!r}, "w") as file:
    session = kubemq_nb.connect()
    session.queues.send("orders", "first")
    file.write(str(session.status()["address"][0]))
"""


def test_an_interpreter_that_ends_does_not_start_its_broker_again(tmp_path):
    script = SCRIPT.format(pid=str(tmp_path / "address"))

    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (tmp_path / "address").read_text()
    assert (done.returncode, done.stderr) == (0, "")
