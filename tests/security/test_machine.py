"""The embedded broker and the other users of the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubemq_nb.broker import launcher, shared
from kubemq_nb.errors import BrokerStartError

pytestmark = pytest.mark.embedded_only

NOBODY = 65534
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
LISTENING = "0A"

# Everything is imported before the change of user, who may not be allowed to read this environment.
INTRUDER = """
import os, sys
import grpc
from kubemq_nb._wire import kubemq_pb2, methods
address, store, user = sys.argv[1], sys.argv[2], int(sys.argv[3])
if user:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
for name in ("token", "broker.json", "broker.sqlite", "broker.log"):
    try:
        open(os.path.join(store, name), "rb").close()
        print("read", name)
    except PermissionError:
        print("denied", name)
with grpc.insecure_channel(address) as channel:
    for method in methods.METHODS:
        if methods.METHODS[method] != methods.UNARY or method == "Ping":
            continue
        try:
            channel.unary_unary(methods.path(method))(b"", timeout=10)
            print("served", method)
        except grpc.RpcError as error:
            print(error.code().name, method)
"""


@pytest.fixture
def private():
    broker = launcher.launch()
    yield broker
    broker.stop()


def intrude(broker, user):
    command = [sys.executable, "-c", INTRUDER, broker.address, broker.store, str(user)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def may_become_another():
    """Whether this is root, and of all users: that of a namespace may know itself alone."""
    users = Path("/proc/self/uid_map")
    counts = [int(line.split()[2]) for line in users.read_text().splitlines()] if users.exists() else [2**32]
    return os.geteuid() == 0 and sum(counts) > NOBODY


@pytest.mark.may_skip
@pytest.mark.skipif(not may_become_another(), reason="only root can become another user")
def test_another_user_reads_no_file_and_is_served_nothing(private):
    told = intrude(private, NOBODY)

    assert told[:4] == [f"denied {name}" for name in ("token", "broker.json", "broker.sqlite", "broker.log")]
    assert {line.split()[0] for line in told[4:]} == {"UNAUTHENTICATED"}
    assert len(told) > 8


def test_the_owner_reads_them_so_the_intruder_means_something(private):
    told = intrude(private, 0 if os.geteuid() == 0 else os.geteuid())

    assert told[0] == "read token"


def test_every_file_of_a_store_is_the_owners_alone(private):
    files = [path for path in private.store.rglob("*") if path.is_file()]

    assert {path.name for path in files} >= {"token", "broker.json", "broker.log", "broker.sqlite"}
    assert private.store.stat().st_mode & 0o077 == 0
    for name in ("token", "broker.json", "broker.log"):
        assert (private.store / name).stat().st_mode & 0o077 == 0


def test_a_store_that_is_made_is_the_owners_alone(tmp_path):
    launcher.make_folder(tmp_path / "stores" / "named")

    assert (tmp_path / "stores" / "named").stat().st_mode & 0o077 == 0


def listeners(pid):
    """The local addresses on which a process listens, as the system writes them."""
    targets = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    sockets = {target[8:-1] for target in targets if target.startswith("socket:[")}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        if Path(f"/proc/net/{table}").exists()
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [line[1].split(":")[0] for line in lines if line[3] == LISTENING and line[9] in sockets]


@pytest.mark.may_skip
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's table of sockets")
def test_it_listens_on_loopback_only_and_the_kernel_on_nothing(private, serve):
    everywhere = serve("--no-auth", "--address", "0.0.0.0:0")

    assert listeners(private.pid)
    assert set(listeners(private.pid)) <= LOOPBACK
    assert listeners(os.getpid()) == []
    assert not set(listeners(everywhere.pid)) <= LOOPBACK  # the tables are read rightly


@pytest.mark.parametrize("name", [shared.TOKEN_NAME, shared.LOG_NAME, shared.LOCK_NAME])
def test_a_link_planted_in_a_store_is_refused_and_not_followed(tmp_path, name):
    target, store = tmp_path / "target", tmp_path / "store"
    target.write_text("0123456789abcdef")
    store.mkdir(mode=0o700)
    (store / name).symlink_to(target)

    with pytest.raises((BrokerStartError, OSError)) as caught:
        launcher.launch(store)

    assert target.read_text() == "0123456789abcdef"
    assert "\n" not in str(caught.value)


def test_a_link_planted_where_the_broker_says_where_it_is_is_replaced_and_not_followed(tmp_path):
    target, store = tmp_path / "target", tmp_path / "store"
    target.write_text("theirs")
    store.mkdir(mode=0o700)
    (store / shared.RUNTIME_NAME).symlink_to(target)

    running = launcher.launch(store)
    running.stop()

    assert target.read_text() == "theirs"
    assert not (store / shared.RUNTIME_NAME).is_symlink()


def test_a_planted_token_is_told_in_a_line(tmp_path):
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / "token").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BrokerStartError, match="is a link, which somebody else may have put there"):
        launcher.launch(store)


def test_a_store_that_everybody_may_write_to_is_refused(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    store.chmod(0o777)

    with pytest.raises(BrokerStartError, match="everybody may write into"):
        launcher.launch(store)
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"everybody may write into {store}; `chmod o-w {store}` ends that\n"


def test_the_broker_gets_of_the_environment_what_it_needs_and_no_more(monkeypatch):
    monkeypatch.setenv("KUBEMQ_AUTH_TOKEN", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    broker = launcher.launch()
    environment = Path(f"/proc/{broker.pid}/environ").read_bytes()
    command = Path(f"/proc/{broker.pid}/cmdline").read_text()
    broker.stop()

    assert b"canary" not in environment
    assert b"PATH=" in environment
    assert broker.store.name in command
