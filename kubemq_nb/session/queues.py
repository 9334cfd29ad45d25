"""Queues: send, peek, receive, purge, and the way into a transaction."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from kubemq_nb import frames
from kubemq_nb.client.queues import Received
from kubemq_nb.client.transactions import ManyTransaction, OneTransaction
from kubemq_nb.errors import InvalidMessage, KubeMQError
from kubemq_nb.frames import selecting
from kubemq_nb.messages import (
    Acknowledged,
    Body,
    Decode,
    Duration,
    Fields,
    QueueMessage,
    Rows,
    SendResult,
    Tags,
    Where,
    as_seconds,
    as_tags,
)
from kubemq_nb.session import exporting
from kubemq_nb.session.link import Link
from kubemq_nb.session.outgoing import Columns, bytes_of, in_parts, many, send_in_parts, text, whole_seconds
from kubemq_nb.session.read_only import changes
from kubemq_nb.session.transactions import Transaction

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.frames.build import QueueMessages
    from kubemq_nb.session.queue import Queue

P = ParamSpec("P")
R = TypeVar("R")


def takes(method: Callable[P, R]) -> Callable[P, R]:
    """Mark a read that consumes: a condition, which only a look can have, is refused in words."""

    @wraps(method)
    def checked(*args: P.args, **options: P.kwargs) -> R:
        if "where" in options:
            raise TypeError(
                f"where is for reads that leave messages where they are: queues.{method.__name__} would take "
                "those that do not match as well; use queues.peek(where=...)"
            )
        return method(*args, **options)

    return checked


class Arriving:
    """A frame of messages that come in parts; pandas may be loading until the first one is here."""

    def add(self, payloads: Collection[bytes]) -> None:
        """Take the next part."""
        self.messages.add(payloads)

    def complete(self) -> None:
        """No more will come."""
        self.messages.complete()

    @cached_property
    def messages(self) -> "QueueMessages":
        """What came until now."""
        return frames.QueueMessages()


class Queues:
    """Durable queues: each message goes to exactly one receiver, first in first out."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @changes
    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        id: str | None = None,
        expiration: Duration | None = None,
        delay: Duration | None = None,
        max_receive_count: int | None = None,
        dead_letter: str | None = None,
        rows: Rows | None = None,
        client_id: str | None = None,
    ) -> "SendResult | DataFrame":
        """Send one message, or many with `rows`.

        Args:
            channel: Queue to send to; it comes into being with its first message.
            body: What to send: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body.
            tags: Text to text.
            id: Id of the message; one is made when it is left out.
            expiration: Seconds from the end of `delay` after which it is gone if nobody took it; whole.
            delay: Seconds before anybody can see it; whole.
            max_receive_count: Deliveries after which a reject moves it to `dead_letter`, which it needs.
            dead_letter: Queue that takes it over then; without one it is dropped after 1,024 deliveries.
            rows: Many messages, sent in batches: a DataFrame, bodies or dicts. A row is one JSON body with
                all its columns, or its column `body`; others are options then, before those of the call.
            client_id: Sender to be named instead of the session's client id.

        Returns:
            The result; with `rows` a frame of one line a message, in order, refused ones with their `error`.

        Raises:
            InvalidChannel: The name breaks a rule; nothing was sent.
            InvalidMessage: The message or its policy does; nothing was sent.
            OutcomeUnknown: The answer never came: look before sending again.
        """
        common = QueueMessage(
            channel=text("channel", channel),
            metadata=text("metadata", metadata),
            client_id=text("client_id", client_id or self._link.client_id),
            tags=as_tags(tags),
            **policy(expiration, delay, max_receive_count, dead_letter),
        )
        if isinstance(rows, str | Path):
            return send_in_parts(
                self._link,
                "queues",
                channel,
                in_parts(rows, body, id),
                lambda part, report: self._link.ready().queues.send_rows(common, part, progress=report),
            )
        if rows is not None:
            return self._send_many(common, many(rows, body, id))
        message = replace(common, body=bytes_of(body), id=text("id", id))
        result = self._link.ready().queues.send(message)
        self._link.used("queues", channel)
        return result

    def peek(
        self,
        channel: str,
        *,
        count: int = 32,
        wait: Duration = 1.0,
        to_file: str | Path | None = None,
        where: Where | None = None,
        fields: Fields | None = None,
        decode: Decode | None = None,
        client_id: str | None = None,
    ) -> "DataFrame":
        """Look at the first messages and leave them in the queue.

        A real server removes expired messages and dead-letters spent ones as it looks.

        Args:
            channel: Queue to look at.
            count: Most messages to show, from 1 to 1024.
            wait: Seconds to wait for a first message; whole.
            to_file: Write the messages to this .jsonl, .csv or .parquet file; the frame then tells how many.
                `rows` sends the file again, byte for byte.
            where: Of the messages looked at, show those that match: a condition over columns, `body`, `tags`
                and `size`, such as `body.total > 10 and tags.k == "v"`, or a plain text to search
                for everywhere.
            fields: Parts of decoded bodies and tags to add as columns, separated by commas: `a.b,tags.k`.
            decode: How to read bodies into `decoded`: auto, text, json, hex, base64, cloudevents, msgpack,
                gzip, zstd, protobuf, protobuf:FILE:TYPE, or a function of bytes; `body` stays as it came.
            client_id: Name to look under instead of the session's client id.
        """
        selection = selecting.of(where, fields, decode)
        arriving = Arriving()
        read = self._link.ready().queues.peek(
            channel,
            count=count,
            wait=as_seconds(wait),
            client_id=client_id or self._link.client_id,
            sink=arriving.add,
        )
        frame = self._frame(channel, arriving, read, is_peek=True)
        if to_file is not None:
            return exporting.written(to_file, "queues", selection, frame)
        return selection.apply(frame) if selection else frame

    @changes
    @takes
    def receive(
        self, channel: str, *, count: int = 32, wait: Duration = 1.0, client_id: str | None = None
    ) -> "DataFrame":
        """Take the first messages out of the queue.

        They are acknowledged when they have arrived here; an interrupt before that gives them back.

        Args:
            channel: Queue to take from.
            count: Most messages to take, from 1.
            wait: Seconds to wait for a first message; what is there then is taken at once.
            client_id: Name to receive under instead of the session's client id.
        """
        arriving = Arriving()
        read = self._link.ready().queues.receive(
            channel,
            count=count,
            wait=as_seconds(wait),
            client_id=client_id or self._link.client_id,
            sink=arriving.add,
            meanwhile=arriving.complete,
        )
        return self._frame(channel, arriving, read, is_peek=False)

    @changes
    def ack_all(self, channel: str, *, client_id: str | None = None) -> int:
        """Remove all waiting messages and tell how many; delayed and held ones stay.

        Args:
            channel: Queue to empty.
            client_id: Name to do it under instead of the session's client id.
        """
        removed = self._link.ready().queues.ack_all(channel, client_id=client_id or self._link.client_id)
        self._link.used("queues", channel)
        return Acknowledged(removed, channel)

    @changes
    @takes
    def transaction(
        self,
        channel: str,
        *,
        count: int = 1,
        visibility: Duration = 30.0,
        wait: Duration = 10.0,
        hold: Duration = 600.0,
        client_id: str | None = None,
    ) -> Transaction:
        """Hold messages back from others until each is acknowledged, rejected or sent elsewhere.

        An empty queue gives a transaction that is `empty`, not an error. What is not settled goes back, and
        counts as one delivery of those that `max_receive_count` allows; `peek` counts none.

        Args:
            channel: Queue to take from.
            count: Most messages to hold; more than one has no visibility to extend.
            visibility: Seconds after which the broker takes a message back; whole.
            wait: Seconds to wait for a first message; whole.
            hold: Seconds for which the transaction extends its visibility by itself; 0 leaves that to you.
            client_id: Name to hold under instead of the session's client id.
        """
        link = self._link.ready()
        transaction = Transaction(channel, connection=link.name)
        held: OneTransaction | ManyTransaction
        common: dict[str, Any] = {
            "wait": as_seconds(wait),
            "client_id": client_id or link.client_id,
            "on_change": transaction.changed,
        }
        if count == 1:
            spans: dict[str, Any] = {"visibility": as_seconds(visibility), "hold": as_seconds(hold)}
            held = OneTransaction.receive(link.connection, channel, **spans, **common)
        else:
            held = ManyTransaction.receive(link.connection, channel, count=count, **common)
        transaction.hold(held)
        if transaction.empty:
            waited = f" within {as_seconds(wait):g} s" if wait else ""
            transaction.missing = self._unknown(channel) or f"{channel} had no message{waited}"
        link.used("queues", channel)
        link.add(transaction)
        return transaction

    def named(
        self, channel: str, *, client_id: str | None = None, count: int = 32, wait: Duration = 1.0
    ) -> "Queue":
        """Have one queue at hand, with defaults of its own.

        Args:
            channel: The queue.
            client_id: Name to use instead of the session's client id.
            count: Most messages that a peek or receive brings.
            wait: Seconds that a peek or receive waits for a first message.
        """
        from kubemq_nb.session.queue import Queue  # noqa: PLC0415  a first read does without it

        return Queue(queues=self, channel=channel, client_id=client_id, count=count, wait=wait)

    def _send_many(self, common: QueueMessage, columns: Columns) -> "DataFrame":
        report = self._link.report(len(columns["body"]))
        sent = self._link.ready().queues.send_rows(common, columns, progress=report)
        self._link.used("queues", common.channel)
        return frames.results(sent.columns, channel=common.channel, kind="queues", server=self._link.address)

    def _frame(self, channel: str, arriving: "Arriving", read: Received, *, is_peek: bool) -> "DataFrame":
        unknown = "" if arriving.messages.count else self._unknown(channel)
        if not unknown:
            self._link.used("queues", channel)
        return arriving.messages.frame(
            channel=channel,
            server=self._link.address,
            is_peek=is_peek,
            messages_expired=read.expired,
            delayed=read.delayed,
            held=read.held,
            complete=not read.cut,
            note=read.note or unknown,
        )

    def _unknown(self, channel: str) -> str:
        """What to say of a queue that the broker does not know; "" where it does, or does not tell."""
        queues = self._link.queues
        with suppress(KubeMQError):  # what was asked for has been answered
            if queues.info(channel) == []:
                names = [queue.name for queue in queues.info() or ()]
                from difflib import get_close_matches  # noqa: PLC0415  for mistakes alone

                near = get_close_matches(channel, names, 1)
                return f"there is no queue {channel}" + (f"; did you mean {near[0]}?" if near else "")
        return ""


def policy(
    expiration: Duration | None,
    delay: Duration | None,
    max_receive_count: int | None,
    dead_letter: str | None,
) -> dict[str, Any]:
    """The policy fields of a message.

    Raises:
        InvalidMessage: A span with a fraction, or deliveries counted with nowhere to go after the last.
    """
    if max_receive_count and not dead_letter:
        raise InvalidMessage(
            "max_receive_count needs dead_letter, the queue that takes the message over: nothing was sent"
        )
    return {
        "expiration": whole_seconds("expiration", expiration),
        "delay": whole_seconds("delay", delay),
        "max_receive_count": max_receive_count or 0,
        "dead_letter": dead_letter or "",
    }
