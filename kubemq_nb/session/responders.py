"""A responder: answers requests in the background and keeps a log of them."""

import re
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from kubemq_nb import frames, visible
from kubemq_nb._wire import codec
from kubemq_nb.errors import KubeMQError
from kubemq_nb.messages import Request, Response, as_tags, encode_body
from kubemq_nb.session import background
from kubemq_nb.session.job_status import JobStatus
from kubemq_nb.session.live import Live
from kubemq_nb.session.outgoing import text

if TYPE_CHECKING:
    from pandas import DataFrame

RequestHandler = Callable[[Request], object]
"""Called with each request; may be a coroutine function. See `respond` for what it may return."""

Place = tuple[Literal["commands", "queries"], str, str, str]
"""Kind, channel, group and client id: what makes it the same responder when a cell is run again."""

Outcome = Literal["answered", "refused", "unanswered"]
By = Literal["handler", "hand", "auto"]

WORKERS = 8  # requests of one responder that are answered at once
LONGEST_ERROR = 300  # characters of an error that go to the asker
_FOLDERS = re.compile(  # in quotes a name may hold spaces
    r"(?<=')(?:[A-Za-z]:)?[\\/][^'\n]*[\\/]"
    r'|(?<=")(?:[A-Za-z]:)?[\\/][^"\n]*[\\/]'
    r"|(?:[A-Za-z]:)?(?:[\\/][^\s\\/'\"]+)+[\\/]"
)


class Reply(Protocol):
    """Sends an answer; the client's `RequestsClient.reply`."""

    def __call__(self, request: Request, response: Response) -> None:
        """Answer this request."""
        ...


@dataclass(slots=True)
class Exchange:
    """One request and what became of it."""

    payload: bytes
    at: int  # Unix nanoseconds
    began: float  # the same as `time.perf_counter` has it
    executed: bool | None = None  # None: it is being answered
    answer: object = None
    error: str | None = None
    elapsed: float | None = None
    line: int | None = None
    outcome: Outcome | None = None
    by: By | None = None


LOG = ("executed", "answer", "error", "elapsed", "line", "outcome", "by")
"""What the log tells of an exchange beside the request."""


@dataclass(slots=True)
class OpenRequest:
    """A request that has no answer yet; it is settled once, by whoever comes first.

    Attributes:
        responder: Which took it, and keeps the log.
        exchange: Its line in the log.
        request: What was asked.
    """

    responder: "Responder"
    exchange: Exchange
    request: Request

    @property
    def deadline(self) -> float:
        """When the asker gives up, on the clock of `time.perf_counter`."""
        return self.exchange.began + self.request.timeout

    @property
    def left(self) -> float:
        """Seconds until the asker gives up; not below 0."""
        return max(0.0, self.deadline - time.perf_counter())


class Desk(Protocol):
    """Takes requests that somebody will answer by hand."""

    def take(self, opened: OpenRequest) -> None:
        """Keep a request until it is answered or its time ran out; does not wait for that."""
        ...


