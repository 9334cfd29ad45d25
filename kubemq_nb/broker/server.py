"""The broker put together: engine, store and handlers behind one grpc.aio server."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from kubemq_nb._wire import certificates
from kubemq_nb._wire.methods import (
    EVENTS_BATCH,
    EVENTS_IN_BATCHES,
    EVENTS_PAGE,
    PARTS_ARRIVED,
    QUEUE_IN_PARTS,
    REQUESTS_BY_LINE,
    RESPONSES_BY_LINE,
)
from kubemq_nb._wire.serving import common
from kubemq_nb._wire.serving import events as event_wire
from kubemq_nb.broker.engine.channels import Channels
from kubemq_nb.broker.engine.clock import SECOND, Alarm
from kubemq_nb.broker.engine.events import Events
from kubemq_nb.broker.engine.events_store import EventsStore
from kubemq_nb.broker.engine.gathering import Gathering
from kubemq_nb.broker.engine.old_stream import settle_left
from kubemq_nb.broker.engine.plan import Plan
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.requests import Requests
from kubemq_nb.broker.handlers.calls import Context
from kubemq_nb.broker.handlers.channels import ChannelHandlers
from kubemq_nb.broker.handlers.events import EventHandlers
from kubemq_nb.broker.handlers.parts import PartHandlers
from kubemq_nb.broker.handlers.queue_streams import QueueStreamHandlers
from kubemq_nb.broker.handlers.queues import QueueHandlers
from kubemq_nb.broker.handlers.requests import RequestHandlers
from kubemq_nb.broker.handlers.service import Service
from kubemq_nb.broker.handlers.streams import by_line
from kubemq_nb.broker.storage.commits import Committer
from kubemq_nb.broker.storage.sqlite import SqliteStore
from kubemq_nb.rules import MAX_MESSAGE_BYTES, MAX_SENT_BYTES

VERSION = "2.4.0"  # of the server whose wire this is: official SDKs warn about others
GRACE = 0.5  # seconds for calls under way when the broker stops
AHEAD = 4 * 2**20  # bytes of a stream that are read before somebody takes them, beside one message
LOOK = 5.0  # seconds after which the time is looked at again
PATIENCE = 2.0  # seconds for a taken port to become free

OPTIONS = (
    ("grpc.max_receive_message_length", MAX_SENT_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a second broker on the same port is a mistake
    # Clients may ping as often as they like, also while nothing is under way.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    # gRPC would find out by itself how much is worth reading ahead, and keep buffers of that size, 60 MB and
    # more of one connection that sent a large message, until it is closed.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", AHEAD),
)

log = logging.getLogger(__name__)


class LoopClock:
    """The engine's clock on an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """The time in Unix nanoseconds."""
        return time.time_ns()

    def wake_at(self, when: int, call: Callable[[], None]) -> Alarm:
        """Make `call` at `when`, or soon when that is past; up to `LOOK` later if the machine sleeps."""
        left = max(0, when - time.time_ns()) / SECOND
        return self._loop.call_later(left, call) if left <= LOOK else LongAlarm(self, self._loop, when, call)

    def wake_beside(self, when: int, call: Callable[[], None]) -> object:
        """The same by a thread: a loop with an alarm looks at the time whenever it waits.

        Each event of a stream waits: of a fast one that takes a fifth of the time.
        """
        timer = threading.Timer(max(0, when - time.time_ns()) / SECOND, self._call, (call,))
        timer.name, timer.daemon = "kubemq-nb:clock", True
        try:
            timer.start()
        except RuntimeError:  # the system gives this process no more threads
            return self.wake_at(when, call)
        return timer

    def _call(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the broker ends
            self._loop.call_soon_threadsafe(call)


class LongAlarm:
    """A call far ahead: the time is looked at again, as that of a loop stands still while a laptop sleeps."""

    def __init__(
        self, clock: LoopClock, loop: asyncio.AbstractEventLoop, when: int, call: Callable[[], None]
    ) -> None:
        self._wake = partial(clock.wake_at, when, call)
        self._alarm: Alarm = loop.call_later(LOOK, self._look)

    def cancel(self) -> None:
        """Do not make the call."""
        self._alarm.cancel()

    def _look(self) -> None:
        self._alarm = self._wake()


class Access(NamedTuple):
    """Who may connect, and how.

    Attributes:
        token: What clients show in their metadata; None lets everybody in.
        cert: Certificate chain and key (PEM) make the server speak TLS.
        ca: Whose certificates clients must show (PEM); None does not ask for them.
    """

    token: str | None = None
    cert: bytes = b""
    key: bytes = b""
    ca: bytes | None = None


def access(token: str | None, *, cert: Path | None, key: Path | None, ca: Path | None) -> Access:
    """Who may connect, by files that are read and checked.

    Raises:
        ValueError: A file that does not hold what it should, or one without the others that it needs.
    """
    if ca and not cert:
        raise ValueError("--ca asks clients for certificates, which takes TLS: give --cert and --key too.")
    found = certificates.read(ca, cert, key)
    if key and (warning := certificates.exposed(key)):
        log.warning("%s", warning)
    return Access(token, found.cert or b"", found.key or b"", found.ca)


class Broker:
    """A broker on one store; runs on the event loop that made it.

    Args:
        store: The folder of the store.
        quota: The most bytes that the store may have; 0 leaves that to the disk.
        flushed: Whether what is answered is on the disk; see SqliteStore.
    """

    def __init__(self, store: Path, *, quota: int = 0, flushed: bool = True) -> None:
        self._started = time.time_ns()
        loop = asyncio.get_running_loop()
        clock = LoopClock(loop)
        self._committer = Committer(
            lambda: SqliteStore(store, quota=quota, flushed=flushed), loop.call_soon_threadsafe
        )
        content = self._committer.content
        new_channel = count(max((channel.id for channel in content.channels), default=0) + 1).__next__
        commit = self._committer.commit
        self._queues = Queues(clock, commit, new_channel)
        self._gathering = Gathering(self._queues)
        self._events_store = EventsStore(clock, commit, new_channel, event_wire.stamp_event)
        self._events = Events(clock)
        self._requests = Requests(clock, common.new_inbox)
        self._channels = Channels(
            clock,
            commit,
            new_channel,
            queues=self._queues,
            events=self._events,
            events_store=self._events_store,
            requests=self._requests,
        )
        self._channels.restore(content)
        self._queues.restore(content)
        self._events_store.restore(content)
        self._committer.start()
        settle_left(self._queues, content.held)

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """What answers each method."""
        queues = QueueHandlers(self._queues, self._gathering)
        events = EventHandlers(self._events, self._events_store)
        requests = RequestHandlers(self._requests, ChannelHandlers(self._channels, time.time_ns))
        streams = QueueStreamHandlers(self._queues, self._gathering)
        parts = PartHandlers(self._queues)
        return {
            "Ping": self._ping,
            "SendEvent": events.send,
            "SendEventsStream": events.send_stream,
            "SubscribeToEvents": events.subscribe,
            "SendRequest": requests.send,
            "SendResponse": requests.respond,
            "SubscribeToRequests": requests.subscribe,
            "SendQueueMessage": queues.send,
            "SendQueueMessagesBatch": queues.send_batch,
            "ReceiveQueueMessages": queues.receive,
            "AckAllQueueMessages": queues.ack_all,
            "QueuesInfo": queues.info,
            "QueuesUpstream": streams.upstream,
            "StreamQueueMessage": streams.old_stream,
            "QueuesDownstream": streams.downstream,
            EVENTS_PAGE: events.read_page,
            EVENTS_BATCH: events.send_batch,
            EVENTS_IN_BATCHES: events.subscribe_in_batches,
            QUEUE_IN_PARTS: parts.read,
            PARTS_ARRIVED: parts.acknowledge,
            REQUESTS_BY_LINE: by_line(requests.send),
            RESPONSES_BY_LINE: by_line(requests.respond),
        }

    async def close(self) -> None:
        """Store what is under way, what follows from that, and leave the store in order."""
        for _ in range(2):
            carried_out = asyncio.Event()
            self._committer.commit(Plan(done=lambda _, event=carried_out: event.set()))  # type: ignore[misc]
            await carried_out.wait()
        self._committer.close()

    async def _ping(self, data: bytes, _: Context) -> bytes:
        common.read_nothing(data)
        host = socket.gethostname().replace(".", "_")
        host = f"kubemq-{host}" if host[:1].isdigit() else host
        uptime = time.time_ns() - self._started
        return common.ping_result(host, VERSION, self._started // SECOND, uptime // SECOND)


async def listen(broker: Broker, address: str, access: Access) -> tuple[grpc.aio.Server, int]:
    """Open the port; returns the server and the port it got."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((Service(broker.handlers(), access.token),))
    try:
        port = await patiently_add_port(server, address, access)
    except RuntimeError as error:
        raise RuntimeError(
            f"cannot listen on {address}: is the port taken, or the address not here?"
        ) from error
    await server.start()
    return server, port


async def patiently_add_port(server: grpc.aio.Server, address: str, access: Access) -> int:
    """Bind the address; a port that is taken gets a moment to become free.

    A broker that starts again wants the port it had, and until it has it the system may lend the port to
    somebody's outgoing connection.
    """
    clock = asyncio.get_running_loop()
    until = clock.time() + PATIENCE
    while True:
        try:
            return add_port(server, address, access)
        except RuntimeError:
            if clock.time() > until:
                raise
        await asyncio.sleep(0.2)


def add_port(server: grpc.aio.Server, address: str, access: Access) -> int:
    """Bind the address, with TLS if there is a certificate; returns the port."""
    if not access.cert:
        return server.add_insecure_port(address)
    credentials = grpc.ssl_server_credentials(
        [(access.key, access.cert)], access.ca, require_client_auth=access.ca is not None
    )
    return server.add_secure_port(address, credentials)
