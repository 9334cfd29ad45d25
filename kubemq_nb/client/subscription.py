"""A live stream from the broker: a reader thread, a bounded buffer, reconnects."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from kubemq_nb._wire import codec
from kubemq_nb.client.calls import PayloadStream
from kubemq_nb.client.connection import Connection
from kubemq_nb.errors import (
    AuthenticationFailed,
    KubeMQError,
    NotSupported,
    RequestRejected,
    SessionClosed,
    SubscriptionLost,
)

logger = logging.getLogger(__name__)

StreamState = Literal["connecting", "live", "reconnecting", "failed", "closed"]

SETTLE = 0.3  # seconds; a real server says nothing when a subscription stands, and refuses within 0.05
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts; each is twice the one before
DOUBLINGS = 10  # of a pause, more than it takes to the longest one: an outage may last for days
UNREAD = 2**28  # bytes of payloads that wait for a slow reader, however many they are


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What happened to a subscription's stream."""

    state: StreamState
    attempt: int = 0  # of reconnecting, from 1
    pause: float = 0.0  # seconds until the next attempt
    note: str = ""  # a sentence: why it is down, or what the gap means now that it is live again
    after: int | None = None  # events store: live again after this sequence
    missed: int = 0  # events that the broker dropped, as they were read too slowly; the stream goes on


OnState = Callable[[StateChange], None]


class Source(Protocol):
    """What a subscription reads: how to open its stream, and what a break in it means."""

    @property
    def kind(self) -> str:
        """Names the thread."""

    @property
    def channel(self) -> str:
        """What is read."""

    @property
    def what(self) -> str:
        """Its name in errors: "the subscription to orders"."""

    def open(self, last: bytes | None, *, ours: bool) -> PayloadStream[list[bytes]]:
        """Open the stream, after the payload that was last received; `ours`: of a broker of ours."""

    def resumed(self, last: bytes | None) -> StateChange:
        """What a gap after this payload means."""


