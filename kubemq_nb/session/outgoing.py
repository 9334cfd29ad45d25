"""From what a caller gives to the messages that are sent."""

from collections.abc import Mapping
from typing import Any

from kubemq_nb import frames
from kubemq_nb.errors import InvalidMessage
from kubemq_nb.messages import Body, Duration, Rows, as_seconds, encode_body


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


def many(rows: Rows, body: Body, id: str | None, common: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of each row, completed by those that the call gives for all of them.

    Raises:
        TypeError: A body or an id beside rows: each row has its own.
    """
    if body is not None or id:
        raise TypeError("rows have their own bodies and ids: give one message, or rows, not both")
    return [{**common, **fields} for fields in frames.records(rows)]
