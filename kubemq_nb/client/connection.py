"""The connection to a broker: address, token, TLS, deadlines, close."""

import math
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

import grpc

from kubemq_nb._wire import codec, queue_requests, status
from kubemq_nb._wire.address import parse_address
from kubemq_nb._wire.certificates import PemFile
from kubemq_nb._wire.stub import NOTHING, Stub, TwoWay
from kubemq_nb.client.calls import (
    Cancellation,
    Conversation,
    LineStream,
    PayloadStream,
    Pending,
    Workers,
    single,
)
from kubemq_nb.client.grpc_channels import GrpcChannels, credentials_of, options_for
from kubemq_nb.client.line import Line
from kubemq_nb.client.tokens import Metadata, Token
from kubemq_nb.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    KubeMQError,
    NotSupported,
    OutcomeUnknown,
    SessionClosed,
)
from kubemq_nb.messages import ServerInfo

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

PACE = 2_000_000  # bytes a second with which a large message has to be content
PROMPT = 1.0  # seconds in which a broker of ours says that it is one
KEEPALIVE = 310.0  # seconds; a real server ends connections that ask more often than every 5 minutes
FORKS = os.environ.get("GRPC_ENABLE_FORK_SUPPORT", "").lower()
ON = {"1", "true", "yes"}  # values of it with which gRPC itself clears up in a fork


class Closeable(Protocol):
    """Something that lives on a connection and ends with it."""

    @property
    def is_open(self) -> bool:
        """Whether its stream is there."""

    def close(self) -> object:
        """End it."""