class Subscription:
    """Payloads of one subscription as wire bytes, in order of arrival.

    At most `keep`, and 256 MiB of them, wait for the reader; beyond, the oldest is dropped and counted, or
    the broker is kept waiting where the stream is `patient`. It is
    an iterator (ends when closed), a context manager, and can be read with `next`. A broken connection is
    made again until `close`.

    Attributes:
        received: Payloads that arrived.
        dropped: Of those, how many were pushed out unread.
        missed: Events that the broker dropped before, as far as it tells.
        reconnects: Streams made again.
        error: What ended it for good, or None.
        state: `live` from the moment the constructor returns.
    """

    def __init__(
        self,
        connection: Connection,
        source: Source,
        *,
        keep: int,
        patient: bool = False,
        on_state: OnState | None = None,
    ) -> None:
        self.received = 0
        self.dropped = 0
        self.missed = 0
        self.reconnects = 0
        self.error: KubeMQError | None = None
        self.state: StreamState = "connecting"
        self._connection = connection
        self._source = source
        self._on_state = on_state
        self._attempt = connection.attempt(source.what, channel=source.channel)
        self._keep = keep
        self._patient = patient
        self._buffer: deque[bytes] = deque()
        self._unread = 0  # bytes in the buffer
        self._arrived = threading.Condition()
        self._turn = threading.Lock()  # of what changes the state, on the reader's thread or a timer's
        self._settled = threading.Event()
        self._closing = threading.Event()
        self._hurry = threading.Event()
        self._absent = False  # nobody answered the last attempt
        self._call: PayloadStream[list[bytes]] | None = None
        self._last: bytes | None = None
        connection.adopt(self)
        name = f"kubemq-nb:{source.kind}:{source.channel}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._wait_until_live()

    def __repr__(self) -> str:
        counts = f"received={self.received}, dropped={self.dropped}"
        return f"<Subscription {self._source.channel} {self.state}, {counts}>"

    def next(self, timeout: float | None = None) -> bytes | None:
        """The next payload; None when none came within `timeout` seconds (None: no bound) or after `close`.

        Raises:
            KubeMQError: What ended the stream for good, once the buffer is empty.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._buffer or self._over, timeout)
            if self._buffer:
                self._make_room()
                return self._taken()
        if self.error:
            raise self.error
        return None

    def drain(self) -> list[bytes]:
        """All payloads waiting now, without waiting for more."""
        with self._arrived:
            payloads = list(self._buffer)
            self._buffer.clear()
            self._unread = 0
            self._make_room()
        return payloads

    def __iter__(self) -> Iterator[bytes]:
        while (payload := self.next()) is not None:
            yield payload

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def retry(self) -> None:
        """While it reconnects: make the next attempt now."""
        self._hurry.set()

    def close(self) -> None:
        """End the stream and its thread; nothing arrives after it returns. Closing again does nothing."""
        self._cancel()
        self._hurry.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(1.0)

    def _cancel(self) -> None:
        self._closing.set()
        with self._arrived:
            self._make_room()
        if call := self._call:
            call.cancel()

    @property
    def is_open(self) -> bool:
        """Whether it reads, or tries to."""
        return not self._over

    @property
    def _over(self) -> bool:
        return self.state in ("failed", "closed")

    def _wait_until_live(self) -> None:
        try:
            self._settled.wait()  # each step of the thread has a deadline
        except BaseException:
            self._cancel()  # without waiting: the thread may be in a call that nobody can end
            raise
        if self.error:
            raise self.error

    def _run(self) -> None:
        """The edge of the thread: whatever ends it, nobody waits for it any more."""
        try:
            self._follow()
        except Exception as error:
            logger.exception("reading %s broke off", self._source.channel)
            told = f"Reading {self._source.what} broke off: {type(error).__name__}: {error}"
            self.error = SubscriptionLost(told, channel=self._source.channel)
        finally:
            self._settled.set()
            self._last = None
        self._change(StateChange(state="failed" if self.error else "closed", note=str(self.error or "")))

    def _follow(self) -> None:
        """Read until closed, over as many streams as it takes."""
        attempt = 0
        while not self._closing.is_set():
            received = self.received
            error = self._read()
            attempt = 1 if self.received > received else attempt + 1
            if self._closing.is_set() or self._connection.closed:
                break
            if self._is_final(error):
                self.error = error
                break
            pause = self._pause_after(attempt)
            with self._turn:
                self._change(StateChange(state="reconnecting", attempt=attempt, pause=pause, note=str(error)))
            self._rest(pause)

    def _pause_after(self, attempt: int) -> float:
        """Seconds until the next attempt, at most."""
        if self._absent:
            return LONGEST_PAUSE
        doubled: float = FIRST_PAUSE * 2 ** min(attempt - 1, DOUBLINGS)
        return min(doubled, LONGEST_PAUSE)

    def _rest(self, pause: float) -> None:
        """Wait before the next attempt; where nobody was there, only until somebody is."""
        # Python 3.12.1 starts no thread as it ends: `close` would wait for the one that gRPC gives a knock.
        if self._absent and threading.main_thread().is_alive():
            # A connection that was closed meanwhile is seen by who called this.
            with suppress(SessionClosed), self._connection.knocking(pause, self._hurry.set):
                self._hurry.wait(pause)
        else:
            self._hurry.wait(pause)
        self._hurry.clear()

    def _read(self) -> KubeMQError:
        """Read one stream to its end; why it ended."""
        try:
            self._absent = True
            self._connection.ping()
            self._absent = False
            ours = self._connection.is_ours()
            with self._connection.guarded(self._attempt):
                self._call = call = self._source.open(self._last, ours=ours)
                if self._closing.is_set():
                    call.cancel()
                with self._standing_after(self._attempt.timeout if ours else SETTLE):
                    call.initial_metadata()  # from our broker it comes at once, from others with a payload
                if call.is_active():
                    self._stands()
                for payloads in call:
                    self._append(payloads)
        except KubeMQError as error:
            return error
        return SubscriptionLost(f"The broker ended {self._source.what}.", channel=self._source.channel)

    @contextmanager
    def _standing_after(self, seconds: float) -> Iterator[None]:
        standing = threading.Timer(seconds, self._stands)
        standing.daemon = True
        standing.start()
        try:
            yield
        finally:
            standing.cancel()

    def _stands(self) -> None:
        """The stream is up, by its headers or because nobody refused it."""
        with self._turn:
            call = self._call
            if self._closing.is_set() or not call or not call.is_active():
                return
            if self.state == "reconnecting":
                self.reconnects += 1
                self._change(self._source.resumed(self._last))
            elif self.state == "connecting":
                self.state = "live"
        self._settled.set()

    def _append(self, payloads: list[bytes]) -> None:
        if self.state != "live":
            self._stands()
        if missed := sum(map(codec.events_missed, payloads)):
            self.missed += missed
            self._change(StateChange(state="live", missed=missed))
        with self._arrived:
            for payload in payloads:
                self._keep_one(payload)
            self._arrived.notify(len(payloads))

    def _keep_one(self, payload: bytes) -> None:
        if self._patient and self._is_full:
            self._arrived.notify_all()
            self._arrived.wait_for(lambda: not self._is_full or self._closing.is_set())
        if self._closing.is_set():
            return
        self._last = payload
        self.received += 1
        self._buffer.append(payload)
        self._unread += len(payload)
        while not self._patient and len(self._buffer) > 1 and self._is_beyond:
            self._taken()
            self.dropped += 1

    @property
    def _is_full(self) -> bool:
        return len(self._buffer) >= self._keep or self._unread >= UNREAD

    @property
    def _is_beyond(self) -> bool:
        return len(self._buffer) > self._keep or self._unread > UNREAD

    def _make_room(self) -> None:
        """Let a patient stream go on; the lock is held."""
        if self._patient:
            self._arrived.notify_all()

    def _taken(self) -> bytes:
        payload = self._buffer.popleft()
        self._unread -= len(payload)
        return payload

    def _change(self, change: StateChange) -> None:
        with self._arrived:
            self.state = change.state
            self._arrived.notify_all()
        if self._on_state:
            self._on_state(change)

    def _is_final(self, error: KubeMQError) -> bool:
        """Whether trying again is useless; a server may not have noticed the last stream's end yet."""
        if self.state == "connecting":
            return True
        if "already registered" in error.reason:
            return False
        return isinstance(error, RequestRejected | AuthenticationFailed | NotSupported)
