"""Kernels that are restarted, killed or forked: no broker is left, and none is ended by the end of a fork."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from packaging.version import Version

from kubemq_nb.broker import shared
from tests.campaign.kernels import kernel
from tests.conformance.support import eventually

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(120)]

# Older gRPC works in a fork only where it is told before it is loaded; docs/reliability.md says so.
OLD = Version(grpc.__version__) < Version("1.80")
UNTOLD = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
ENVIRONMENT = UNTOLD | ({"GRPC_ENABLE_FORK_SUPPORT": "1"} if OLD else {})

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


@pytest.mark.parametrize(
    ("how", "code", "told"), [("exit", 7, ""), ("work", 1, "by multiprocessing's spawn")]
)
def test_a_fork_with_a_session_ends_at_once_and_ends_nothing_of_its_parent(tmp_path, how, code, told):
    command = [sys.executable, "-c", FORKS, how]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False, env=ENVIRONMENT
    )

    assert done.stdout.splitlines() == [f"{code} True held True", "['held'] 0"], done.stderr
    assert told in done.stderr
    assert done.returncode == 0


MANY = """
import multiprocessing, warnings
warnings.simplefilter("ignore")
import kubemq_nb

kq = kubemq_nb.connect()
kq.queues.send("orders", rows=[str(number) for number in range(10)])
kq.queues.receive("orders", count=1)  # by a thread, which waits for more to do

def work():
    kq.queues.send("answers", kq.queues.receive("orders", count=1)["body"].iloc[0])

async def hear(event):
    kq.queues.send("heard", event.id)

def listen():
    feed = kq.events_store.subscribe("stored", hear, start="first")
    feed.wait(count=1, timeout=10)
    kq.queues.receive("nothing", wait=1)

feed = kq.events_store.subscribe("stored", hear)
kq.events_store.send("stored", "first")
feed.wait(count=1, timeout=10)
feed.stop()
codes = []
for job in [work] * 9 + [listen]:
    process = multiprocessing.get_context("fork").Process(target=job)
    process.start()
    process.join(20)
    codes.append(process.exitcode)
    process.kill()
print(codes)
print(sorted(kq.queues.peek("answers", count=20, wait=0)["body"].str.decode("ascii")))
print(len(kq.queues.peek("heard", count=2, wait=5)))
"""


def test_each_fork_has_a_connection_and_threads_of_its_own(tmp_path):
    command = [sys.executable, "-c", MANY]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False, env=ENVIRONMENT
    )

    assert done.stdout.splitlines() == [str([0] * 10), str([str(n) for n in range(1, 10)]), "2"], done.stderr


ASKING = """
import multiprocessing, time, warnings
warnings.simplefilter("ignore")
import kubemq_nb

kq = kubemq_nb.connect()

def ask():
    assert [kq.queries.send("q", text).text for text in "ab"] == ["a", "b"]

def respond(up, over):
    with kubemq_nb.connect(kq.server.address, token_file=kq._link.embedded.running.token_file) as other:
        other.queries.respond("q", echo=True)
        up.set()
        over.wait()

forks = multiprocessing.get_context("fork")
up, over = forks.Event(), forks.Event()
responder = forks.Process(target=respond, args=(up, over))
responder.start()
assert up.wait(20)
codes, forking = [], []
for _ in range(10):
    ask()
    process = forks.Process(target=ask)
    began = time.monotonic()
    process.start()
    forking.append(time.monotonic() - began)
    process.join(20)
    codes.append(process.exitcode)
    process.kill()
over.set()
responder.join(20)
print(codes, min(forking) < 0.5)
"""


@pytest.mark.parametrize("told", [{}, {"GRPC_ENABLE_FORK_SUPPORT": "1"}], ids=["untold", "told"])
def test_a_line_on_which_nobody_asks_is_no_hindrance(tmp_path, told):
    command = [sys.executable, "-c", ASKING]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
        check=False,
        env=ENVIRONMENT | told,
    )

    # gRPC waits a second and more for a stream that is open when a process forks.
    assert done.stdout.splitlines() == [f"{[0] * 10} True"], done.stderr


WAITING = """
import multiprocessing, os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")
import kubemq_nb

kq = kubemq_nb.connect()
kq.queues.send("orders", "first")
workers = kq._link.connection.workers
got = []

def until(there):
    deadline = time.monotonic() + 10
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)

def receive():
    got.extend(kq.queues.receive("later", wait=30)["body"])

def waits():
    until(lambda: any(cancellation._calls for cancellation in list(workers._under_way)))

def interrupt():
    waits()
    os.kill(os.getpid(), signal.SIGINT)

if sys.argv[1] == "waits":
    other = threading.Thread(target=receive, daemon=True)
    other.start()
    waits()
else:
    other = threading.Thread(target=interrupt)
    other.start()
    try:
        receive()
    except KeyboardInterrupt:
        until(lambda: not workers.busy)

child = multiprocessing.get_context("fork").Process(target=kq.queues.send, args=("orders", "second"))
child.start()
child.join(20)
print(child.exitcode, flush=True)
child.kill()
kq.queues.send("later", "after the fork")
other.join(10)
print(len(kq.queues.peek("orders", count=2)), got)
"""


def fork_beside(way, folder, told):
    """Fork beside a call of another thread that waits, or after one that was interrupted."""
    return subprocess.run(
        [sys.executable, "-c", WAITING, way],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
        env=UNTOLD | ({"GRPC_ENABLE_FORK_SUPPORT": told} if told else {}),
    )


@pytest.mark.parametrize("told", ["", "1"])
def test_a_fork_can_call_after_a_call_was_interrupted(tmp_path, told):
    done = fork_beside("interrupted", tmp_path, told)

    # Told of forks, older gRPC ends a fork in which it cannot close everything.
    assert done.stdout.splitlines() == (["64", "1 []"] if OLD and told else ["0", "2 []"]), done.stderr


@pytest.mark.parametrize("told", ["", "1"])
def test_a_fork_beside_a_call_that_waits_ends_at_once(tmp_path, told):
    done = fork_beside("waits", tmp_path, told)

    code, *rest = done.stdout.splitlines()
    if OLD and told:  # such gRPC may break the connection of the parent as well
        assert code == "64", done.stderr
        return
    assert rest == ["1 [b'after the fork']"], done.stderr
    assert int(code) < 0 or (code == "1" and "waiting call open" in done.stderr)  # gRPC may crash in it first


def test_a_fork_where_grpc_is_told_to_expect_none_ends_at_once(tmp_path):
    done = fork_beside("interrupted", tmp_path, "0")

    assert done.stdout.splitlines() == ["1", "1 []"], done.stderr
    assert "GRPC_ENABLE_FORK_SUPPORT is off" in done.stderr


LOCKED = """
import multiprocessing, warnings
warnings.simplefilter("ignore")
import kubemq_nb

kq = kubemq_nb.connect()
kq.queues.send("orders", "first")
with kq._link.embedded._lock:  # as the thread that looks after the broker may, when a fork is made
    work = multiprocessing.get_context("fork").Process(target=kq.queues.send, args=("orders", "second"))
    work.start()
work.join(20)
print(work.exitcode, len(kq.queues.peek("orders", count=2)))
work.kill()
"""


def test_a_fork_waits_for_no_lock_that_a_thread_of_its_parent_held(tmp_path):
    command = [sys.executable, "-c", LOCKED]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False, env=ENVIRONMENT
    )

    assert done.stdout.split() == ["0", "2"], done.stderr


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
