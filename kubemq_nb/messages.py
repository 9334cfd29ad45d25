"""What travels: messages, results and positions as frozen records. Standard library only.

Times are aware UTC datetimes, spans are seconds, bodies are bytes. Where a field is the server's to set it
is None until the server has set it; such fields are ignored when a message is sent.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from numbers import Real
from pathlib import Path
from typing import Annotated, Literal, Self

Body = bytes | bytearray | memoryview | str | dict[str, object] | list[object] | None
"""bytes as they are, text as UTF-8, dict or list as JSON; None is no body."""

Tags = Mapping[str, str] | Iterable[tuple[str, str]]
"""Text to text, as a mapping or as pairs."""

Duration = float | timedelta
"""Seconds as a number, or a timedelta."""

Rows = Iterable[object] | Path
"""Many messages: a DataFrame, an iterable of bodies or of dicts, or a file (CSV, JSON lines or Parquet)."""

Where = Annotated[str, "EXPR"]
"""A condition such as `body.total > 10`, or a plain text to search for."""

Fields = str | Sequence[str]
"""Paths into decoded bodies and tags: `"a.b,tags.k"`."""

Decode = str | Callable[[bytes], object]
"""The name of a decoder, or a function of a body."""

Kind = Literal["queues", "events", "events_store", "commands", "queries"]
"""The five patterns of KubeMQ; also the kind of a channel."""


def reworded(error: TypeError | ValueError, text: str) -> TypeError | ValueError:
    """A plain error of the same kind with another text; a subclass, of JSON or Unicode, would take more."""
    return TypeError(text) if isinstance(error, TypeError) else ValueError(text)


def encode_body(body: Body) -> bytes:
    """Turn what a caller gives as a body into the bytes that are sent."""
    match body:
        case None:
            return b""
        case bytes():
            return body
        case bytearray() | memoryview():
            return bytes(body)
        case str():
            return body.encode()
        case dict() | list():
            try:
                return json.dumps(body, ensure_ascii=False, separators=(", ", ": "), allow_nan=False).encode()
            except (TypeError, ValueError) as error:
                kind = type(body).__name__
                raise reworded(error, f"a body that is a {kind} is sent as JSON: {error}") from error
    raise TypeError(f"a body is bytes, text, a dict or a list, not {type(body).__name__}")


def as_tags(tags: Tags | None) -> dict[str, str]:
    """Turn a mapping or pairs into a dict, refusing what is not text, or there twice."""
    try:
        pairs = list(tags.items() if isinstance(tags, Mapping) else tags or ())
        result = dict(pairs)
    except (TypeError, ValueError):
        raise TypeError(f"tags are a dict of text to text, or pairs, not {tags!r}") from None
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"a tag is text to text, not {key!r}: {value!r}")
        if result[key] != value:
            raise ValueError(f"the tag {key} is there twice")
    return result


FARTHEST = 2**63  # what a start position on the wire stays below


def as_seconds(duration: Duration) -> float:
    """Turn a number of seconds or a timedelta into seconds."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if not isinstance(duration, Real):
        raise TypeError(f"a duration is seconds as a number or a timedelta, not {duration!r}")
    return float(duration)


