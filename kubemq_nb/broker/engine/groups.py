"""Who gets what is sent to a channel: patterns, and groups that share."""

import random
from collections.abc import Iterator
from typing import Generic, TypeVar

S = TypeVar("S")


def matches(pattern: str, channel: str) -> bool:
    """Whether a pattern covers a channel: `*` is one part between dots, a last `>` one part or more."""
    wanted, parts = pattern.split("."), channel.split(".")
    for place, word in enumerate(wanted):
        if word == ">" and place == len(wanted) - 1:
            return len(parts) > place
        if place >= len(parts) or word not in ("*", parts[place]):
            return False
    return len(wanted) == len(parts)


class Subscribers(Generic[S]):
    """Subscribers by pattern and group; those of one pattern and group share what comes."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, list[S]]] = {}
        self._wild: dict[str, dict[str, list[S]]] = {}

    def add(self, pattern: str, group: str, subscriber: S) -> None:
        """Let a subscriber in; without a group it gets everything itself."""
        self._home(pattern).setdefault(pattern, {}).setdefault(group, []).append(subscriber)

    def remove(self, pattern: str, group: str, subscriber: S) -> None:
        """Let a subscriber go."""
        home = self._home(pattern)
        home[pattern][group].remove(subscriber)
        if not home[pattern][group]:
            del home[pattern][group]
        if not home[pattern]:
            del home[pattern]

    def chosen(self, channel: str) -> list[S]:
        """Those who get what is sent to a channel now: of each group one, at random."""
        subscribers: list[S] = []
        for groups in self._covering(channel):
            for group, members in groups.items():
                subscribers.extend([random.choice(members)] if group else members)  # noqa: S311
        return subscribers

    def channels(self) -> Iterator[str]:
        """The names without wildcards that somebody subscribes to."""
        return iter(self._exact)

    def count(self, channel: str) -> int:
        """How many subscribers a channel has."""
        return sum(len(members) for groups in self._covering(channel) for members in groups.values())

    def _home(self, pattern: str) -> dict[str, dict[str, list[S]]]:
        return self._wild if "*" in pattern or ">" in pattern else self._exact

    def _covering(self, channel: str) -> Iterator[dict[str, list[S]]]:
        if channel in self._exact:
            yield self._exact[channel]
        for pattern, groups in self._wild.items():
            if matches(pattern, channel):
                yield groups
