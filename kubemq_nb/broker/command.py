"""The command line of the broker: run one in the foreground until it is told to stop."""

import argparse
import asyncio
import contextlib
import gc
import ipaddress
import json
import logging
import os
import secrets
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

from kubemq_nb._wire.address import parse_address
from kubemq_nb.broker import known, launcher, shared
from kubemq_nb.broker.shared import TOKEN_NAME, Runtime
from kubemq_nb.visible import clean, line

LOOK_SECONDS = 1.0  # how often the parent, or the sessions of a shared store, are looked for
LINGER_SECONDS = 3.0  # how long a shared broker waits for another session

log = logging.getLogger("kubemq_nb.broker")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command understands."""
    parser.add_argument(
        "--address",
        default="127.0.0.1:0",
        type=address,
        metavar="HOST:PORT",
        help="where to listen; port 0: any",
    )
    parser.add_argument(
        "--store",
        required=True,
        type=store,
        metavar="STORE",
        help="where messages are kept: a name, or a path",
    )
    parser.add_argument("--no-auth", action="store_true", help="let everybody in who reaches the address")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="where the token is, or is put")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="certificate chain (PEM): speak TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="ask clients for a certificate signed by this"
    )
    parser.add_argument(
        "--quota",
        type=int,
        default=0,
        metavar="MB",
        help="how large the store may become; 0: as the disk allows",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="make a sound store of a damaged one, keep the damaged files, and end",
    )
    # For the launcher: end with the process that started this one, and remove the store; or end when no
    # session uses the store any more.
    parser.add_argument("--leash", type=int, metavar="PID", help=argparse.SUPPRESS)
    parser.add_argument("--until-left", action="store_true", help=argparse.SUPPRESS)


def store(text: str) -> Path:
    """The folder of a store, by its name or path, as sessions take it.

    Raises:
        ArgumentTypeError: It is neither.
    """
    try:
        return launcher.store_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def address(text: str) -> str:
    """An address as clients take it, or port 0.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        parse_address(text, any_port=True)
    except ValueError as error:
        told = str(error).removesuffix(" Nothing was sent.")
        raise argparse.ArgumentTypeError(told.removesuffix(".")) from None
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a broker; returns the exit status."""
    parser = argparse.ArgumentParser(prog="kubemq-nb broker", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run a broker as the options say; returns the exit status."""
    if options.until_left and os.fork():
        os._exit(0)  # the child of the launcher ends, the broker is nobody's child
    try:
        shared.make_folder(options.store)
        keep_log(options)
    except OSError as error:  # there is no log yet
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        with only_broker(options.store) as lock:
            if options.repair:
                tell_repair(options.store)
                return 0
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what fails is said once, by us, in one line
            asyncio.run(serve(options, lock))
    except Exception as error:  # the last edge: whoever started the broker reads this line
        log.exception("the broker ends")
        sys.stderr.write(f"{error}\n")
        return 1
    if options.leash and not options.parent_lives:
        shutil.rmtree(options.store, ignore_errors=True)
    return 0


class Visible(logging.Formatter):
    """Each record on one line, its traceback below: what others sent begins no line and moves no cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's
        """The line."""
        return line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The line and the traceback."""
        return clean(super().format(record))