class Connection:
    """One connection to one broker, shared by the clients of all patterns and by any number of threads.

    Nothing is sent before the first call. `ca`, `cert` and `key` are paths of PEM files; `ca` alone is TLS,
    all three mutual TLS; `tls` without `ca` trusts whom this system trusts. `server_name` is what the
    server's certificate is for, where it is not the host of the address. `timeout` (seconds) bounds every
    call beyond the wait that the call itself asks for. `keepalive` (seconds): how often a silent connection
    is tried; the embedded broker may be asked often.

    Raises:
        ValueError: An address that is not `host:port`, or a certificate or token that cannot be used.
        AuthenticationFailed: A token would travel in clear to another machine and `insecure` is not set.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | Token | None = None,
        tls: bool = False,
        ca: PemFile | None = None,
        cert: PemFile | None = None,
        key: PemFile | None = None,
        server_name: str | None = None,
        insecure: bool = False,
        timeout: float = 5.0,
        keepalive: float = KEEPALIVE,
    ) -> None:
        parsed = parse_address(address)
        credentials = credentials_of(ca, cert, key) if tls or ca or cert or key else None
        if server_name and not credentials:
            raise ValueError("A server name is for TLS: give --tls or --ca.")
        self._token = token if isinstance(token, Token) else Token(lambda: token)
        if self._token and not (credentials or parsed.loopback or insecure):
            raise AuthenticationFailed(
                f"The token would travel in clear to {address}. Nothing was sent."
                " Give --tls, or --ca for an authority of your own, or --insecure if you mean it."
            )
        self.address = address
        self.timeout = timeout
        self._tls = {
            "tls": credentials is not None,
            "authority": ca is not None,
            "certificate": cert is not None,
        }
        # Calls of our own broker, until a server says that it does not know them.
        self.has_pages = self.has_batches = self.has_parts = self.has_lines = True
        options = options_for(parsed, keepalive)
        if server_name:
            options.append(("grpc.ssl_target_name_override", server_name))
        self._open = partial(GrpcChannels, parsed.target, credentials, options)
        self._former: list[GrpcChannels] = []  # of the process that this one was forked from
        self._closed = False
        self._begin()
        _connections.add(self)

    def __repr__(self) -> str:
        return f"<Connection {self.address}{' closed' if self._closed else ''}>"

    def _begin(self) -> None:
        """Begin without a connection, stream or thread."""
        self.workers = Workers()
        self._opened: GrpcChannels | None = None
        self._lock = threading.Lock()
        self._streams: WeakSet[Closeable] = WeakSet()
        self._lines: defaultdict[str, Line[Any, Any]] = defaultdict(Line)

    @property
    def busy(self) -> bool:
        """Whether a stream of it is open, or a call waits."""
        lines = any(line.busy for line in list(self._lines.values()))
        return lines or self.workers.busy or any(stream.is_open for stream in self._streams)

    def hang_up(self) -> None:
        """Before a fork: end the streams that only wait for a next call."""
        for line in list(self._lines.values()):
            line.hang_up()

    def leave_to_parent(self) -> None:
        """In a fork: begin anew. Two processes break a connection that they share; threads stay behind."""
        if self._opened:
            if FORKS in ON:
                self._opened.forget_waits()
            self._former.append(self._opened)  # gRPC would close it otherwise
        self._begin()

    @property
    def stub(self) -> Stub:
        """The calls; opens the connections, which connect when they are used."""
        return self._opened.stub if self._opened else self._open_once()

    def _open_once(self) -> Stub:
        with self._lock:
            self._require_open()
            self._opened = self._opened or self._open()
            _hang_up_before_forks()
            return self._opened.stub

    def connect(self) -> ServerInfo:
        """Reach the broker and try the token, within `timeout` each."""
        server = self.ping()
        self._try_token()  # ping needs none
        return server

    def ping(self) -> ServerInfo:
        """Ask the broker who it is; no token is needed for that."""
        attempt = self.attempt("the ping")
        try:
            with self.guarded(attempt):
                answer = _given(self.stub.ping(NOTHING, timeout=attempt.timeout), attempt)
        except DeadlineExceeded:
            raise status.nobody_there(status.tried_for(attempt.timeout), attempt) from None
        return codec.decode_ping(answer, address=self.address)

    def reach(self) -> None:
        """Find a broker that was started again, by both connections.

        They wait for it, because in older gRPC a connection is made only while a call waits for it, or every
        5 seconds.
        """
        self._wait_for(self.stub.ping, self.stub.ping_waits)

    def reach_waits(self) -> None:
        """Find it by the connection of calls that wait, which is another one than that of a ping."""
        self._wait_for(self.stub.ping_waits)

    def _wait_for(self, *pings: Callable[..., object]) -> None:
        attempt = self.attempt("the ping")
        for ping in pings:
            with self.guarded(attempt):
                ping(NOTHING, timeout=attempt.timeout, wait_for_ready=True)

    @contextmanager
    def knocking(self, seconds: float, opened: Callable[[], None]) -> Iterator[None]:
        """Look for the broker while this block lasts, at most so long; calls `opened` when it is there.

        A call that waits makes gRPC try to connect as often as it may.
        """
        with self.guarded(self.attempt("the ping")):
            knock = self.stub.ping.future(NOTHING, timeout=seconds, wait_for_ready=True)
        knock.add_done_callback(lambda ended: None if ended.cancelled() or ended.exception() else opened())
        try:
            yield
        finally:
            knock.cancel()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """End every call and stream, each whatever becomes of the others; later use raises SessionClosed.

        Closing again ends what an interrupt has left.
        """
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        with ExitStack() as ends:  # the last one first
            if self._opened:
                ends.callback(self._opened.close)
            ends.callback(self.workers.close)
            for stream in streams:
                ends.callback(stream.close)

    # For the clients of the patterns:

    def attempt(
        self,
        what: str,
        *,
        channel: str | None = None,
        wait: float = 0.0,
        effect: bool = False,
        size: int = 0,
    ) -> status.Attempt:
        """Name one call for its errors; its deadline is `wait`, the timeout, and what `size` bytes take."""
        return status.Attempt(
            what=what,
            address=self.address,
            channel=channel,
            timeout=wait + self.timeout + size // PACE,
            wait=wait,
            effect=effect,
            token=self._token.words,
            **self._tls,
        )

    @contextmanager
    def guarded(self, attempt: status.Attempt) -> Iterator[None]:
        """Let only this package's errors out; those of a closed one are SessionClosed."""
        self._require_open()
        try:
            with status.translated(attempt):
                yield
        except OutcomeUnknown:
            raise
        except (KubeMQError, ValueError):
            self._require_open()
            raise

    def call(self, method: "grpc.UnaryUnaryMultiCallable[Q, A]", request: Q, attempt: status.Attempt) -> A:
        """Make a short call; it blocks until its deadline."""
        with self.guarded(attempt):
            answer = self._let_in(lambda shown: method(request, timeout=attempt.timeout, metadata=shown))
        return _given(answer, attempt)

    def start(
        self, method: "grpc.UnaryUnaryMultiCallable[Q, A]", request: Q, attempt: status.Attempt
    ) -> Pending[A]:
        """Make a call and go on; `finish` has its answer."""
        with self.guarded(attempt):
            return Pending(method.future(request, timeout=attempt.timeout, metadata=self.entry()))

    def finish(self, pending: Pending[A], attempt: status.Attempt) -> A:
        """The answer of a call that was started; in a worker only."""
        with self.guarded(attempt):
            answer = pending.result()
        return _given(answer, attempt)

    def wait_for(
        self,
        method: "grpc.UnaryStreamMultiCallable[Q, bytes]",
        request: Q,
        attempt: status.Attempt,
        cancellation: Cancellation,
    ) -> bytes:
        """Make a unary call that takes its time; in a worker only."""

        def make(shown: Metadata) -> bytes | None:
            return single(cancellation.attach(method(request, timeout=attempt.timeout, metadata=shown)))

        with self.guarded(attempt):
            answer = self._let_in(make)
        return _given(answer, attempt)

    def read_parts(
        self,
        method: "grpc.UnaryStreamMultiCallable[Q, bytes]",
        request: Q,
        attempt: status.Attempt,
        cancellation: Cancellation,
        take: Callable[[bytes], bool],
    ) -> PayloadStream[bytes]:
        """Make a call that is answered in parts, until `take` says that it got the last; in a worker only.

        Gives the stream, which is still open then, and has to be read out.
        """

        def make(shown: Metadata) -> PayloadStream[bytes] | None:
            stream = cancellation.attach(method(request, timeout=attempt.timeout, metadata=shown))
            try:
                return stream if any(map(take, stream)) else None
            except BaseException:
                stream.cancel()
                raise

        with self.guarded(attempt):
            stream = self._let_in(make)
        return _given(stream, attempt)

    def converse(
        self,
        method: TwoWay[Q, A],
        *,
        kind: str,
        channel: str,
        on_end: Callable[[], None] | None = None,
    ) -> Conversation[Q, A]:
        """Open a two-way stream; `on_end` is called from its thread when it has ended."""
        self._require_open()
        return Conversation(method, metadata=self.entry(), name=_thread(kind, channel), on_end=on_end)

    def answer(self, conversation: Conversation[Q, A], attempt: status.Attempt) -> A:
        """The next answer of a two-way stream."""
        return _given(self.answer_or_end(conversation, attempt), attempt)

    def answer_or_end(self, conversation: Conversation[Q, A], attempt: status.Attempt) -> A | None:
        """The next answer of a two-way stream; None when it has ended as it should."""
        with self.guarded(attempt):
            try:
                return conversation.receive(attempt.timeout)
            except TimeoutError:
                raise status.too_late(attempt) from None

    def call_by_line(self, kind: str, method: TwoWay[Q, A], request: Q, attempt: status.Attempt) -> A | None:
        """Make a call by the line of its kind; None when it has to be made by itself, and nothing was sent.

        An interrupt ends it at once.
        """
        if not self.has_lines:
            return None
        with self._lock:
            line = self._lines[kind]

        def open() -> LineStream[Q, A] | None:
            return LineStream(method, metadata=self.entry()) if self.is_ours(PROMPT) else None

        try:
            with self.guarded(attempt):
                try:
                    return line.call(request, timeout=attempt.timeout, open=open)
                except KubeMQError:  # the line could not be opened, so that nothing was sent
                    raise
                except TimeoutError:
                    raise status.too_late(attempt) from None
                except EOFError:
                    raise status.broken(attempt) from None
        except NotSupported:
            self.has_lines = False
            return None

    def run(self, work: Callable[[Cancellation], T], *, kind: str, channel: str) -> T:
        """Do what waits in a worker thread, named for what it does."""
        self._require_open()
        return self.workers.run(work, name=_thread(kind, channel))

    def adopt(self, stream: Closeable) -> None:
        """Close this stream with the connection."""
        with self._lock:
            self._require_open()
            self._streams.add(stream)

    def entry(self) -> Metadata:
        """What a stream shows to be let in.

        A stream that is refused cannot be begun anew, so while another token is there than the one in use, a
        call that can be tells which of them counts.
        """
        if self._token.changed():
            self._try_token()
        return self._token.metadata

    def is_ours(self, within: float = math.inf) -> bool:
        """Whether a broker of ours answers; found out each time, as another may have come to this address.

        One that does not answer at all, or not within so many seconds, is told of by what is tried then.
        """
        if not self.has_batches:
            return False
        nothing = codec.encode_batch([], id="")
        try:
            attempt = self.attempt("the connection")
            attempt = attempt._replace(timeout=min(within, attempt.timeout))
            self.call(self.stub.send_events_batch, nothing, attempt)
        except NotSupported:
            self.has_batches = False
        except KubeMQError:
            return False
        return self.has_batches

    def _try_token(self) -> None:
        question = queue_requests.info("kubemq-nb")  # an answer does not matter
        with suppress(NotSupported):
            self.call(self.stub.queues_info, question, self.attempt("the connection"))

    def _let_in(self, make: Callable[[Metadata], A]) -> A:
        """Make a call, and once more if its token was refused and there is a newer one: nothing was done."""
        shown = self._token.metadata
        try:
            return make(shown)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not self._token.renewed(shown):
                raise
        return make(self._token.metadata)

    def _require_open(self) -> None:
        if _spoiled:
            raise SessionClosed(
                f"This process was forked {_spoiled}, and gRPC does not survive that."
                " Start it by multiprocessing's spawn instead."
            )
        if self._closed:
            raise SessionClosed(
                f"The session on {self.address} is closed. Connect again with `%kubemq connect`."
            )


def _given(answer: A | None, attempt: status.Attempt) -> A:
    """The answer; a server or a proxy may end a call well and without one, and gRPC then gives None."""
    if answer is None:
        raise status.broken(attempt)
    return answer


def _thread(kind: str, channel: str) -> str:
    return f"kubemq-nb:{kind}:{channel}"


_connections: "WeakSet[Connection]" = WeakSet()
_spoiled = ""  # when this process was forked, if gRPC cannot be used in it


@cache
def _hang_up_before_forks() -> None:
    """Registered behind what gRPC registers with its first channel: of such the last one comes first."""
    os.register_at_fork(before=_before_fork)


def _before_fork() -> None:
    for connection in list(_connections):
        connection.hang_up()


def _in_fork() -> None:
    global _spoiled  # noqa: PLW0603  gRPC's state is the whole process's
    if FORKS and FORKS not in ON:
        _spoiled = "where GRPC_ENABLE_FORK_SUPPORT is off"
    for connection in list(_connections):
        if connection.busy:  # a thread of the parent may have been within gRPC
            _spoiled = "while its parent had a feed, responder, transaction or waiting call open"
        connection.leave_to_parent()


os.register_at_fork(after_in_child=_in_fork)