class _Readable:
    """What every record with a body can be read as."""

    __slots__ = ()

    body: bytes

    def json(self) -> object:
        """The body read as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body read as UTF-8 text."""
        return self.body.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage(_Readable):
    """A message of a queue: what a sender sets, and below what the server adds on delivery."""

    channel: str
    body: bytes = b""
    id: str = ""  #: empty: one is made
    metadata: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""
    expiration: int = 0  #: seconds, 0 none; counted from the end of the delay
    delay: int = 0  #: seconds
    max_receive_count: int = 0  #: 0: the server's default, 1024
    dead_letter: str = ""  #: queue that takes it over after max_receive_count; empty: it is dropped then

    timestamp: datetime | None = None
    sequence: int | None = None
    md5_of_body: str = ""
    receive_count: int = 0
    rerouted: bool = False
    rerouted_from: str | None = None
    expiration_at: datetime | None = None
    delayed_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(_Readable):
    """An event, live or stored; only a stored one is delivered with sequence and timestamp."""

    channel: str
    body: bytes = b""
    id: str = ""
    metadata: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""  #: of the sender: the wire carries it to the broker, not to subscribers
    timestamp: datetime | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(_Readable):
    """A command or query, as sent and as its responder sees it."""

    kind: Literal["command", "query"]
    channel: str
    body: bytes = b""
    id: str = ""
    metadata: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""
    timeout: float = 5.0  #: seconds; whole milliseconds on the wire
    reply_channel: str = ""  #: where the broker wants the answer
    cache_key: str = ""
    cache_ttl: int = 0  #: seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(_Readable):
    """The answer to a command or query. `executed=False` is an answer, with its reason in `error`."""

    executed: bool
    error: str = ""
    body: bytes = b""
    id: str = ""  #: of the request
    channel: str = ""
    metadata: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""  #: of the responder
    timestamp: datetime | None = None
    cache_hit: bool = False
    elapsed: float | None = None  #: seconds, from sending to the answer in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What the broker says of one message or event that was sent."""

    id: str
    channel: str
    sent: bool = True
    error: str = ""  #: the broker's text when it was refused
    sent_at: datetime | None = None
    expiration_at: datetime | None = None
    delayed_to: datetime | None = None

    @property
    def is_error(self) -> bool:
        """Whether the broker refused it."""
        return bool(self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What one action on a transaction did, and to which sequences."""

    action: Literal["receive", "ack", "reject", "extend", "resend", "modify", "close"]
    channel: str
    sequences: tuple[int, ...]
    to: str = ""  #: target queue of resend and modify
    until: datetime | None = None  #: when the broker takes back what was extended
    error: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the action failed."""
        return bool(self.error)


class Acknowledged(int):
    """How many messages of a queue were acknowledged at once; a number that knows its queue."""

    channel: str

    def __new__(cls, count: int, channel: str = "") -> Self:
        """Make it of a count."""
        made = super().__new__(cls, count)
        made.channel = channel
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What a broker says of itself."""

    address: str
    host: str
    version: str  #: empty on some community builds
    start_time: datetime
    uptime: timedelta


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where reading an events store begins: one of new, first, last, sequence, time, ago."""

    kind: Literal["new", "first", "last", "sequence", "time", "ago"]
    value: int = 0  #: a sequence, Unix nanoseconds, or seconds back, by the kind

    @classmethod
    def new(cls) -> Self:
        """Only what is stored from now on."""
        return cls("new")

    @classmethod
    def first(cls) -> Self:
        """From the first stored event."""
        return cls("first")

    @classmethod
    def last(cls) -> Self:
        """From the last stored event, that one included."""
        return cls("last")

    @classmethod
    def at_sequence(cls, sequence: int) -> Self:
        """From this sequence, that one included; sequences count from 1."""
        if sequence < 1:
            raise ValueError(f"a start sequence counts from 1, not {sequence}")
        if sequence >= FARTHEST:
            raise ValueError(f"a start sequence is below 2**63, not {sequence}")
        return cls("sequence", sequence)

    @classmethod
    def at_time(cls, time: datetime) -> Self:
        """From the first event stored at `time` or later; the time needs a zone."""
        if time.tzinfo is None:
            raise ValueError(f"a start time needs a zone: {time.isoformat()} has none")
        since = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        nanoseconds = (since // timedelta(microseconds=1)) * 1000
        if not 1 <= nanoseconds < FARTHEST:
            raise ValueError(f"a start time lies after 1970 and before 2262, not at {time.isoformat()}")
        return cls("time", nanoseconds)

    @classmethod
    def ago(cls, duration: Duration) -> Self:
        """From events stored at most this long ago; whole seconds, because the wire has no less."""
        seconds = as_seconds(duration)
        if not 1 <= seconds < FARTHEST or seconds != int(seconds):
            raise ValueError(f"a start that long ago is whole seconds from 1, not {seconds:g}")
        return cls("ago", int(seconds))


Start = StartPosition | str | datetime | Duration
"""Where reading a store begins: a StartPosition, "new", "first", "last", "seq:N", an aware datetime, or a
duration (that long ago)."""

End = str | datetime
"""Where reading a store ends: "seq:N", an aware datetime, or "now"; what is there is included."""
