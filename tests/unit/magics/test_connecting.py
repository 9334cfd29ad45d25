"""Several connections in one process: by name, closed by name, and what is for a server only."""

import subprocess
import sys

import pytest
from IPython.core.error import UsageError

import kubemq_nb
from kubemq_nb.errors import SessionClosed
from kubemq_nb.session import registry


@pytest.fixture
def two(address, credentials):
    """Two connections, the second one current."""
    with (
        kubemq_nb.connect(address, name="first", **credentials) as first,
        kubemq_nb.connect(address, name="second", **credentials) as second,
    ):
        yield first, second


@pytest.fixture
def run(shell, two):
    shell.run_line_magic("load_ext", "kubemq_nb")
    yield lambda line: shell.run_line_magic("kubemq", line)
    shell.run_line_magic("unload_ext", "kubemq_nb")


def test_any_connection_closes_another_by_its_name(two):
    first, second = two

    second.close("first")

    assert (first.closed, second.closed) == (True, False)
    with pytest.raises(SessionClosed, match="no connection first is open"):
        second.close("first")


def test_a_line_closes_a_connection_by_name_by_on_or_the_current_one(run, two, shell):
    first, second = two

    assert run("close first") == "first is closed, and second is the current connection"
    assert shell.user_ns["kq"] is second
    run("close --on second")

    assert [first.closed, second.closed] == [True, True]
    with pytest.raises(SessionClosed, match="no connection is open"):
        run("close")


def test_each_command_goes_where_on_says(run, two, channel):
    first, second = two
    run(f"queues send {channel} x --on first -q")

    assert run("status --on first")["connection"].tolist() == ["first"]
    assert registry.current() is second
    listed = run("connections")
    assert listed["client"].tolist() == [first.client_id, second.client_id]
    assert listed.attrs["notes"] == ["second is the current one"]
    with pytest.raises(SessionClosed, match=r"no connection third is open \(open: first, second\)"):
        run("ping --on third")


@pytest.mark.parametrize(
    "given",
    [
        {"token_env": "TOKEN"},
        {"token_file": "token"},
        {"ca": "ca.pem"},
        {"tls": True},
        {"server_name": "broker"},
        {"token_file": "token", "store": "lessons"},
    ],
)
def test_what_is_for_a_server_is_refused_without_an_address(given):
    (name, *_) = given

    with pytest.raises(
        TypeError, match=f"^{name} without an address: an embedded broker has a token of its own"
    ):
        kubemq_nb.connect(**given)


def test_a_line_says_so_too(run):
    with pytest.raises(UsageError, match="token_env without an address"):
        run("connect --token-env TOKEN")


AT_THE_END = """
import atexit, threading
from kubemq_nb import frames
atexit.register(lambda: print(threading.active_count()))
frames.load_ahead()
"""


def test_a_script_that_ends_before_all_is_loaded_waits_for_the_thread_and_says_nothing():
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=60, check=True
    )

    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("verb", ["receive", "transaction"])
def test_a_condition_on_a_consuming_read_is_refused_in_words(session, channel, verb):
    session.queues.send(channel, "kept")
    told = f"where is for reads that leave messages where they are: queues.{verb} would take those"

    with pytest.raises(TypeError, match=told):
        getattr(session.queues, verb)(channel, where="body.n > 1")
    with pytest.raises(TypeError, match=told):
        getattr(session.queues.named(channel), verb)(where="body.n > 1")

    assert len(session.queues.peek(channel)) == 1


@pytest.mark.parametrize(
    "address", ["unix:/tmp/x", "127.0.0.1", "http://127.0.0.1:50000", "0x7f.1:50000", ":50000"]
)
def test_a_broker_listens_only_where_clients_can_say(address, tmp_path):
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(tmp_path), "--address", address]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    told = f"argument --address: {address!r} is not host:port, such as 127.0.0.1:50000"
    assert done.stderr.splitlines()[-1] == f"kubemq-nb broker: error: {told}"