class Responder(Live[Exchange]):
    """Answers requests on a channel until it is stopped; has the face of a feed, over its log.

    Attributes:
        last: The request that came last, or None.
        place: What makes it the same responder when a cell is run again.
    """

    def __init__(
        self,
        *,
        kind: Literal["commands", "queries"],
        channel: str,
        handler: RequestHandler,
        reply: Reply,
        think: float = 0.0,
        group: str = "",
        client_id: str = "",
        connection: str = "",
        code: str = "",
        keep: int = 10_000,
    ) -> None:
        super().__init__(kind=kind, channel=channel, connection=connection, code=code, keep=keep)
        self.place: Place = (kind, channel, group, client_id)
        self.last: Request | None = None
        self._handler = handler
        self._reply = reply
        self._think = think
        self._settled: Counter[Outcome] = Counter()
        self._ended = threading.Event()
        self.desk: Desk | None = None

    def give_to(self, desk: Desk) -> None:
        """Let somebody answer by hand from the next request on, without leaving the channel."""
        self.desk = desk

    def swap(self, handler: RequestHandler, *, think: float = 0.0) -> None:
        """Let another function answer from the next request on, without leaving the channel.

        Args:
            handler: Function or coroutine function of one request.
            think: Seconds to let pass before each answer.
        """
        self._handler, self._think, self.desk = handler, think, None

    def leave(self) -> None:
        """Leave the channel; the log stays readable, and the handler is not called after this."""
        self._ended.set()
        super().leave()

    def status(self) -> JobStatus:
        """What a view shows, as of now."""
        with self._changed:
            return replace(super().status(), **settled(self._settled))

    def answer(self, opened: OpenRequest, handler: RequestHandler, *, by: By = "handler") -> None:
        """Answer an open request with what a handler makes of it; what it raises is a refusal."""
        response, line = self._made(handler, opened.request)
        self.settle(opened, self._delivered(opened.request, response), by=by, line=line)

    def deliver(self, request: Request, response: Response) -> None:
        """Send an answer.

        Raises:
            KubeMQError: It did not get through.
        """
        self._reply(request, response)

    def settle(
        self, opened: OpenRequest, response: Response, *, by: By | None, line: int | None = None
    ) -> None:
        """Note what became of a request; an answer that came after the asker gave up is none."""
        exchange = opened.exchange
        with self._changed:
            exchange.executed = response.executed
            exchange.answer = frames.decode(response.body)
            exchange.error = response.error or None
            exchange.elapsed = time.perf_counter() - exchange.began
            exchange.line = line
            exchange.outcome = _outcome(exchange.elapsed, opened.request, response, by)
            exchange.by = by
            self._settled[exchange.outcome] += 1
            self._touch()

    def exchanges(self) -> list[Exchange]:
        """The log, oldest first."""
        with self._changed:
            return list(self._rows)

    def _done(self) -> int:
        return self._settled.total()

    def _take(self, payload: bytes) -> None:
        exchange = Exchange(payload, time.time_ns(), time.perf_counter())
        request = self.last = codec.decode_request(payload)
        self._add([exchange])
        opened = OpenRequest(self, exchange, request)
        if desk := self.desk:  # `swap` may take it away at any time
            desk.take(opened)
        elif not (self._ended.wait(self._think) if self._think else self._stopped):
            self.answer(opened, self._handler)

    def _made(self, handler: RequestHandler, request: Request) -> tuple[Response, int | None]:
        """The handler's answer, and the line where it raised."""
        try:
            return as_response(background.call(handler, request), to=request.kind), None
        except (Exception, SystemExit) as error:  # noqa: BLE001  the user's code: its errors are answers
            self._count_error(error)
            return Response(executed=False, error=short(error)), line_of(error, handler)

    def _delivered(self, request: Request, response: Response) -> Response:
        """Send the answer; what became of it."""
        try:
            self._reply(request, response)
        except (KubeMQError, OSError) as error:
            self._count_error(error)
            return Response(executed=False, error=f"the answer was not delivered: {error}")
        except ValueError as error:  # it has no form on the wire, and the asker is told so
            self._count_error(error)
            refusal = Response(executed=False, error=short(error))
            return refusal if response == refusal else self._delivered(request, refusal)
        return response

    def _frame(self, rows: Sequence[Exchange], facts: dict[str, object]) -> "DataFrame":
        return frames.requests(
            [row.payload for row in rows], told(rows), form="queries", kind=self.kind, **facts
        )


class Settled(TypedDict):
    """How many requests ended how."""

    answered: int
    refused: int
    unanswered: int


def settled(counts: Counter[Outcome]) -> Settled:
    """The counters of a status."""
    return Settled(answered=counts["answered"], refused=counts["refused"], unanswered=counts["unanswered"])


def told(rows: Sequence[Exchange]) -> dict[str, list[object]]:
    """The columns of a log beside the requests."""
    return {
        "timestamp": [row.at for row in rows],
        **{name: [getattr(row, name) for row in rows] for name in LOG},
    }


def _outcome(elapsed: float, request: Request, response: Response, by: By | None) -> Outcome:
    if by is None or 0 < request.timeout <= elapsed:
        return "unanswered"
    return "answered" if response.executed else "refused"


def as_response(value: object, *, to: Literal["command", "query"]) -> Response:
    """What a handler returned, as an answer to a command or a query.

    Raises:
        TypeError: It can be none.
        ValueError: A query is not answered with nothing.
    """
    response = _response(value)
    if to == "query" and response.executed and not (response.body or response.metadata):
        raise ValueError("the handler gave neither body nor metadata to answer the query with")
    return response


def _response(value: object) -> Response:
    match value:
        case Response():
            return replace(
                value,
                body=encode_body(value.body),
                tags=as_tags(value.tags),
                metadata=text("metadata", value.metadata),
            )
        case None:
            return Response(executed=True)
        case bool():
            return Response(executed=value, error="" if value else "the handler returned False")
        case int() | float():
            return Response(executed=True, body=repr(value).encode())
        case bytes() | bytearray() | memoryview() | str() | dict() | list():
            return Response(executed=True, body=encode_body(value))
    raise TypeError(
        "a handler returns a Response, bytes, text, a dict, a list, a number, True, False or nothing, "
        f"not {type(value).__name__}"
    )


def short(error: BaseException) -> str:
    """An error as its asker may see it: one line, no folders of this machine."""
    text = _FOLDERS.sub("", f"{type(error).__name__}: {error}".strip().rstrip(":"))
    return visible.clean(" ".join(text.split()))[:LONGEST_ERROR]


def line_of(error: BaseException, handler: Callable[..., object]) -> int | None:
    """The line of the handler's source in which it raised, else of the code that it called."""
    steps = traceback.extract_tb(error.__traceback__)
    code = getattr(handler, "__code__", None)
    own = [step for step in steps if code and step.filename == code.co_filename]
    return (own or steps)[-1].lineno
