"""Answers of queries, kept for those who ask the same again."""

from kubemq_nb.broker.engine.clock import SECOND, Clock

LIMIT = 10_000  # answers kept at a time; the oldest go first


class Cache:
    """Answers by channel and cache key, each until its time is over."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}

    def get(self, channel: str, key: str) -> bytes | None:
        """The answer kept under a key, or None."""
        until, content = self._kept.get((channel, key), (0, None))
        if until <= self._now():
            self._kept.pop((channel, key), None)
            return None
        return content

    def keep(self, channel: str, key: str, content: bytes, *, ttl: int) -> None:
        """Keep an answer for `ttl` seconds."""
        self._kept.pop((channel, key), None)
        if len(self._kept) >= LIMIT:
            del self._kept[next(iter(self._kept))]
        self._kept[channel, key] = (self._now() + ttl * SECOND, content)
