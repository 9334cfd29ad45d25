"""Addresses of brokers: `host:port` and nothing else that gRPC would understand."""

import ipaddress
import re
from typing import NamedTuple

_SHAPE = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s\[\]:/@?#]+)):(?P<port>[0-9]{1,5})", re.ASCII
)
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?", re.ASCII)
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?$")
_LAST_PORT = 65_535


class Address(NamedTuple):
    """A checked address."""

    target: str  # as gRPC takes it, with its resolver named
    loopback: bool


def parse_address(address: str, *, any_port: bool = False) -> Address:
    """Check an address; schemes (`unix:`, `dns:`, `xds:`), paths, and odd spellings of IPs are refused.

    Args:
        address: As a user gave it.
        any_port: Port 0 is one, as it is where somebody listens.

    Raises:
        ValueError: It is not `host:port`, `1.2.3.4:port` or `[::1]:port`.
    """
    match = _SHAPE.fullmatch(address)
    if not match or not 0 <= int(match["port"]) <= _LAST_PORT:
        raise _refused(address)
    if not (int(match["port"]) or any_port):
        raise _refused(address)
    if match["v6"]:
        return _from_ip(address, match["v6"], 6)
    if _NUMERIC_END.search(match["host"]):
        return _from_ip(address, match["host"], 4)
    if not _NAME.fullmatch(match["host"]):
        raise _refused(address)
    name = match["host"].lower().rstrip(".")
    # Not *.localhost: some resolvers ask the network for those.
    return Address(f"dns:///{address}", name == "localhost")


def _from_ip(address: str, host: str, version: int) -> Address:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        raise _refused(address) from None
    if ip.version != version:
        raise _refused(address)
    return Address(f"ipv{version}:{address}", ip.is_loopback)


def _refused(address: str) -> ValueError:
    told = address.rpartition("@")[2]  # what comes before may be a password
    told = repr(told) if told == address else f"***@{told!r}"
    return ValueError(f"{told} is not host:port, such as 127.0.0.1:50000. Nothing was sent.")