def keep_log(options: argparse.Namespace) -> None:
    """Log into the store; warnings also go to whoever started the broker by hand."""
    handlers: list[logging.Handler] = [
        logging.StreamHandler(TextIOWrapper(shared.open_log(options.store), encoding="utf-8"))
    ]
    handlers[0].setFormatter(Visible("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    if not (options.leash or options.until_left):
        handlers.append(logging.StreamHandler())
        handlers[1].setFormatter(Visible("%(levelname)s: %(message)s"))
        handlers[1].setLevel(logging.WARNING)
        handlers[1].addFilter(lambda record: not record.exc_info)  # tracebacks are for the log
    logging.basicConfig(level=logging.INFO, handlers=handlers)


@contextlib.contextmanager
def only_broker(store: Path) -> Iterator[int]:
    """Hold the store, or say who does; gives the lock."""
    descriptor = shared.take_lock(store / shared.LOCK_NAME)
    if descriptor is None:
        other = shared.read_runtime(store)
        who = f"process {other.pid} at {other.address}" if other else "another process"
        raise RuntimeError(f"the store {store} has a broker already: {who}; connect to that one")
    try:
        yield descriptor
    finally:
        if holds(store, descriptor):
            (store / shared.RUNTIME_NAME).unlink(missing_ok=True)
        os.close(descriptor)


def holds(store: Path, lock: int) -> bool:
    """Whether this lock is that of the store, and not of one that was removed from there."""
    try:
        return os.path.samestat(os.fstat(lock), (store / shared.LOCK_NAME).stat())
    except (FileNotFoundError, NotADirectoryError):
        return False


def tell_repair(store: Path) -> None:
    """Repair a store and say what became of it."""
    from kubemq_nb.broker.storage.repair import repair  # noqa: PLC0415  (the launcher's side needs no store)

    for sentence in repair(store):
        log.info("repair: %s", sentence)
        sys.stdout.write(f"{sentence}\n")


async def serve(options: argparse.Namespace, lock: int) -> None:
    """Serve until told to stop."""
    from kubemq_nb.broker.server import GRACE, Broker, access, listen  # noqa: PLC0415  (help needs no gRPC)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    token_file = None if options.no_auth else options.token_file or options.store / TOKEN_NAME
    token = None if token_file is None else token_in(token_file)
    allowed = access(token, cert=options.cert, key=options.key, ca=options.ca)
    warn_in_clear(options)
    # The store of a private broker is removed with it: nobody could read what a flush would save.
    broker = Broker(options.store, quota=options.quota * 1024 * 1024, flushed=not options.leash)
    # A batch makes thousands of tuples, none in a cycle: looking for cycles every 700 costs an eighth of it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    server, port = await listen(broker, options.address, allowed)
    runtime = say_ready(options, port, token_file)
    watch(options, lock, lambda: loop.call_soon_threadsafe(stop.set))
    await stop.wait()
    # gRPC reports each stream that a stop cancels as if it had failed.
    logging.getLogger("grpc._cython.cygrpc").setLevel(logging.CRITICAL)
    await server.stop(GRACE)
    await broker.close()
    known.forget(runtime)


def warn_in_clear(options: argparse.Namespace) -> None:
    """Say what it means to be reached from other machines without TLS."""
    host = options.address.rpartition(":")[0].strip("[]")
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return
    if not options.cert:
        log.warning("whatever is sent to %s can be read on the way; --cert and --key end that", host)
    if options.no_auth and not options.ca:
        log.warning("everybody who reaches %s is let in", host)


def say_ready(options: argparse.Namespace, port: int, token_file: Path | None) -> Runtime:
    """Say where the broker is: in files for later comers, and in one line for whoever started it."""
    runtime = Runtime(
        address=f"{options.address.rpartition(':')[0]}:{port}",
        pid=os.getpid(),
        started=shared.start_of(os.getpid()) or "",
        store=str(options.store.absolute()),
        token_file=None if token_file is None else str(token_file.absolute()),
    )
    shared.write_runtime(options.store, runtime)
    if not options.leash:  # a private one is for whoever started it
        known.tell(runtime)
    sys.stdout.write(json.dumps(runtime._asdict()) + "\n")
    sys.stdout.flush()
    log.info("listening on %s", runtime.address)
    return runtime


def token_in(path: Path) -> str:
    """The token in a file; a file that does not exist is made, readable by its owner only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileExistsError), os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(secrets.token_hex(16))
    if path.is_symlink():
        raise RuntimeError(f"the token file {path} is a link, which somebody else may have put there")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
        if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            log.warning("%s can be read by others on this machine; `chmod 600 %s` keeps it yours", path, path)
        token = file.read().strip()
    if not token:
        raise RuntimeError(f"the token file {path} is empty: remove it, and a new one is made")
    return token


def watch(options: argparse.Namespace, lock: int, stop: Callable[[], object]) -> None:
    """Call `stop` when nobody needs the broker any more, or nobody can find it."""

    def in_thread(wait: Callable[[], object], *, parent_lives: bool = False) -> None:
        def until_over() -> None:
            try:
                wait()
            finally:  # nobody else would end this process
                options.parent_lives = options.parent_lives and parent_lives
                stop()

        threading.Thread(target=until_over, name="kubemq-nb:watch", daemon=True).start()

    options.parent_lives = True
    in_thread(lambda: until_removed(options.store, lock), parent_lives=True)
    if options.leash:
        in_thread(until_end_of_input)
        in_thread(lambda: until_adopted(options.leash))
    if options.until_left:
        in_thread(lambda: until_left(options.store))


def until_removed(store: Path, lock: int) -> None:
    """Wait until the folder of the store is gone: what is sent from then on could not be kept."""
    while holds(store, lock):
        time.sleep(LOOK_SECONDS)
    log.error("the store %s was removed: its broker ends", store)


def until_end_of_input() -> None:
    """Wait until the process that started this one has closed its end, or ended."""
    while os.read(0, 4096):
        pass


def until_adopted(parent: int) -> None:
    """Wait until the parent has ended: a child of the parent's may hold its end of the input open."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)


def until_left(store: Path) -> int:
    """Wait until no session has used the store for some seconds.

    Returns:
        The lock under which brokers are started and joined. It is kept to the end of this process: who comes
        from now on waits for that, and does not join a broker that is about to go.
    """
    while True:
        left_since = None
        while left_since is None or time.monotonic() - left_since < LINGER_SECONDS:
            left_since = None if is_used(store) else left_since or time.monotonic()
            time.sleep(LOOK_SECONDS)
        with contextlib.suppress(OSError):  # somebody else has it, or no more files may be opened
            lock = shared.launch_lock(store)
            if not is_used(store):
                return lock
            os.close(lock)


def is_used(store: Path) -> bool:
    """Whether a session uses the store; where nobody can tell now, one may."""
    try:
        return bool(shared.users(store))
    except FileNotFoundError:
        return False
    except OSError:  # no more files may be opened, say
        return True
