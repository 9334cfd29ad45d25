"""A machine with loopback alone: all of it works there, and nothing ever tries to leave."""

import subprocess
import sys

import pytest

from tests.source import ROOT

OFFLINE = [sys.executable, ROOT / "scripts" / "_offline.py", sys.executable, "-c"]

SESSION = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext kubemq_nb").raise_error()
lines = '''
connect --name lab
ping
queues send orders {"n": 1} -t a=b
queues peek orders
queues receive orders
events_store send log hello
events_store receive log
commands respond do --echo
commands send do this
channels
status
ui
help queues send
jobs
stop all
'''.split("\\n")
for line in filter(None, lines):
    result = shell.run_line_magic("kubemq", line)
    shown = shell.display_formatter.format(result)[0]["text/plain"] if result is not None else ""
    print(line, "->", shown.splitlines()[:1])
shell.run_line_magic("kubemq", "close")
print("all done")
"""


def offline(code):
    return subprocess.run(
        [*OFFLINE, code], capture_output=True, text=True, check=False, timeout=100, cwd=ROOT
    )


@pytest.fixture(scope="module", autouse=True)
def _a_network_of_its_own():
    if sys.platform != "linux" or offline("pass").returncode:
        pytest.skip("needs the right to make a network of its own")


@pytest.mark.may_skip
@pytest.mark.embedded_only
def test_a_notebook_works_with_loopback_alone_and_asks_nobody_else():
    """First seen red on `socket.getaddrinfo("kubemq.io", 443)` in `connect`, its error swallowed."""
    done = offline(SESSION)

    assert done.stdout.endswith("all done\n"), done.stderr
    assert done.stderr.strip().splitlines()[-1] == "network: lo; packets that found no way out: 0"


@pytest.mark.may_skip
def test_an_attempt_to_leave_is_counted_though_its_error_is_swallowed():
    done = offline(
        "import contextlib, socket\n"
        "with contextlib.suppress(OSError): socket.create_connection(('192.0.2.1', 443), 1)\n"
    )

    assert "network: lo; packets that found no way out: 1" in done.stderr
