"""Run a command where there is no network but loopback; see scripts/offline. Standard library only.

At the end it says how many packets found no way out: the system counts them, whoever swallowed the error.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

INSIDE = "--inside"
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
REQUEST = "16sh14x"  # struct ifreq


def main(command: list[str]) -> int:
    """The exit status of the command."""
    if command[:1] != [INSIDE]:
        enter(command)
    switch_on("lo")
    interfaces = sorted(name for _, name in socket.if_nameindex())
    status = subprocess.run(command[1:], check=False).returncode
    sys.stderr.write(f"\nnetwork: {', '.join(interfaces)}; packets that found no way out: {unrouted()}\n")
    return status


def enter(command: list[str]) -> None:
    """Become this program in a network of its own, which has a loopback interface that is switched off."""
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    os.execvp("unshare", ["unshare", "--net", *rights, sys.executable, __file__, INSIDE, *command])


def switch_on(interface: str) -> None:
    """Do what `ip link set INTERFACE up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(REQUEST, interface.encode(), 0)
        flags = struct.unpack(REQUEST, fcntl.ioctl(any_socket, GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack(REQUEST, interface.encode(), flags | UP))


def unrouted() -> int:
    """How often this network was asked for a way to another machine."""
    names, values = (
        line.split()
        for line in Path("/proc/net/snmp").read_text(encoding="ascii").splitlines()
        if line.startswith("Ip:")
    )
    sixth = dict(line.split() for line in Path("/proc/net/snmp6").read_text(encoding="ascii").splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(sixth["Ip6OutNoRoutes"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
