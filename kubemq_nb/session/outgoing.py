"""From what a caller gives to the messages that are sent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemq_nb import frames
from kubemq_nb.client.results import Results
from kubemq_nb.errors import InvalidMessage, KubeMQError, OutcomeUnknown
from kubemq_nb.messages import Body, Duration, Kind, Rows, as_seconds, encode_body, reworded
from kubemq_nb.session.link import Link, Progress

if TYPE_CHECKING:
    from pandas import DataFrame

KEPT = 100_000  # results of one call that are kept, whatever they say

Columns = Mapping[str, Sequence[Any]]
SendPart = Callable[[Columns, Callable[[int], None] | None], Results]
"""Sends one part, telling how many of it were sent."""


def bytes_of(body: Body) -> bytes:
    """The bytes of one body.

    Raises:
        TypeError: It is something else, or a DataFrame, which is many.
    """
    if hasattr(body, "columns"):
        raise TypeError("a DataFrame is many messages: give it as rows")
    return encode_body(body)


def text(name: str, value: str | None) -> str:
    """The value of an argument that is text; "" where it was left out.

    Raises:
        TypeError: It is something else.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r}")
    return value or ""


def whole_seconds(name: str, duration: Duration | None) -> int:
    """A span that the wire carries in whole seconds; 0 when left out.

    Raises:
        InvalidMessage: It has a fraction; nothing is rounded silently.
    """
    seconds = as_seconds(duration or 0.0)
    if seconds != int(seconds):
        raise InvalidMessage(f"{name} is whole seconds, not {seconds:g}: nothing was sent")
    return int(seconds)


def many(rows: Rows, body: Body, id: str | None) -> Columns:
    """The fields of all rows; what a row leaves out is the call's to say.

    Raises:
        TypeError: A body or an id beside rows: each row has its own.
    """
    _refuse_one(body, id)
    return frames.columns(rows)


def in_parts(file: str | Path, body: Body, id: str | None) -> Iterator[Columns]:
    """The same of a file, in parts: it may be larger than memory."""
    _refuse_one(body, id)
    yield from frames.of_file(file)


def _refuse_one(body: Body, id: str | None) -> None:
    if body is not None or id:
        raise TypeError("rows have their own bodies and ids: give one message, or rows, not both")


def send_in_parts(
    link: Link, kind: Kind, channel: str, parts: Iterator[Columns], send: SendPart
) -> "DataFrame":
    """Send each part; a frame of the results, or, of more than KEPT, of those that were refused.

    Progress is told with 0 for a total that nobody knows before the end.

    Raises:
        OutcomeUnknown: A later part broke off; says how many were sent before it.
        ValueError: A row of a later part is wrong; says so too.
    """
    sent, results, only_refused = 0, Results(), False
    progress = link.progress
    try:
        for part in parts:
            answers = send(part, partial(_report, progress, sent) if progress else None)
            sent += len(answers)
            results.extend(answers)
            if only_refused := only_refused or len(results) > KEPT:
                results = results.refused()
    except (KubeMQError, TypeError, ValueError) as error:
        if not sent:
            raise
        told = f"{sent:,} rows were sent before this: {error}"
        raise (OutcomeUnknown(told) if isinstance(error, KubeMQError) else reworded(error, told)) from error
    link.used(kind, channel)
    facts = {"rows": sent} if only_refused else {}
    return frames.results(results.columns, channel=channel, kind=kind, server=link.address, **facts)


def _report(progress: Progress, before: int, done: int) -> None:
    progress(before + done, 0)
