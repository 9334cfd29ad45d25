"""A broker of one's own is found by its address, with its token; nobody else's is taken for it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

import kubemq_nb
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker import known, launcher, shared
from kubemq_nb.errors import AuthenticationFailed
from kubemq_nb.session import access
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import eventually

pytestmark = pytest.mark.embedded_only

HERE = "127.0.0.1:50000"


@contextmanager
def foreground(store, address="127.0.0.1:0"):
    """A broker as one is started in a shell; gives what it says of itself and its process."""
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(store), "--address", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline()), process
        finally:
            process.terminate()


@pytest.fixture
def told(tmp_path, monkeypatch):
    """This process as a broker that listens at HERE; all its files by name."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    token = store / "token"
    token.touch(mode=0o600)
    token.write_text("secret")
    runtime = shared.Runtime(
        address=HERE,
        pid=os.getpid(),
        started=shared.start_of(os.getpid()),
        store=str(store),
        token_file=str(token),
    )
    shared.write_runtime(store, runtime)
    known.tell(runtime)
    return {
        "folder": known.folder(),
        "entry": known.folder() / HERE,
        "runtime": store / shared.RUNTIME_NAME,
        "token": token,
    }


def test_the_token_of_ones_own_broker_is_found_by_its_address(tmp_path):
    with foreground(tmp_path) as (runtime, _):
        with kubemq_nb.connect(runtime["address"]) as session:
            session.queues.send("orders", "a")
            (access,) = session.status()["access"]

        assert access == f"token in {tmp_path / 'token'}"

    assert not (known.folder() / runtime["address"]).exists()


def listening(port):
    """A server at a port that was in use; None while somebody's connection has it."""
    try:
        return StrangeServer(port=port)
    except RuntimeError:
        return None


def test_what_a_killed_broker_left_behind_gives_no_token_to_who_listens_there_now(tmp_path):
    with foreground(tmp_path) as (runtime, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
    port = int(runtime["address"].rpartition(":")[2])
    server = eventually(lambda: listening(port), within=30)
    server.on("QueuesInfo", lambda _request, _context: pb.QueuesInfoResponse())

    with kubemq_nb.connect(server.address) as session:
        session.channels.list("queues")
    server.stop()

    assert (known.folder() / runtime["address"]).exists()
    assert "authorization" not in server.metadata["QueuesInfo"]


def test_the_next_broker_clears_away_what_killed_ones_left(tmp_path):
    with foreground(tmp_path / "first") as (first, process):
        process.kill()
        process.wait()

    with foreground(tmp_path / "second") as (second, _):
        found = {path.name for path in known.folder().iterdir()}

    assert second["address"] in found
    assert first["address"] == second["address"] or first["address"] not in found


def test_a_private_broker_is_for_its_own_kernel():
    broker = launcher.launch()

    with pytest.raises(AuthenticationFailed):
        kubemq_nb.connect(broker.address)
    broker.stop()


def test_the_token_of_a_broker_that_this_user_runs_is_found(told):
    assert known.token_file(HERE) == told["token"]
    assert access.token_of(HERE, None, None)


@pytest.mark.parametrize("address", ["127.0.0.1:50001", "localhost:50000", "[::1]:50000"])
def test_another_address_has_no_token(told, address):
    assert known.token_file(address) is None


def test_no_token_is_looked_for_at_an_address_of_another_machine(told):
    told["entry"].rename(told["folder"] / "192.0.2.1:50000")
    runtime = json.loads(told["runtime"].read_text()) | {"address": "192.0.2.1:50000"}
    told["runtime"].write_text(json.dumps(runtime))

    assert not access.token_of("192.0.2.1:50000", None, None)


@pytest.mark.parametrize("which", ["folder", "entry", "runtime", "token"])
@pytest.mark.parametrize("mode", [0o040, 0o020, 0o004, 0o002])
def test_what_others_may_read_or_write_does_not_count(told, which, mode):
    told[which].chmod(told[which].stat().st_mode | mode)

    assert known.token_file(HERE) is None


@pytest.mark.parametrize("which", ["folder", "entry", "runtime", "token"])
def test_a_link_does_not_count(told, which, tmp_path):
    told[which].rename(tmp_path / "elsewhere")
    told[which].symlink_to(tmp_path / "elsewhere")

    assert known.token_file(HERE) is None


def test_files_of_another_user_do_not_count(told, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert known.token_file(HERE) is None


def test_a_process_that_ended_is_no_broker(told):
    runtime = json.loads(told["runtime"].read_text()) | {"started": "before"}
    told["runtime"].write_text(json.dumps(runtime))

    assert known.token_file(HERE) is None


def test_a_token_that_is_named_comes_first(told, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("other")
    mine.chmod(0o600)

    assert access.token_of(HERE, None, mine).place == str(mine)
