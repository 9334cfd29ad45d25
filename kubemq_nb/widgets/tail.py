"""The newest rows of a feed as lines that a view can show; each row is turned into a line once."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kubemq_nb.session.live import Live

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.frames.selecting import Selection

ROWS = 200
"""Rows that a view holds; the feed holds more."""


Row = dict[str, object]
"""One row of a feed's frame, by column."""

Source = Live[Any]
"""A feed or a responder."""


Line = TypeVar("Line")


class Tail(Generic[Line]):
    """At most the 200 newest rows of a feed that match its filter, as lines, with the number of each row.

    A feed numbers its rows from 1 as they come, so that two looks at it can be laid end to end. A row that is
    not settled yet (a request that is being answered), and those after it, are looked at again.

    Attributes:
        text: The filter that rows match; "" when all are shown.
        gaps: After which row the stream broke, and what that means.
        received: What the feed had received at the last look; while it is paused, at the pause.
    """

    def __init__(
        self,
        source: Source,
        *,
        line: Callable[[Row], Line],
        settled: Callable[[Row], bool] = lambda _row: True,
    ) -> None:
        self._source = source
        self._line = line
        self._selection: Selection | None = None
        self._settled = settled
        self._taken = 0  # number of the last row that need not be looked at again
        self._newest = 0  # number of the last row looked at
        self._lines: deque[tuple[int, Line]] = deque(maxlen=ROWS)
        self.text = ""
        self.gaps: list[tuple[int, str]] = []
        self.received = 0

    def __iter__(self) -> Iterator[tuple[int, Line]]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def complete(self) -> bool:
        """Whether no row is left that still changes."""
        return self._taken == self._newest

    def advance(self) -> None:
        """Take what came since the last look, and let go of what the feed no longer holds.

        Raises:
            ValueError: The filter takes too long.
        """
        if self._source.selection is not self._selection:
            self._begin_anew()
        while self._lines and self._lines[-1][0] > self._taken:
            self._lines.pop()
        unseen = self._unseen()
        self._take(unseen)
        self.received = int(unseen.attrs["received"])
        # The status is read after the rows: with the older figure a row still held could seem to be gone.
        oldest = self._newest - self._source.status().held + 1
        while self._lines and self._lines[0][0] < oldest:
            self._lines.popleft()

    def _begin_anew(self) -> None:
        """Look through all that the feed held at the last look, with another filter."""
        self._selection = self._source.selection
        self.text = self._selection.where.text if self._selection and self._selection.where else ""
        self._lines.clear()
        self._taken = 0
        self._take(self._source.df, newest=self._newest)

    def _unseen(self) -> "DataFrame":
        wanted = self._source.status().received - self._taken
        while True:
            # A search has to look at every row, the plain view only at those that it can show.
            asked = max(wanted, 1) if self.text else min(max(wanted, 1), ROWS)
            frame = self._source.tail(asked)
            wanted = _last(frame) - self._taken  # more may have come between the two calls
            if wanted <= asked or len(frame) < asked or asked == ROWS:
                return frame

    def _take(self, frame: "DataFrame", *, newest: int | None = None) -> None:
        last = _last(frame)
        unseen = frame.tail(max(last - self._taken, 0))
        numbered = [
            (number, row)
            for number, row in enumerate(_rows(unseen), last - len(unseen) + 1)
            if newest is None or number <= newest
        ]
        unsettled = next((number for number, row in numbered if not self._settled(row)), None)
        verdicts = self._verdicts(unseen)
        found = [each for each, verdict in zip(numbered, verdicts, strict=False) if verdict]
        self._lines.extend((number, self._line(row)) for number, row in found[-ROWS:])
        self.gaps = frame.attrs.get("gaps", [])
        self._newest = last if newest is None else newest
        self._taken = self._newest if unsettled is None else unsettled - 1

    def _verdicts(self, rows: "DataFrame") -> Sequence[bool | None]:
        return self._selection.matches(rows) if self._selection else [True] * len(rows)


def _last(frame: "DataFrame") -> int:
    return int(frame.attrs["last"])


def _rows(frame: "DataFrame") -> list[Row]:
    return [
        dict(zip(frame.columns, values, strict=True)) for values in frame.itertuples(index=False, name=None)
    ]
