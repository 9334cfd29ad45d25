"""How the counts of channels grow: rates of each and of all, over the last five minutes. Pure; no clock."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubemq_nb.messages import Kind
from kubemq_nb.session.channels import Figures

SPAN = 300.0  # seconds that are remembered
BUCKET = 10.0  # seconds that make one point of a channel's line
POINTS = int(SPAN / BUCKET)
RECENT = 4  # looks that make the current rate

Place = tuple[Kind, str]
"""Kind and name of a channel."""


class Moment(NamedTuple):
    """All channels together, at one look."""

    time: float  # Unix seconds
    rate_in: float  # messages a second since the look before
    rate_out: float
    waiting: int


class _Look(NamedTuple):
    at: float  # monotonic seconds
    counts: dict[Place, tuple[int, int]]  # sent and delivered, as far as they are told


class Traffic:
    """What was counted at the last looks.

    Attributes:
        moments: All channels together, one a look, of the last five minutes, oldest first.
        passed: Messages that were sent to any channel since the first look.
    """

    def __init__(self, period: float) -> None:
        self.moments: deque[Moment] = deque(maxlen=int(SPAN / period))
        self.passed = 0
        self._looks: deque[_Look] = deque(maxlen=RECENT)
        self._lines: dict[Place, deque[float]] = {}
        self._bucket = _Look(0.0, {})

    def take(self, channels: Sequence[Figures], *, at: float, time: float) -> None:
        """Count one look.

        Args:
            channels: All that there are.
            at: When it was, in seconds of a clock that never goes back.
            time: The same in Unix seconds.
        """
        look = _Look(at, {(each.kind, each.channel): _counts(each) for each in channels})
        before = self._looks[-1] if self._looks else look
        self._looks.append(look)
        sent, delivered = _grown(before, look)
        self.passed += sent
        seconds = max(look.at - before.at, 1e-9)
        waiting = sum(each.waiting or 0 for each in channels)
        self.moments.append(Moment(time, sent / seconds, delivered / seconds, waiting))
        self._draw(look)

    def rates(self, place: Place) -> tuple[float, float]:
        """Messages in and out of a channel a second, over the last looks."""
        first, last = self._looks[0], self._looks[-1]
        if last.at <= first.at:
            return 0.0, 0.0
        sent, delivered = _growth(first, last, place)
        return sent / (last.at - first.at), delivered / (last.at - first.at)

    def line(self, place: Place) -> Sequence[float]:
        """Messages into a channel a second, one figure for each ten seconds, oldest first."""
        return self._lines.get(place, ())

    def total(self) -> tuple[float, float]:
        """Messages in and out of all channels a second, over the last looks."""
        if not self._looks:
            return 0.0, 0.0
        rates = [self.rates(place) for place in self._looks[-1].counts]
        return sum(rate for rate, _ in rates), sum(rate for _, rate in rates)

    def _draw(self, look: _Look) -> None:
        """Add a point to each channel's line when its ten seconds are over; forget channels that are gone."""
        if not self._bucket.at:
            self._bucket = look
        seconds = look.at - self._bucket.at
        if seconds < BUCKET:
            return
        kept = {place: self._lines.get(place) or deque(maxlen=POINTS) for place in look.counts}
        for place, line in kept.items():
            line.append(_growth(self._bucket, look, place)[0] / seconds)
        self._lines, self._bucket = kept, look


def _counts(figures: Figures) -> tuple[int, int]:
    return figures.sent or 0, figures.delivered or 0


def _growth(before: _Look, after: _Look, place: Place) -> tuple[int, int]:
    """By how much the counts of a channel grew; a broker that starts anew counts from zero again."""
    sent, delivered = after.counts[place]
    old_sent, old_delivered = before.counts.get(place, (0, 0))
    if sent < old_sent or delivered < old_delivered:
        return sent, delivered
    return sent - old_sent, delivered - old_delivered


def _grown(before: _Look, after: _Look) -> tuple[int, int]:
    return _sum(_growth(before, after, place) for place in after.counts)


def _sum(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    pairs = list(pairs)
    return sum(first for first, _ in pairs), sum(second for _, second in pairs)
