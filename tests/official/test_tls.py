"""Official clients and ours over TLS, also where the broker asks for a certificate."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

import kubemq_nb
from kubemq_nb.errors import BrokerUnavailable
from tests.official import NAMES, ROOT
from tests.official.client import Refused
from tests.official.exchange import MESSAGE, fields, rows, said, sendable

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

FILES = ROOT / "tests" / "recovery" / "tls"
CA = str(FILES / "ca.pem")


def shown(who):
    """The files of a client that shows the certificate of this name."""
    return {"ca": CA, "cert": str(FILES / f"{who}.pem"), "key": str(FILES / f"{who}.key")}


@contextmanager
def serving(store, *options):
    """The address of a broker that speaks TLS."""
    command = [sys.executable, "-m", "kubemq_nb", "broker", "--no-auth", "--store", str(store), *options]
    certificate = ["--cert", str(FILES / "server.pem"), "--key", str(FILES / "server.key")]
    process = subprocess.Popen([*command, *certificate], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """The address of a broker with a certificate."""
    with serving(tmp_path_factory.mktemp("secured")) as address:
        yield address


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """The address of a broker that asks for a certificate too."""
    with serving(tmp_path_factory.mktemp("asking"), "--ca", CA) as address:
        yield address


@pytest.mark.parametrize("name", NAMES)
def test_they_and_we_exchange_messages_over_tls(name, official_clients, secured, channel):
    theirs = official_clients(name, secured, tls=shown("client"))
    with kubemq_nb.connect(secured, ca=CA, name="over TLS") as ours:
        both_ways(theirs, ours, channel)


@pytest.mark.parametrize("name", ["kubemq 4.1.5", "kubemq-js 1.2.3"])
def test_they_and_we_exchange_messages_where_certificates_are_asked_for(
    name, official_clients, asking, channel
):
    theirs = official_clients(name, asking, tls=shown("client"))
    with kubemq_nb.connect(asking, **shown("client"), name="with a certificate") as ours:
        both_ways(theirs, ours, channel)


def test_where_certificates_are_asked_for_nobody_comes_in_without(official_clients, asking):
    theirs = official_clients("kubemq 2.3.0", asking, tls=shown("client"))  # it cannot show one

    with pytest.raises(Refused, match="UNAVAILABLE"):
        theirs.ping()
    with pytest.raises(BrokerUnavailable):
        kubemq_nb.connect(asking, ca=CA, name="without a certificate")


def both_ways(theirs, ours, channel):
    theirs.send_queue(**sendable(theirs, channel=f"{channel}.in", **MESSAGE))
    (row,) = rows(ours.queues.receive(f"{channel}.in", count=1))
    ours.queues.send(f"{channel}.out", **MESSAGE)
    (message,) = theirs.receive(channel=f"{channel}.out", count=1, wait=5)

    assert fields(row) == said(theirs, channel=f"{channel}.in", **MESSAGE)
    assert fields(message) == MESSAGE | {"channel": f"{channel}.out"}
