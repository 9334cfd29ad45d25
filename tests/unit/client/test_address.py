"""Addresses: host and port, nothing else."""

import pytest

from kubemq_nb._wire.address import parse_address


@pytest.mark.parametrize(
    ("address", "target", "loopback"),
    [
        ("127.0.0.1:50000", "ipv4:127.0.0.1:50000", True),
        ("127.8.0.1:1", "ipv4:127.8.0.1:1", True),
        ("10.0.0.7:65535", "ipv4:10.0.0.7:65535", False),
        ("[::1]:50000", "ipv6:[::1]:50000", True),
        ("[2001:db8::7]:50000", "ipv6:[2001:db8::7]:50000", False),
        ("localhost:50000", "dns:///localhost:50000", True),
        ("LOCALHOST:50000", "dns:///LOCALHOST:50000", True),
        ("broker.example.com:50000", "dns:///broker.example.com:50000", False),
        ("kubemq-0.kubemq:50000", "dns:///kubemq-0.kubemq:50000", False),
        ("my_broker:50000", "dns:///my_broker:50000", False),
        ("localhost.example.com:1", "dns:///localhost.example.com:1", False),
    ],
)
def test_a_host_and_a_port_are_an_address(address, target, loopback):
    assert parse_address(address) == (target, loopback)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        ":50000",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:99999",
        "localhost:-1",
        "localhost:50000 ",
        " localhost:50000",
        "localhost:५०",
        "localhost:50_000",
        "localhost:50000/path",
        "localhost:50000\n",
        "local host:50000",
        "user@localhost:50000",
        "a,b:50000",
        "a:1,b:2",
        "unix:/tmp/socket",
        "unix:///tmp/socket",
        "unix-abstract:name:1",
        "vsock:2:50000",
        "dns:localhost:50000",
        "dns:///localhost:50000",
        "dns://8.8.8.8/localhost:50000",
        "xds:///service:1",
        "ipv4:127.0.0.1:50000",
        "passthrough:///localhost:1",
        "google-c2p:///x:1",
        "http://localhost:50000",
        "https://localhost:50000",
        "file:///etc/passwd",
        "file:/etc/passwd:1",
        "::1:50000",
        "[::1]",
        "[::1]50000",
        "[127.0.0.1]:50000",
        "[fe80::1%eth0]:50000",
        "[localhost]:50000",
        "127.1:50000",
        "2130706433:50000",
        "0x7f000001:50000",
        "0x7f.0.0.1:50000",
        "0177.0.0.1:50000",
        "127.0.0.1.:50000",
        "256.0.0.1:50000",
        "1.2.3.4.5:50000",
        "-broker:50000",
        "broker-:50000",
        "bro..ker:50000",
        ".broker:50000",
        "bröker:50000",
        "broker\x00:50000",
        "broker\t:50000",
        "%2e:50000",
        "a" * 64 + ":50000",
    ],
)
def test_whatever_else_grpc_would_understand_is_refused(address):
    with pytest.raises(ValueError, match="is not host:port"):
        parse_address(address)
