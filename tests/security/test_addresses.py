"""Addresses are host and port: nothing that is typed there makes gRPC read a file or ask somebody else."""

import socket
import threading
import tomllib
from pathlib import Path

import pytest

import kubemq_nb
from kubemq_nb._wire.address import parse_address
from kubemq_nb.client.connection import Connection
from kubemq_nb.errors import AuthenticationFailed

CORPUS = tomllib.loads(Path(__file__).with_name("addresses.toml").read_text(encoding="utf-8"))
PROXIES = ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy")


@pytest.mark.parametrize("address", CORPUS["here"])
def test_a_token_goes_in_clear_to_this_machine(address):
    assert parse_address(address).loopback
    Connection(address, token="any").close()


@pytest.mark.parametrize("address", CORPUS["away"])
def test_a_token_does_not_go_in_clear_to_another(address):
    assert not parse_address(address).loopback
    with pytest.raises(AuthenticationFailed, match="in clear"):
        Connection(address, token="any")


@pytest.mark.parametrize("address", [*CORPUS["here"], *CORPUS["away"]])
def test_the_resolver_is_named_so_that_grpc_guesses_none(address):
    target = parse_address(address).target

    assert target in {f"{scheme}:{address}" for scheme in ("ipv4", "ipv6", "dns:///")} | {f"dns:///{address}"}


@pytest.mark.parametrize("address", CORPUS["no"])
def test_whatever_else_is_refused_in_one_line_before_anything_is_looked_up(address, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))

    with pytest.raises(ValueError, match="is not host:port, such as") as caught:
        Connection(address)

    assert str(caught.value).isprintable()
    assert str(caught.value).endswith("Nothing was sent.")


def test_the_corpus_is_as_large_as_it_claims_to_be():
    assert sum(map(len, CORPUS.values())) >= 80
    assert len(set().union(*CORPUS.values())) == sum(map(len, CORPUS.values()))


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(ValueError) as caught:
        kubemq_nb.connect("http://user:canary@localhost:50000")

    assert (
        str(caught.value)
        == "***@'localhost:50000' is not host:port, such as 127.0.0.1:50000. Nothing was sent."
    )


def test_the_magic_refuses_them_too(shell, capsys):
    typed = [address for address in CORPUS["no"] if address.isprintable() and "$" not in address]

    for address in typed:
        shell.run_cell(f"%kubemq connect '{address}'")

    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "is not host:port" not in line] == []
    assert len(lines) == len(typed)


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names; who came to it."""
    came = []

    def accept(listener):
        while True:
            try:
                came.append(listener.accept()[0])
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        for name in (*PROXIES, *map(str.upper, PROXIES)):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield came
        listener.shutdown(socket.SHUT_RDWR)
    for connection in came:
        connection.close()


@pytest.mark.embedded_only
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_on_this_machine_is_reached_without_the_proxy(proxy, broker, host, channel):
    port = broker.address.rpartition(":")[2]
    with kubemq_nb.connect(f"{host}:{port}", token_file=broker.token_file) as kq:
        kq.queues.send(channel, "x")
        assert len(kq.queues.receive(channel)) == 1

    assert proxy == []


def test_what_is_elsewhere_is_reached_through_it(proxy):
    connection = Connection("192.0.2.1:50000", timeout=1)

    with pytest.raises(kubemq_nb.BrokerUnavailable):
        connection.ping()

    connection.close()
    assert proxy != []
