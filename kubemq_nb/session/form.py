"""A form: one message of any pattern as a person fills it in, checked, sent, and sent again."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from kubemq_nb import frames
from kubemq_nb.errors import InvalidMessage, KubeMQError, RequestRejected
from kubemq_nb.messages import Kind, Response, SendResult, as_tags, encode_body
from kubemq_nb.session import entries, json_text, language
from kubemq_nb.session.entries import BodyAs, Field, WrongEntry, entry_of, entry_of_body, fields_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session

KEPT = 50  # messages that were sent, which can be sent again
KEPT_BYTES = 16_000_000  # of their bodies; the newest is kept whatever its size
REPEATED = 2_000  # bytes of a body that the line of code repeats; of a longer one it says `{{body}}`
OWN = ("id", "client_id")  # what a message that is sent again does not take over: it is another one
_COUNTED = ("expiration", "delay", "cache_ttl")  # 0 is none

SENT = {
    "number": "int64",  # counted from 1
    "at": frames.TIME,
    "noun": "object",
    "channel": "object",
    "body": "object",
    "outcome": "object",  # sent, executed, not executed, or why not
    "elapsed": "float64",  # seconds
    "id": "object",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that a form sent, or tried to.

    Attributes:
        number: Counted from 1.
        at: When.
        noun: The pattern.
        arguments: What `send` was called with.
        elapsed: Seconds that the call took; of a request those to its answer, as the answer says.
        result: What it gave; None when it raised.
        error: What it raised; None when it did not.
    """

    number: int
    at: datetime
    noun: Kind
    arguments: Mapping[str, Any]
    elapsed: float
    result: SendResult | Response | None = None
    error: Exception | None = None

    @property
    def channel(self) -> str:
        """Where to."""
        return str(self.arguments["channel"])

    @property
    def body(self) -> bytes:
        """What."""
        return encode_body(self.arguments.get("body"))

    @property
    def outcome(self) -> str:
        """In a word what became of it, or why nothing did."""
        if self.error:
            return str(self.error)
        if isinstance(self.result, Response):
            return "executed" if self.result.executed else f"not executed: {self.result.error}"
        return f"refused: {self.result.error}" if self.result and self.result.error else "sent"


