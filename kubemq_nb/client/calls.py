"""Calls that wait: made in daemon threads, so that an interrupt is answered at once and really cancels."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar, cast

import grpc

from kubemq_nb._wire.stub import TwoWay

MOST_UNSENT = 1000  # requests of a stream that wait to leave

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")
P_co = TypeVar("P_co", covariant=True)


class Cancellable(Protocol):
    """A call, a stream, anything that another thread can end."""

    def cancel(self) -> object:
        """End it."""


class PayloadStream(Protocol[P_co]):
    """A stream from the broker, of payloads or of lists of them."""

    def cancel(self) -> object:
        """End it; the reader meets an error."""

    def initial_metadata(self) -> object:
        """Wait for the headers. Never on a single-threaded stream."""

    def is_active(self) -> bool:
        """Whether it has not ended."""

    def __iter__(self) -> Iterator[P_co]: ...

    def __next__(self) -> P_co: ...


C = TypeVar("C", bound=Cancellable)


class Cancelled(Exception):
    """The thread that waits for this work has gone."""


class Cancellation:
    """Lets the thread that waits end the calls of its worker, until the worker says that it is too late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Cancellable] = []
        self._cancelled = False
        self._final = False

    def attach(self, call: C) -> C:
        """End this call too when the work is cancelled."""
        with self._lock:
            self._calls.append(call)
            cancelled = self._cancelled
        if cancelled:
            call.cancel()
        return call

    def commit(self) -> None:
        """Go on to the end from here whatever happens: stopping half way would lose something.

        Raises:
            Cancelled: It was cancelled before.
        """
        with self._lock:
            if self._cancelled:
                raise Cancelled
            self._final = True

    def cancel(self) -> bool:
        """End the calls; False when it is too late for that."""
        with self._lock:
            if self._final:
                return False
            self._cancelled = True
            calls = list(self._calls)
        for call in calls:
            call.cancel()
        return True


class Workers:
    """Daemon threads that wait in the caller's place; kept, because starting one costs 0.1 ms."""

    def __init__(self) -> None:
        self._idle: deque[SimpleQueue[Callable[[], None] | None]] = deque()
        self._under_way: set[Cancellation] = set()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether one of them is at work."""
        return bool(self._under_way)

    def run(self, work: Callable[[Cancellation], T], *, name: str) -> T:
        """Do `work` in a worker and wait; an interrupt cancels it, unless it has committed."""
        cancellation = Cancellation()
        outcomes: list[Callable[[], T]] = []
        arrived: SimpleQueue[None] = SimpleQueue()

        def job() -> None:
            self._under_way.add(cancellation)
            outcomes.append(_outcome(work, cancellation, name))
            self._under_way.discard(cancellation)
            arrived.put(None)

        try:
            self._start(job)
            arrived.get()
        except BaseException:
            if cancellation.cancel():
                raise
            if not outcomes:  # an interrupt may come when `get` has taken what tells of it
                arrived.get()
        return outcomes[0]()

    def close(self) -> None:
        """Let idle workers go; busy ones go when their work ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().put(None)

    def _start(self, job: Callable[[], None]) -> None:
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="kubemq-nb:idle", daemon=True).start()
        inbox.put(job)

    def _work(self, inbox: "SimpleQueue[Callable[[], None] | None]") -> None:
        thread = threading.current_thread()
        while job := inbox.get():
            # The caller goes on as soon as its outcome is there; this thread is idle a moment later.
            job()
            del job
            thread.name = "kubemq-nb:idle"
            if self._closed:
                return
            self._idle.append(inbox)


def _outcome(work: Callable[[Cancellation], T], cancellation: Cancellation, name: str) -> Callable[[], T]:
    threading.current_thread().name = name
    try:
        result = work(cancellation)
    except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
        return _raising(error)
    return lambda: result


def _raising(error: BaseException) -> Callable[[], Any]:
    def outcome() -> Any:
        raise error

    return outcome


def single(call: Iterator[bytes]) -> bytes | None:
    """The one answer of a unary method that was called as a stream; in a worker thread only."""
    answers = list(call)  # to its end, where the status is
    return answers[0] if answers else None


def read_out(stream: Iterator[bytes]) -> None:
    """Read what is answered to its end; in a worker thread only.

    gRPC keeps 20 kB of a single-threaded stream whose end nobody has read, and a fork may wait for it.
    """
    with suppress(grpc.RpcError):
        deque(stream, maxlen=0)


class Pending(Generic[A]):
    """A unary call on its way."""

    def __init__(self, call: "grpc.Future[A]") -> None:
        self._call = call

    def result(self) -> A:
        """Its answer; waits until its deadline. In a worker thread, because an interrupt does not end it."""
        try:
            return self._call.result()
        except grpc.FutureCancelledError:
            raise cast("grpc.RpcError", self._call) from None  # a call that ended is its own error

    def cancel(self) -> None:
        """End it."""
        self._call.cancel()


