"""Messages and events on their way into one batch after another, each as it is sent or with why it is not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

from kubemq_nb import rules
from kubemq_nb._wire import codec
from kubemq_nb.client import checks
from kubemq_nb.client.ids import new_id
from kubemq_nb.errors import RequestRejected
from kubemq_nb.messages import Event, QueueMessage, SendResult

ONE_BY_ONE = {"expiration", "delay", "max_receive_count", "dead_letter"}
"""Columns whose rows are checked and written each by itself: they are rare."""


class Outgoing(Protocol):
    """Many messages, in order."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes | SendResult]: ...

    def channels(self, start: int, stop: int) -> list[str]:
        """Where those of these places go."""

    def ids(self, start: int, stop: int) -> list[str]:
        """The ids of those of these places."""


class Messages:
    """Messages as single records."""

    def __init__(self, messages: Sequence[QueueMessage]) -> None:
        self._messages = messages
        self._ids = [message.id or new_id() for message in messages]

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[bytes | SendResult]:
        return map(encoded, self._messages, self._ids)

    def ids(self, start: int, stop: int) -> list[str]:
        """The ids of those of these places."""
        return self._ids[start:stop]

    def channels(self, start: int, stop: int) -> list[str]:
        """Where those of these places go."""
        return [message.channel for message in self._messages[start:stop]]


class Rows:
    """Messages, or events, as columns, completed by what they have in common.

    Args:
        common: What a row has where its column says nothing.
        columns: `body`, and any of id, metadata, tags; of messages also expiration, delay,
            max_receive_count, dead_letter.
        store: Whether events are stored.
    """

    def __init__(
        self, common: QueueMessage | Event, columns: Mapping[str, Sequence[Any]], *, store: bool = True
    ) -> None:
        self._common = common
        self._columns = columns
        self.store = store

    def __len__(self) -> int:
        return len(self._columns["body"])

    def __iter__(self) -> Iterator[bytes | SendResult]:
        if ONE_BY_ONE & self._columns.keys() or not self._is_sound():
            return map(self._encoded, range(len(self)))
        return self._together()

    def ids(self, start: int, stop: int) -> list[str]:
        """The ids of those of these places."""
        return self._ids[start:stop]

    @cached_property
    def _ids(self) -> list[str]:
        return [id or new_id() for id in self._completed("id")]

    def single(self) -> Iterator[Any]:
        """One record a row, of the kind of `common`."""
        return map(self._message, range(len(self)))

    def channels(self, start: int, stop: int) -> list[str]:
        """Where those of these places go."""
        return [self._common.channel] * (stop - start)

    def _is_sound(self) -> bool:
        """Whether what they have in common can be sent; if not, each row tells why."""
        try:
            checks.check_outgoing(replace(self._common, body=b"a body"))
        except RequestRejected:
            return False
        return True

    def _together(self) -> Iterator[bytes | SendResult]:
        bodies = self._columns["body"]
        metadata, tags = self._completed("metadata"), self._completed("tags")
        wires = codec.encode_rows(self._common, self._ids, metadata, bodies, tags, store=self.store)
        for row, (wire, body, text) in enumerate(zip(wires, bodies, metadata, strict=True)):
            good = wire and 0 < len(body) + len(text) <= rules.MAX_SENT_BYTES
            yield wire if wire and good else self._encoded(row)

    def _encoded(self, row: int) -> bytes | SendResult:
        return encoded(self._message(row), self._ids[row], store=self.store)

    def _completed(self, name: str) -> Sequence[Any]:
        common = getattr(self._common, name)
        column = self._columns.get(name)
        return [common] * len(self) if column is None else [value or common for value in column]

    def _message(self, row: int) -> Any:
        given = {name: column[row] for name, column in self._columns.items()}
        return replace(self._common, **{name: value for name, value in given.items() if value})


def encoded(message: QueueMessage | Event, id: str, *, store: bool = True) -> bytes | SendResult:
    """One message as it is sent, under this id, or the result that says why it is not."""
    try:
        checks.check_outgoing(message)
    except RequestRejected as error:
        return SendResult(id=message.id, channel=message.channel, sent=False, error=str(error))
    return codec.encode_outgoing(message, id=id, store=store).SerializeToString()