class SendForm:
    """A message to fill in and send, with what was sent before.

    What stands in a field is text as it is typed; `fill` takes Python values as `send` does. The fields are
    the parameters of `send` of the pattern, whichever these are.

    Attributes:
        session: The connection.
        noun: The pattern.
        entries: Text by field, without tags and body.
        tags: Names and values.
        body: Text of the body.
        body_as: How it is meant: json, text, hex or base64; bytes when it is too long to be edited.
        wrong: The field that the last check or call refused, and why; None when all was well.
        last: What was sent last.
        sending: Whether it is being sent now.
    """

    def __init__(
        self, session: "Session", noun: Kind = "queues", channel: str = "", **values: object
    ) -> None:
        self.session = session
        self.noun: Kind = "queues"
        self.entries: dict[str, str] = {"channel": channel}
        self.tags: list[tuple[str, str]] = []
        self.body = ""
        self.body_as: BodyAs = "json"
        self.wrong: WrongEntry | None = None
        self.last: Sent | None = None
        self.sending = False
        self.version = 0
        self._kept = b""  # the body that is not edited
        self._sent: deque[Sent] = deque(maxlen=KEPT)
        self._count = 0
        self._lock = threading.RLock()
        self._turn = threading.Lock()  # one message at a time
        self.choose(noun)
        self.fill(**values)

    @property
    def connection(self) -> str:
        """Name of its connection."""
        return self.session.name

    @property
    def channel(self) -> str:
        """Where to."""
        return self.entries.get("channel", "")

    @property
    def fields(self) -> tuple[Field, ...]:
        """What can be said of a message of this pattern."""
        return fields_of(self.noun)

    @property
    def locked(self) -> str:
        """Why nothing can be sent; "" when it can."""
        if self.session.closed:
            return f"The connection {self.connection} was closed. Connect again to send."
        if self.session.read_only:
            return f"{self.connection} is read-only. Connect without read_only to send."
        return ""

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What was sent, oldest first; the newest 50."""
        with self._lock:
            return tuple(self._sent)

    @property
    def df(self) -> "DataFrame":
        """The same as a frame: number at noun channel body outcome elapsed id."""
        sent = self.sent
        columns: dict[str, list[object]] = {
            name: [getattr(each, name) for each in sent] for name in SENT if name != "id"
        }
        columns["id"] = [each.result.id if each.result else None for each in sent]
        return frames.table(columns, SENT, channel=self.channel)

    @property
    def raw(self) -> bytes | None:
        """The body as it would be sent; None when its text cannot be read."""
        with self._lock:
            found, wrong = self._read()
        unread = any(each.field == "body" for each in wrong)
        return None if unread else encode_body(found.get("body"))

    @property
    def mistakes(self) -> Mapping[str, str]:
        """Why a field cannot be read, by its name; what is left empty is no mistake."""
        with self._lock:
            return {wrong.field: str(wrong) for wrong in self._read()[1]}

    @property
    def code(self) -> str:
        """The line that sends what stands in the form; what cannot be read is left out."""
        with self._lock:
            noun, (arguments, _) = self.noun, self._read()
        if len(encode_body(arguments.get("body"))) > REPEATED:
            arguments["body"] = _Named("body")
        return language.line(f"{noun} send", arguments)

    def choose(self, noun: Kind) -> None:
        """Change the pattern; what both have stays.

        Args:
            noun: queues, events, events_store, commands or queries.
        """
        if noun not in entries.SENDERS:
            raise ValueError(f"a pattern is {', '.join(entries.SENDERS)}; not {noun}")
        with self._lock:
            self.noun = noun
            self.wrong = None
            self._touch()

    def fill(self, row: object = None, /, **values: object) -> Self:
        """Fill in a message: from a row of a frame or a message of ours, from values, or both.

        A row gives channel, body, metadata, tags and options; id and sender are new ones, and its body is
        taken over to the byte.

        Args:
            row: A row (`df.iloc[3]`), a frame of one row, a dict, or a QueueMessage, Event or Request.
            values: As `send` takes them; these win. None empties a field.
        """
        names = {field.name for field in self.fields}
        if unknown := [name for name in values if name not in names]:
            raise TypeError(
                f"{self.noun} send has no {', '.join(unknown)}; it has {', '.join(sorted(names))}"
            )
        with self._lock:
            if row is not None:
                self.clear()
            for name, given in {**_message(_fields(row), names), **values}.items():
                self._set(name, given)
            self.wrong = None
            self._touch()
        return self

    def enter(
        self,
        typed: Mapping[str, str] | None = None,
        *,
        tags: Iterable[tuple[str, str]] | None = None,
        body: str | None = None,
        body_as: BodyAs | None = None,
    ) -> None:
        """Put text into fields, as if typed.

        Args:
            typed: Text by field.
            tags: All tags, as they are typed.
            body: Text of the body.
            body_as: How it is meant; one too long to be edited is let go when another way is chosen.
        """
        with self._lock:
            self.entries.update(typed or {})
            self.tags = self.tags if tags is None else [(name, text) for name, text in tags]
            if body_as and body_as != "bytes":
                self.body_as = body_as
            self.body = self.body if body is None or self.body_as == "bytes" else body
            self.wrong = None
            self._touch()

    def clear(self) -> None:
        """Empty the form; the pattern, the channel, and what was sent stay."""
        with self._lock:
            self.entries = {"channel": self.channel}
            self.tags, self.body, self.body_as, self._kept = [], "", "json", b""
            self.wrong = None
            self._touch()

    def format(self) -> None:
        """Write a JSON body with one field a line.

        Raises:
            InvalidMessage: It is no JSON.
        """
        with self._lock:
            try:
                self.body, self.body_as = json_text.indented(self.body), "json"
            except ValueError as error:
                raise self._refused(WrongEntry("body", str(error))) from None
            self._touch()

    def check(self) -> WrongEntry | None:
        """The first field that cannot be read, and why; None when all can."""
        with self._lock:
            try:
                self._arguments()
            except WrongEntry as wrong:
                return wrong
            return None

    def arguments(self) -> dict[str, Any]:
        """What `send` is called with.

        Raises:
            InvalidMessage: A field cannot be read; says which and what it wants. Nothing was sent.
        """
        with self._lock:
            try:
                return self._arguments()
            except WrongEntry as wrong:
                raise self._refused(wrong) from None

    def send(self) -> SendResult | Response:
        """Send what stands in the form.

        Raises:
            InvalidMessage: A field cannot be read. Nothing was sent.
            KubeMQError: As `send` of the pattern does.
        """
        with self._lock:
            noun, arguments = self.noun, self.arguments()
        return self._send(noun, arguments)

    def again(self, number: int | None = None) -> SendResult | Response:
        """Send once more what was sent before, with an id of its own.

        Args:
            number: Which, as in `df`; the last one when left out.
        """
        before = self._of_number(number)
        return self._send(
            before.noun, {name: each for name, each in before.arguments.items() if name != "id"}
        )

    def load(self, number: int) -> Self:
        """Put what was sent before into the form, to be changed and sent.

        Args:
            number: Which, as in `df`.
        """
        before = self._of_number(number)
        with self._lock:
            self.noun = before.noun
            self.clear()
            return self.fill(**{name: each for name, each in before.arguments.items() if name != "id"})

    def __repr__(self) -> str:
        return f"<SendForm of {self.noun} {self.channel}: {self._count:,} sent>"

    def _set(self, name: str, given: Any) -> None:
        if name == "body":
            self.body, self.body_as = entry_of_body(given)
            self._kept = encode_body(given) if self.body_as == "bytes" else b""
        elif name == "tags":
            self.tags = list(as_tags(given).items())
        else:
            self.entries[name] = entry_of(given)

    def _arguments(self) -> dict[str, Any]:
        found, wrong = self._read()
        missing = [field.name for field in self.fields if field.required and field.name not in found]
        if mistakes := [*(WrongEntry(name, f"The {name} is missing") for name in missing), *wrong]:
            raise mistakes[0]
        return found

    def _read(self) -> tuple[dict[str, Any], list[WrongEntry]]:
        """What can be read, and why the rest cannot."""
        found: dict[str, Any] = {}
        wrong: list[WrongEntry] = []
        for field in self.fields:
            try:
                given = self._value(field)
            except WrongEntry as error:
                wrong.append(error)
                continue
            if given not in ("", None, {}):
                found[field.name] = given
        return found, wrong

    def _value(self, field: Field) -> object:
        if field.meaning == "tags":
            return entries.tags_of(self.tags)
        if field.meaning == "body":
            if self.body_as == "bytes":
                return self._kept
            return entries.body_of(self.body, self.body_as) if self.body.strip() else ""
        entry = self.entries.get(field.name, "")
        return entries.value(field, entry.strip()) if entry.strip() else ""

    def _refused(self, wrong: WrongEntry) -> InvalidMessage:
        self.wrong = wrong
        self._touch()
        return InvalidMessage(f"{str(wrong).removesuffix('.')}. Nothing was sent.", channel=self.channel)

    def _send(self, noun: Kind, arguments: dict[str, Any]) -> SendResult | Response:
        if not self._turn.acquire(blocking=False):
            raise RequestRejected("The message before is still on its way. Nothing was sent.")
        try:
            return self._sent_now(noun, arguments)
        finally:
            self._turn.release()

    def _sent_now(self, noun: Kind, arguments: dict[str, Any]) -> SendResult | Response:
        with self._lock:
            self.sending, self.wrong = True, None
            self._touch()
        at, began = datetime.now(UTC), time.perf_counter()
        result: SendResult | Response | None = None
        failed: Exception | None = None
        try:
            result = getattr(self.session, noun).send(**arguments)
        except (KubeMQError, TypeError, ValueError) as error:
            failed = error
            raise
        finally:
            elapsed = getattr(result, "elapsed", None) or time.perf_counter() - began
            with self._lock:
                self.sending = False
                self._count += 1
                self.last = Sent(self._count, at, noun, arguments, elapsed, result, failed)
                self.wrong = self._blamed(failed) if failed else None
                self._remember(self.last)
                self._touch()
        assert result
        return result

    def _blamed(self, error: Exception) -> WrongEntry | None:
        """The field that a refusal is about: that of its channel, else the first that it names."""
        if not isinstance(error, (RequestRejected, TypeError, ValueError)) or self.locked:
            return None
        told = str(error).replace("_", " ").lower()
        named = {field.name: told.find(field.name.replace("_", " ")) for field in self.fields}
        named["channel"] = named["channel"] if told.startswith("the channel") else -1
        found = [name for name, at in sorted(named.items(), key=lambda each: each[1]) if at >= 0]
        of_channel = [
            name
            for name in ("dead_letter", "channel")
            if found[:1] == ["channel"] and self.entries.get(name) == getattr(error, "channel", None)
        ]
        return WrongEntry((of_channel or found)[0], str(error)) if found else None

    def _remember(self, sent: Sent) -> None:
        self._sent.append(sent)
        while len(self._sent) > 1 and sum(len(each.body) for each in self._sent) > KEPT_BYTES:
            self._sent.popleft()

    def _of_number(self, number: int | None) -> Sent:
        for each in reversed(self.sent):
            if number in (None, each.number):
                return each
        which = "Nothing was sent before" if number is None else f"Message {number:,} is no longer held"
        raise ValueError(f"{which}.")

    def _touch(self) -> None:
        self.version += 1


class _Named:
    """Stands for a value in a line of code by the name of a variable."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def _fields(row: Any) -> dict[str, Any]:
    """The columns of a row, or the fields of a message.

    Raises:
        TypeError: It is neither.
        ValueError: A frame of more than one row.
    """
    if row is None:
        return {}
    if hasattr(row, "columns"):
        if len(row) != 1:
            raise ValueError(f"a form takes one row, not {len(row):,}: df.iloc[0] is one")
        row = row.iloc[0]
    if isinstance(row, Mapping):
        return dict(row)
    if hasattr(row, "to_dict"):
        return dict(row.to_dict())
    if is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    raise TypeError(f"a form is filled from a row or a message, not from {type(row).__name__}")


def _message(row: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """What a row says of the message: no other columns, no id and sender, and no policy that says nothing."""
    found = {name: row[name] for name in names.intersection(row) if name not in OWN}
    if not found.get("dead_letter"):
        found.pop("max_receive_count", None)  # without it, the limit is the server's own
    return {name: given for name, given in found.items() if name not in _COUNTED or given}
