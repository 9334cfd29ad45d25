"""A live stream from the broker: a reader thread, a bounded buffer, reconnects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from kubemq_nb.errors import KubeMQError

StreamState = Literal["live", "reconnecting", "failed", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What happened to a subscription's stream."""

    state: StreamState
    attempt: int = 0  # of reconnecting, from 1
    note: str = ""  # a sentence: why it is down, or what the gap means now that it is live again
    after: int | None = None  # events store: live again after this sequence


class Subscription:
    """Payloads of one subscription as wire bytes, in order of arrival.

    At most `keep` wait for the reader; beyond, the oldest is dropped and counted. It is an iterator (ends when
    closed), a context manager, and can be read with `next`. A broken connection is made again until `close`.

    Attributes:
        received: Payloads that arrived. dropped: Of those, pushed out unread. reconnects: Streams made again.
        error: What ended it for good, or None.
        state: See StreamState.
    """

    received: int
    dropped: int
    reconnects: int
    error: KubeMQError | None
    state: StreamState

    def next(self, timeout: float | None = None) -> bytes | None:
        """The next payload; None when none came within `timeout` seconds (None: no bound) or after `close`.

        Raises:
            KubeMQError: What ended the stream for good, once the buffer is empty.
        """
        raise NotImplementedError

    def drain(self) -> list[bytes]:
        """All payloads waiting now, without waiting for more."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream and its thread; nothing arrives after it returns. Closing again does nothing."""
        raise NotImplementedError


OnState = Callable[[StateChange], None]
