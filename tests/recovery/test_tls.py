"""A broker that speaks TLS, and one that asks for certificates: the real server never asks."""

import json
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from tests.plain_wire import Wire

FILES = Path(__file__).parent / "tls"
pytestmark = pytest.mark.embedded_only


def pem(name):
    return (FILES / name).read_bytes()


@pytest.fixture
def serve(tmp_path):
    """Starts a broker in the foreground with more options; its address."""
    running = []

    def start(*options):
        command = [sys.executable, "-m", "kubemq_nb", "broker", "--store", str(tmp_path), "--no-auth"]
        certificate = ["--cert", str(FILES / "server.pem"), "--key", str(FILES / "server.key")]
        process = subprocess.Popen([*command, *certificate, *options], stdout=subprocess.PIPE, text=True)
        running.append(process)
        return json.loads(process.stdout.readline())["address"]

    yield start
    for process in running:
        process.terminate()
        process.communicate()


def ping(address, credentials):
    wire = Wire(address, credentials=credentials)
    try:
        return wire.unary("Ping", pb.Empty(), pb.PingResult, timeout=5).Version
    finally:
        wire.channel.close()


def shown(name):
    """Credentials of a client that shows this certificate."""
    return grpc.ssl_channel_credentials(pem("ca.pem"), pem(f"{name}.key"), pem(f"{name}.pem"))


def test_a_client_that_knows_the_authority_is_served(serve):
    assert ping(serve(), grpc.ssl_channel_credentials(pem("ca.pem"))) == "2.4.0"


def test_a_client_without_tls_is_not_served(serve):
    with pytest.raises(grpc.RpcError) as caught:
        ping(serve(), None)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_with_an_authority_a_client_must_show_a_certificate_of_its(serve):
    address = serve("--ca", str(FILES / "ca.pem"))

    assert ping(address, shown("client")) == "2.4.0"
    for credentials in (grpc.ssl_channel_credentials(pem("ca.pem")), shown("stranger")):
        with pytest.raises(grpc.RpcError) as caught:
            ping(address, credentials)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
