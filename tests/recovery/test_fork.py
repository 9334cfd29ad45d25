"""Kernels that are restarted, killed or forked: no broker is left, and none is ended by the end of a fork."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubemq_nb.broker import shared
from tests.campaign.kernels import kernel
from tests.conformance.support import eventually

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(120)]

FORKS = """
import os, sys
import multiprocessing, warnings
warnings.simplefilter("ignore")  # newer Pythons warn of forks beside threads
import kubemq_nb

kq = kubemq_nb.connect()
kq.queues.send("orders", "held")
feed = kq.events.receive("news", live=True)
held = kq.queues.transaction("orders", count=2, wait=1)
pid = kq._link.embedded.running.pid

def work():
    kq.queues.send("orders", "from the child")
    kq.close()

if sys.argv[1] == "exit":
    child = os.fork()
    if not child:
        sys.exit(7)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
else:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(30)
    code = process.exitcode

kq.events.send("news", "after the fork")
print(code, feed.wait(count=1), held.state, pid == kq._link.embedded.running.pid)
print([message.text for message in held.messages], len(kq.queues.peek("orders", wait=0)))
"""


@pytest.mark.parametrize(("how", "code", "sent"), [("exit", 7, 0), ("work", 0, 1)])
def test_a_fork_with_a_session_ends_at_once_and_ends_nothing_of_its_parent(tmp_path, how, code, sent):
    command = [sys.executable, "-c", FORKS, how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)

    assert done.stdout.splitlines() == [f"{code} True held True", f"['held'] {sent}"], done.stderr
    assert done.returncode == 0


CONNECT = """
import kubemq_nb
kq = kubemq_nb.connect()
kq.queues.send("orders", "x")
print(kq._link.embedded.running.pid, kq._link.embedded.running.store)
"""


@pytest.mark.parametrize("how", ["restart", "kill", "crash"])
def test_no_broker_is_left_when_a_kernel_is_gone(tmp_path, how):
    with kernel(tmp_path) as running:
        pid, store = running.good(CONNECT).text.split()

        if how == "restart":
            running.manager.restart_kernel(now=True)
        elif how == "kill":
            running.manager.signal_kernel(signal.SIGKILL)
        else:
            running.client.execute("import os; os.abort()")

        eventually(lambda: shared.start_of(int(pid)) is None)
        eventually(lambda: not Path(store).exists())
