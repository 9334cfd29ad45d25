"""The command line of the broker: run one in the foreground until it is told to stop."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LOG_NAME = "broker.log"
TOKEN_NAME = "token"  # noqa: S105  (the name of a file)
LEASH_SECONDS = 1.0  # how often the parent is looked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command understands."""
    parser.add_argument("--address", default="127.0.0.1:0", metavar="HOST:PORT", help="where to listen")
    parser.add_argument("--store", required=True, type=Path, metavar="DIR", help="where messages are kept")
    parser.add_argument("--no-auth", action="store_true", help="let everybody in who reaches the address")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="where the token is, or is put")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="certificate chain (PEM): speak TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key (PEM)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="ask clients for a certificate signed by this")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a broker; returns the exit status."""
    parser = argparse.ArgumentParser(prog="kubemq-nb broker", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run a broker as the options say; returns the exit status."""
    options.store.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(
        filename=options.store / LOG_NAME,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        asyncio.run(serve(options))
    except Exception as error:  # the last edge: whoever started the broker reads this line
        logging.exception("the broker ends")
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def serve(options: argparse.Namespace) -> None:
    """Serve until told to stop."""
    from kubemq_nb.broker.server import GRACE, Access, Broker, listen

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    token_file = None if options.no_auth else options.token_file or options.store / TOKEN_NAME
    access = Access(
        token=None if token_file is None else token_in(token_file),
        cert=options.cert.read_bytes() if options.cert else b"",
        key=options.key.read_bytes() if options.key else b"",
        ca=options.ca.read_bytes() if options.ca else b"",
    )
    broker = Broker(options.store)
    server, port = await listen(broker, options.address, access)
    say_ready(options, port, token_file)
    if options.leash:
        watch_parent(lambda: loop.call_soon_threadsafe(stop.set))
    await stop.wait()
    await server.stop(GRACE)
    broker.close()


def say_ready(options: argparse.Namespace, port: int, token_file: Path | None) -> None:
    """Print the one line that says where the broker is."""
    host = options.address.rpartition(":")[0]
    ready = {
        "address": f"{host}:{port}",
        "pid": os.getpid(),
        "store": str(options.store.absolute()),
        "token_file": None if token_file is None else str(token_file.absolute()),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    logging.info("listening on %s:%d", host, port)


def token_in(path: Path) -> str:
    """The token in a file; a file that does not exist is made, readable by its owner only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileExistsError):
        with os.fdopen(os.open(path, flags, 0o600), "w") as file:
            file.write(secrets.token_hex(16))
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
        return file.read().strip()


def watch_parent(gone: Callable[[], object]) -> None:
    """Call `gone` when the process that started this one has ended."""
    parent = os.getppid()

    def until_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        gone()

    def until_adopted() -> None:
        while os.getppid() == parent:
            time.sleep(LEASH_SECONDS)
        gone()

    for watch in (until_end_of_input, until_adopted):
        threading.Thread(target=watch, name="kubemq-nb:leash", daemon=True).start()
