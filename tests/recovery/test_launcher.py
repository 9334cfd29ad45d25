"""Processes: how a broker starts, is shared, ends with its parent, and says what is wrong."""

import argparse
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import grpc
import pytest

from kubemq_nb._wire import methods
from kubemq_nb.broker import command, launcher, shared
from kubemq_nb.broker.shared import Runtime
from kubemq_nb.errors import BrokerStartError

PATIENCE = 60.0
pytestmark = pytest.mark.embedded_only

CHILD = """
import sys
from kubemq_nb.broker import launcher
running = launcher.launch(*sys.argv[1:])
print(running.pid, running.store, flush=True)
sys.stdin.read()
"""


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    return True


def lives(pid):
    return shared.start_of(pid) is not None


@pytest.fixture
def private():
    broker = launcher.launch()
    yield broker
    broker.stop()


@pytest.fixture
def child():
    """Starts another process that launches a broker; the process, and what it says."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        pid, store = process.stdout.readline().split()
        return process, int(pid), Path(store)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def answer(broker, rpc, token=None):
    metadata = (("authorization", token),) if token is not None else None
    with grpc.insecure_channel(broker.address) as channel:
        return channel.unary_unary(methods.path(rpc))(b"", timeout=10, metadata=metadata)


def test_a_private_broker_answers_and_leaves_nothing_behind(private):
    assert answer(private, "Ping")

    private.stop()

    assert not private.is_running
    assert not private.store.exists()


def test_files_of_a_store_are_for_their_owner_only(private):
    for name in (shared.TOKEN_NAME, shared.RUNTIME_NAME, shared.LOCK_NAME):
        assert stat.S_IMODE((private.store / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(private.store.stat().st_mode) == 0o700


def test_a_token_has_128_bits_and_is_not_on_the_command_line(private):
    command = Path(f"/proc/{private.pid}/cmdline").read_text()

    assert len(bytes.fromhex(private.token())) == 16
    assert private.token() not in command


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_callers_without_the_token_are_turned_away(private, token):
    with pytest.raises(grpc.RpcError) as caught:
        answer(private, "QueuesInfo", token)

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_token_lets_in_and_a_ping_needs_none(private):
    assert answer(private, "QueuesInfo", private.token())
    assert answer(private, "Ping")


def test_a_broker_listens_on_loopback_only(private):
    assert private.address.startswith("127.0.0.1:")


def test_an_interrupt_of_the_parents_group_does_not_reach_it(private):
    assert os.getsid(private.pid) == private.pid


def test_a_restart_keeps_port_token_and_store(private):
    before = (private.address, private.token(), private.store)
    os.kill(private.pid, signal.SIGKILL)
    eventually(lambda: not private.is_running)

    private.restart()

    assert (private.address, private.token(), private.store) == before
    assert private.is_running


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_private_broker_ends_with_its_parent_however_that_ends(child, how):
    process, pid, store = child()

    process.send_signal(how)

    assert eventually(lambda: not lives(pid))
    assert eventually(lambda: not store.exists())


INTERRUPTED = """
import signal, subprocess, sys
from kubemq_nb.broker import launcher

class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, arguments[0][arguments[0].index("--store") + 1], flush=True)
        signal.setitimer(signal.ITIMER_REAL, 0.05)

launcher.subprocess.Popen = Popen
signal.signal(signal.SIGALRM, signal.default_int_handler)
try:
    launcher.launch()
except KeyboardInterrupt as error:
    kept = error  # with all its frames, as IPython keeps it
    print("interrupted", flush=True)
