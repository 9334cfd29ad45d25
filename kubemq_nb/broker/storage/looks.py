"""What was looked at lately will be looked at again: it need not be read and checked once more."""

from collections.abc import Iterable, Sequence

from kubemq_nb.broker.engine.plan import ENVELOPE_BYTES, Message
from kubemq_nb.broker.storage.rows import key

MOST_BYTES = 4 * 2**20  # of either half; about what one look shows


class Looks:
    """Messages by the keys of their rows, in two halves: when the newer one is full, the older one goes."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Keep nothing."""
        self._newer: dict[int, Message] = {}
        self._older: dict[int, Message] = {}
        self._bytes = 0  # in the newer one

    def add(self, keys: Iterable[int], messages: Sequence[Message]) -> None:
        """Keep messages that are stored under these keys, unless they are more than one half holds."""
        size = bytes_of(messages)
        if size > MOST_BYTES:
            return
        if self._bytes + size > MOST_BYTES:
            self._older, self._newer, self._bytes = self._newer, {}, 0
        self._newer.update(zip(keys, messages, strict=True))
        self._bytes += size

    def find(self, queue: int, sequences: Sequence[int]) -> list[Message] | None:
        """These messages of a queue, or None when not all of them are kept."""
        newer, older = self._newer.get, self._older.get
        first = key(queue, 0)
        found = [
            message for number in sequences if (message := newer(first | number) or older(first | number))
        ]
        return found if len(found) == len(sequences) else None

    def forget(self, start: int, stop: int) -> None:
        """The rows with keys from `start` to before `stop` are not there any more."""
        for half in (self._newer, self._older):
            keys = range(start, stop) if stop - start < len(half) else list(half)
            for row_key in keys:
                if start <= row_key < stop:
                    half.pop(row_key, None)


def bytes_of(messages: Sequence[Message]) -> int:
    """About how many bytes messages take."""
    return sum([len(message[2]) for message in messages]) + ENVELOPE_BYTES * len(messages)