class Conversation(Generic[Q, A]):
    """A two-way stream: requests go out as they are sent, a thread of its own asks for answers."""

    def __init__(
        self,
        method: TwoWay[Q, A],
        *,
        metadata: tuple[tuple[str, str], ...],
        name: str,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._requests: Queue[Q | None] = Queue(MOST_UNSENT)
        self._ended = False
        self._answers: SimpleQueue[A | grpc.RpcError | None] = SimpleQueue()
        self._on_end = on_end
        self._left = threading.Event()  # gRPC's thread has taken all requests
        self._call = method(self._answers.put)(self._outgoing(), metadata=metadata)
        threading.Thread(target=self._read, name=name, daemon=True).start()

    def send(self, request: Q | None, *, timeout: float = 5.0) -> None:
        """Send one request; waits only while too many have not left yet. On an ended stream it does nothing.

        Raises:
            TimeoutError: None of them left within `timeout` seconds.
        """
        if self._ended:
            return
        try:
            self._requests.put(request, timeout=timeout)
        except Full:
            raise TimeoutError from None

    def hand_over(self, request: Q, *, timeout: float) -> None:
        """Send one request and wait until gRPC has it, each for at most `timeout` seconds.

        Its thread would otherwise get Python's turn when the caller next waits, or after 5 ms.

        Raises:
            TimeoutError: None of those before it left in that time.
        """
        self._left.clear()
        self.send(request, timeout=timeout)
        if not self._ended:
            self._left.wait(timeout)

    def receive(self, timeout: float) -> A | None:
        """The next answer; None when the stream has ended as it should.

        Raises:
            TimeoutError: Nothing came within `timeout` seconds.
            grpc.RpcError: The stream broke.
        """
        try:
            answer = self._answers.get(timeout=timeout)
        except Empty:
            raise TimeoutError from None
        if answer is None or isinstance(answer, grpc.RpcError):
            self._answers.put(answer)  # every later reader meets the end too
        if isinstance(answer, grpc.RpcError):
            raise answer
        return answer

    @property
    def answered(self) -> bool:
        """Whether an answer, or the end, is there to be received."""
        return not self._answers.empty()

    def half_close(self) -> None:
        """Say that no more requests come; answers still do."""
        self.send(None)

    def cancel(self) -> None:
        """End the stream at once."""
        self._call.cancel()

    def _outgoing(self) -> Iterator[Q]:
        while (request := self._requests.get()) is not None:
            if self._requests.empty():
                self._left.set()
            yield request
            del request  # as of answers

    def _read(self) -> None:
        end: grpc.RpcError | None = None
        try:
            deque(self._call, maxlen=0)  # answers are taken where they arrive, a turn of a thread sooner
        except grpc.RpcError as error:
            end = error
        self._ended = True
        self._answers.put(end)
        self._release()
        if self._on_end:
            self._on_end()

    def _release(self) -> None:
        """Let go who waits to send, and grpc's thread that waits for requests."""
        self._left.set()
        with suppress(Empty):
            while True:
                self._requests.get_nowait()
        with suppress(Full):
            self._requests.put_nowait(None)


class LineStream(Generic[Q, A]):
    """A stream that is asked one request at a time.

    gRPC's thread for requests also asks for the answer, when the request has left; the answer is taken where
    it arrives. So nobody competes with the caller for Python's turn when it matters.
    """

    def __init__(self, method: TwoWay[Q, A], *, metadata: tuple[tuple[str, str], ...]) -> None:
        self._requests: SimpleQueue[Q | None] = SimpleQueue()
        self._answers: SimpleQueue[A | None] = SimpleQueue()
        self._ended = threading.Event()
        self._call = method(self._answers.put)(self._outgoing(), metadata=metadata)
        if not self._call.add_callback(self._end):
            self._end()

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._call.is_active()

    def ask(self, request: Q, *, timeout: float) -> A:
        """Send a request and wait for its answer; an interrupt is let through at once.

        Raises:
            TimeoutError: There was none within `timeout` seconds.
            EOFError: The broker ended the stream without one.
            grpc.RpcError: The stream broke, or the broker refused the request.
        """
        self._requests.put(request)
        try:
            answer = self._answers.get(timeout=timeout)
        except Empty:
            raise TimeoutError from None
        if answer is not None:
            return answer
        if self._call.code() is grpc.StatusCode.OK:
            raise EOFError
        raise cast("grpc.RpcError", self._call)  # a call that ended is its own error

    def cancel(self) -> None:
        """End it at once."""
        self._call.cancel()

    def close(self) -> None:
        """End it, and wait until gRPC has done so."""
        self.cancel()
        self._ended.wait(1.0)

    def _outgoing(self) -> Iterator[Q]:
        while (request := self._requests.get()) is not None:
            yield request
            del request  # a large one must not stay in memory until the next one comes
            with suppress(grpc.RpcError, StopIteration):  # `_end` tells of it
                next(self._call)

    def _end(self) -> None:
        self._answers.put(None)
        self._requests.put(None)
        self._ended.set()
