"""Answers of queries, kept for those who ask the same again."""

from kubemq_nb.broker.engine.clock import SECOND, Clock

LIMIT = 10_000  # answers kept at a time; the oldest go first
LIMIT_BYTES = 64 * 1024 * 1024  # of all of them


class Cache:
    """Answers by channel and cache key, each until its time is over."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._bytes = 0

    def get(self, channel: str, key: str) -> bytes | None:
        """The answer kept under a key, or None."""
        until, content = self._kept.get((channel, key), (0, None))
        if until <= self._now():
            self._drop((channel, key))
            return None
        return content

    def keep(self, channel: str, key: str, content: bytes, *, ttl: int) -> None:
        """Keep an answer for `ttl` seconds."""
        self._drop((channel, key))
        self._kept[channel, key] = (self._now() + ttl * SECOND, content)
        self._bytes += len(content)
        while self._kept and self._must_go(oldest := next(iter(self._kept))):
            self._drop(oldest)

    def _must_go(self, place: tuple[str, str]) -> bool:
        too_much = len(self._kept) > LIMIT or self._bytes > LIMIT_BYTES
        return too_much or self._kept[place][0] <= self._now()

    def _drop(self, place: tuple[str, str]) -> None:
        _, content = self._kept.pop(place, (0, b""))
        self._bytes -= len(content)