sys.stdin.read()
"""


def test_an_interrupt_while_a_broker_starts_leaves_none():
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        pid, store = process.stdout.readline().split()
        assert process.stdout.readline() == "interrupted\n"

        assert eventually(lambda: not lives(int(pid)))
        assert eventually(lambda: not Path(store).exists())
        process.kill()


ENDS = """
import os
from kubemq_nb.broker import launcher
running = launcher.launch()
print(running.store, flush=True)
launcher.shutil.rmtree = lambda *_, **__: os._exit(0)
running.stop()
"""


def test_a_kernel_that_is_killed_while_it_ends_its_broker_leaves_no_store():
    done = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=True)

    assert eventually(lambda: not Path(done.stdout.strip()).exists())


def test_a_forked_child_of_the_parent_keeps_no_broker_alive(child):
    process, pid, _ = child()
    # What a fork of the kernel would do: hold the parent's end of the leash open.
    ends = Path(f"/proc/{process.pid}/fd").iterdir()
    leash = next(end for end in ends if end.readlink() == Path(f"/proc/{pid}/fd/0").readlink())
    with leash.open("wb"):
        process.kill()
        process.wait()

        assert eventually(lambda: not lives(pid))


FORK = """
import os
from kubemq_nb.broker import launcher
running = launcher.launch()
child = os.fork()
if not child:
    print(running.is_running, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(running.is_running)
running.halt()
print(running.is_running)
"""


def test_a_fork_sees_that_a_broker_runs_which_is_no_child_of_it():
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == ["True", "True", "False"]


def test_those_who_name_a_store_share_its_broker(tmp_path):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)

    assert (first.pid, first.address, first.token()) == (second.pid, second.address, second.token())

    first.stop()
    assert second.is_running
    second.stop()


def test_a_shared_broker_ends_after_the_last_session_and_keeps_its_store(tmp_path):
    running = launcher.launch(tmp_path)

    running.stop()

    assert eventually(lambda: not running.is_running)
    assert (tmp_path / "broker.sqlite").exists()
    assert launcher.attach(tmp_path) is None


def test_who_comes_while_a_shared_broker_ends_waits_and_who_came_before_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "LINGER_SECONDS", 0.0)
    kept = []
    ending = threading.Thread(target=lambda: kept.append(command.until_left(tmp_path)), daemon=True)

    with shared.one_at_a_time(tmp_path):  # as somebody who is about to join
        ending.start()
        session = shared.register(tmp_path)
    with shared.one_at_a_time(tmp_path):  # it let go of the lock again, and waits for the next end
        assert not kept
    session.unlink()
    ending.join(PATIENCE)

    (lock,) = kept
    assert shared.take_lock(tmp_path / shared.LAUNCH_NAME) is None
    os.close(lock)


def test_a_killed_session_counts_as_gone(tmp_path, child):
    process, pid, _ = child(str(tmp_path))

    process.kill()
    process.wait()

    assert eventually(lambda: not lives(pid))


def test_a_shared_broker_outlives_the_session_that_started_it(tmp_path, child):
    process, pid, _ = child(str(tmp_path))
    with_us = launcher.launch(tmp_path)

    process.kill()
    process.wait()
    threading.Event().wait(5)  # longer than a broker lingers

    assert (with_us.pid, with_us.is_running) == (pid, True)
    with_us.stop()


def test_many_who_start_at_once_get_one_broker(tmp_path):
    running = []
    threads = [threading.Thread(target=lambda: running.append(launcher.launch(tmp_path))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({broker.pid for broker in running}) == 1
    for broker in running:
        broker.stop()


def test_a_second_broker_on_a_store_is_refused_by_name(private):
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(private.store)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert second.returncode == 1
    assert second.stdout == ""
    assert (
        f"{private.store} has a broker already: process {private.pid} at {private.address}" in second.stderr
    )


def test_a_killed_broker_of_a_store_is_recognised_and_replaced(tmp_path):
    first = launcher.launch(tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not first.is_running)

    found, second = launcher.attach(tmp_path), launcher.launch(tmp_path)

    assert (tmp_path / shared.RUNTIME_NAME).exists()
    assert found is None
    assert second.is_running
    assert second.pid != first.pid
    second.stop()
    first.stop()


@pytest.mark.parametrize(
    "left",
    [
        "",
        "{",
        '{"address": "127.0.0.1:1"}',
        json.dumps(Runtime("127.0.0.1:1", os.getpid(), "another start", "store", None)._asdict()),
        json.dumps(Runtime("127.0.0.1:1", 2**22 - 1, "1", "store", None)._asdict()),
    ],
    ids=["empty", "torn", "another form", "an id used again", "nobody's id"],
)
def test_what_a_broker_left_behind_misleads_nobody(tmp_path, left):
    (tmp_path / shared.RUNTIME_NAME).write_text(left)

    found, broker = launcher.attach(tmp_path), launcher.launch(tmp_path)

    assert found is None
    assert answer(broker, "QueuesInfo", broker.token())
    broker.stop()


def test_notebooks_that_share_a_store_find_one_broker_again_after_its_death(tmp_path):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)
    address = first.address
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not first.is_running)
    threads = [threading.Thread(target=broker.restart) for broker in (first, second)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert first.pid == second.pid
    assert (first.address, second.address) == (address, address)
    first.stop()
    assert second.is_running
    second.stop()


def test_a_broker_that_was_stopped_stays_so_for_all_who_share_it_until_one_starts_it(tmp_path):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)

    first.halt()
    stopped = (first.revive(), second.revive(), second.is_running)
    second.restart()
    again = (first.revive(), first.pid == second.pid)
    os.kill(second.pid, signal.SIGKILL)
    eventually(lambda: not second.is_running)
    died = second.revive()

    assert (stopped, again, died) == (("stopped", "stopped", False), ("joined", True), "started")
    first.stop()
    second.stop()


def test_who_comes_to_a_store_whose_broker_was_stopped_starts_it(tmp_path):
    first = launcher.launch(tmp_path)
    first.halt()

    second = launcher.launch(tmp_path)

    assert first.revive() == "joined"
    assert first.pid == second.pid
    first.stop()
    second.stop()


def test_a_broker_is_stopped_and_reset_also_where_another_session_has_started_it_anew(tmp_path):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)
    second.restart()

    first.halt()
    stopped = second.is_running
    second.restart()
    first.reset()

    assert not stopped
    assert second.revive() == "joined"
    assert database_of(second)
    first.stop()
    second.stop()


def test_nobody_starts_a_broker_while_another_session_restarts_it(tmp_path, monkeypatch):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)
    end, found = launcher.end, []

    def end_and_look(*given):
        end(*given)
        watch = threading.Thread(target=lambda: found.append(second.revive()))
        watch.start()
        watch.join(2)

    monkeypatch.setattr(launcher, "end", end_and_look)
    first.restart()

    eventually(lambda: found)
    assert found == ["joined"]
    assert first.pid == second.pid
    first.stop()
    second.stop()


def test_a_name_means_a_folder_among_the_users_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert launcher.store_path("demo") == tmp_path / "kubemq-nb" / "stores" / "demo"
    assert launcher.store_path("./demo") == Path.cwd() / "demo"


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a\0b", "ä", "-x", "x" * 65])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ValueError, match="a store's name is"):
        launcher.launch(name)


def test_a_store_that_is_no_database_is_refused_with_the_end_of_the_log(tmp_path):
    (tmp_path / "broker.sqlite").write_bytes(b"this is no database at all" * 100)

    with pytest.raises(BrokerStartError, match="not a database") as caught:
        launcher.launch(tmp_path)

    assert str(tmp_path) in str(caught.value)
    assert "not a database" in caught.value.log_tail


def test_a_link_planted_where_the_token_goes_is_refused(tmp_path):
    target = tmp_path / "elsewhere"
    store = tmp_path / "store"
    store.mkdir()
    (store / shared.TOKEN_NAME).symlink_to(target)

    with pytest.raises(BrokerStartError):
        launcher.launch(store)

    assert not target.exists()


def test_an_empty_token_lets_nobody_in(tmp_path):
    (tmp_path / shared.TOKEN_NAME).touch()

    with pytest.raises(BrokerStartError, match="is empty"):
        launcher.launch(tmp_path)


def test_a_port_that_is_taken_is_said_to_be(private, tmp_path):
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(tmp_path)]
    second = subprocess.run(
        [*command, "--address", private.address],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert second.returncode == 1
    assert f"cannot listen on {private.address}" in second.stderr


def test_a_broker_in_the_foreground_says_one_line_and_ends_on_a_signal(tmp_path):
    command = [sys.executable, "-m", "kubemq_nb.broker", "--store", str(tmp_path), "--no-auth"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ready = json.loads(process.stdout.readline())
    found = launcher.attach(tmp_path)

    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=PATIENCE)

    assert (ready["pid"], ready["store"], ready["token_file"]) == (process.pid, str(tmp_path), None)
    assert (found.address, found.token()) == (ready["address"], None)
    assert (process.returncode, rest) == (0, "")
    found.stop()


def test_a_file_that_is_no_session_keeps_no_broker_alive(tmp_path):
    running = launcher.launch(tmp_path)
    for name in (".DS_Store", "1", "a b c", "1 2 3"):
        (tmp_path / shared.SESSIONS_NAME / name).touch()

    running.stop()

    assert eventually(lambda: not running.is_running)


def test_sessions_that_cannot_be_counted_now_keep_their_broker(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "iterdir", Mock(side_effect=OSError(errno.EMFILE, "too many files")))

    assert command.is_used(tmp_path)


def test_a_broker_ends_when_its_sessions_are_removed(tmp_path):
    running = launcher.launch(tmp_path)

    shutil.rmtree(tmp_path / shared.SESSIONS_NAME)

    assert eventually(lambda: not running.is_running)
    running.stop()


def test_a_lock_that_cannot_be_had_now_keeps_no_broker_alive(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "LINGER_SECONDS", 0.0)
    monkeypatch.setattr(command, "LOOK_SECONDS", 0.0)
    errors = [TimeoutError(), OSError(errno.EMFILE, "too many files"), FileNotFoundError()]
    monkeypatch.setattr(shared, "launch_lock", Mock(side_effect=[*errors, 7]))

    assert command.until_left(tmp_path) == 7


def test_a_broker_ends_when_nothing_looks_after_it_any_more(monkeypatch):
    monkeypatch.setattr(command, "until_removed", Mock(side_effect=MemoryError))
    monkeypatch.setattr(threading, "excepthook", Mock())
    told = threading.Event()
    before = threading.enumerate()

    command.watch(argparse.Namespace(leash=None, until_left=False, store=None), 0, told.set)

    assert told.wait(PATIENCE)
    for watch in {*threading.enumerate()} - {*before}:
        watch.join(PATIENCE)  # its error goes to the hook, not to whatever test comes next


def test_a_process_that_does_not_let_go_of_a_store_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "LAUNCH_SECONDS", 0.1)

    with shared.one_at_a_time(tmp_path), pytest.raises(BrokerStartError, match="another process has been"):
        launcher.launch(tmp_path)


MANY_FILES = """
import os, resource, sys
from kubemq_nb.broker import launcher
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
running = launcher.launch()
print(running.is_running, running._hold.process.stdin.fileno() > 1024)
running.stop()
"""


def test_a_broker_starts_beside_a_thousand_open_files():
    command = [sys.executable, "-c", MANY_FILES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")


def test_what_the_system_refuses_is_told_as_a_broker_that_did_not_start(tmp_path, monkeypatch):
    (tmp_path / shared.SESSIONS_NAME).touch()  # where a folder has to be

    with pytest.raises(BrokerStartError, match=f"did not start: .*{tmp_path}/sessions"):
        launcher.launch(tmp_path)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(BrokerStartError, match=f"did not start: .*{tmp_path}/nowhere"):
        launcher.launch()


def test_a_broker_that_says_nothing_is_not_given_the_words_of_the_one_before(tmp_path, monkeypatch):
    (tmp_path / shared.LOG_NAME).write_text("INFO listening on 127.0.0.1:1\n")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    with pytest.raises(BrokerStartError, match="it said nothing") as caught:
        launcher.launch(tmp_path)

    assert caught.value.log_tail == ""


DIES = "#!/bin/sh\nkill -9 $$\n"


def test_a_broker_that_is_killed_while_it_starts_is_said_to_be(tmp_path, monkeypatch):
    dies = tmp_path / "python"
    dies.write_text(DIES)
    dies.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dies))

    with pytest.raises(BrokerStartError, match="its process was ended by SIGKILL"):
        launcher.launch()


def test_a_broker_that_is_never_ready_is_said_to_be(tmp_path, monkeypatch):
    never = tmp_path / "python"
    never.write_text("#!/bin/sh\nexec sleep 60\n")
    never.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(never))
    monkeypatch.setattr(launcher, "START_SECONDS", 0.1)

    with pytest.raises(BrokerStartError, match=r"it was not ready after 0\.1 s"):
        launcher.launch()


def test_a_broker_whose_store_is_removed_ends_and_leaves_the_next_one_alone(tmp_path):
    store = tmp_path / "store"
    first = launcher.launch(store)
    shutil.rmtree(store)
    second = launcher.launch(store)

    assert second.pid != first.pid
    assert eventually(lambda: not first.is_running)
    assert launcher.attach(store).pid == second.pid
    shutil.rmtree(store)
    with pytest.raises(BrokerStartError, match=f"the store {store} was removed"):
        second.restart()
    second.stop()


def test_no_other_session_starts_a_broker_on_files_that_are_about_to_go(tmp_path, monkeypatch):
    first, second = launcher.launch(tmp_path), launcher.launch(tmp_path)
    end, threads = first._end, []

    def ended():
        end()
        threads.append(threading.Thread(target=second.restart))
        threads[0].start()
        threads[0].join(2)  # long enough for a broker to start, if it may

    monkeypatch.setattr(first, "_end", ended)
    first.reset()
    threads[0].join()

    assert first.pid == second.pid
    assert database_of(first)
    first.stop()
    second.stop()


def database_of(broker):
    """The open files of a broker that are its database, and are still in its folder."""
    path = str(broker.store / "broker.sqlite")
    # One that is closed meanwhile leads nowhere.
    return [fd for fd in Path(f"/proc/{broker.pid}/fd").iterdir() if str(fd.resolve()) == path]


def test_half_a_line_about_damage_hides_no_other(private):
    whole = json.dumps({"at": "2026-01-01T00:00:00+00:00", "channel": "a", "sequence": 1, "what": "x"})
    (private.store / shared.DAMAGE_NAME).write_text(f'{whole}\n{{"at": "20{whole}\n{whole}\n{{"at"')

    assert private.damage() == [json.loads(whole)] * 2


@pytest.mark.parametrize(
    "line", ["", "[]", "7", '{"at": "2026-01-01", "what": "x"}', '{"at": 7}', '{"at": "a", "channel": ""}']
)
def test_what_is_no_line_about_damage_hides_no_other(private, line):
    whole = json.dumps({"at": "2026-01-01T00:00:00+00:00", "channel": "a", "sequence": 1, "what": "x"})
    (private.store / shared.DAMAGE_NAME).write_text(f"{line}\n{whole}\n")

    assert private.damage() == [json.loads(whole)]


def test_the_launcher_loads_no_grpc():
    code = "import sys; import kubemq_nb.broker.launcher; print('grpc' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"
