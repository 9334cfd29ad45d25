"""A queue browser: what a queue holds, looked at without taking, and one message held. A model for views."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from kubemq_nb import frames
from kubemq_nb.errors import BrokerUnavailable, SessionClosed
from kubemq_nb.frames import selecting
from kubemq_nb.messages import Duration, Where
from kubemq_nb.session.channels import Figures
from kubemq_nb.session.transactions import Transaction

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session
    from kubemq_nb.session.form import SendForm

COUNT = 32
"""Messages that a first look shows."""


class QueueBrowser:
    """One queue: the messages at its head, its counts, and at most one message held.

    It looks at `refresh`, never by itself: a look at a real server drops what has expired. A view of it looks
    once more when what it held went back by itself.

    Attributes:
        session: The connection.
        channel: The queue.
        code: The line that made it.
        count: Messages that a look shows at most.
        df: The messages of the last look, as `queues.peek` gives them.
        figures: The counts of the last look; None before the queue has its first message.
        as_of: When that was.
        note: Why the last call failed; "" when it did not.
        held: The transaction of the last `hold`; it stays here when it is settled.
    """

    kind = "queues"

    def __init__(self, session: "Session", channel: str) -> None:
        self.session = session
        self.channel = channel
        self.code = f"%kubemq ui queues {channel}"
        self.count = COUNT
        self.df = frames.empty("queues", channel=channel, is_peek=True)
        self.figures: Figures | None = None
        self.as_of: datetime | None = None
        self.note = ""
        self.held: Transaction | None = None
        self._state: Literal["live", "not connected"] = "live"
        self._changes = 0
        self._lock = threading.RLock()  # one call at a time

    @property
    def connection(self) -> str:
        """Name of its connection."""
        return self.session.name

    @property
    def version(self) -> tuple[int, int]:
        """Another with every change, so that a view repaints only then."""
        return self._changes, self.held.version if self.held else 0

    @property
    def state(self) -> Literal["live", "not connected", "stopped"]:
        """Whether the last call was answered; stopped when the connection was closed."""
        return "stopped" if self.session.closed else self._state

    def refresh(self, count: int | None = None) -> "DataFrame":
        """Look again, and leave the messages in the queue.

        Args:
            count: Most messages to show, from 1 to 1024, also at later looks; as before when left out.
        """
        with self._call():
            wanted = count or self.count
            frame = self.session.queues.peek(self.channel, count=wanted, wait=0)
            self.figures = self._figures()
            self.df, self.count, self.as_of = frame, wanted, datetime.now(UTC)
        return self.df

    def find(self, where: Where = "", *, rerouted: bool = False) -> "DataFrame":
        """The messages of the last look that match.

        Args:
            where: A condition over columns, `body`, `tags` and `size`, such as `body.total > 10`, or a plain
                text to search for everywhere; all when empty.
            rerouted: Only dead letters: those that another queue gave up.

        Raises:
            ValueError: The condition is none.
        """
        frame = self.df[self.df["rerouted"]].reset_index(drop=True) if rerouted else self.df
        selection = selecting.of(where, None, None) if where.strip() else None
        return selection.apply(frame) if selection else frame

    def message(self, sequence: int) -> dict[str, Any]:
        """One message of the last look, by column.

        Raises:
            ValueError: It is not among them.
        """
        found = self.df[self.df["sequence"] == sequence]
        if found.empty:
            raise ValueError(f"sequence {sequence:,} is not among the messages of the last look")
        return dict(zip(found.columns, next(found.itertuples(index=False, name=None)), strict=True))

    def hold(self, visibility: Duration = 30.0) -> Transaction:
        """Hold the next message back from others; its visibility runs out as on the server.

        Args:
            visibility: Seconds after which the broker takes it back; whole.

        Raises:
            ValueError: One is held already.
        """
        with self._call():
            if self.held and not self.held.finished:
                held = ", ".join(f"{each:,}" for each in self.held.sequences)
                raise ValueError(f"sequence {held} is held already: ack, reject, resend or modify it first")
            self.held = self.session.queues.transaction(self.channel, visibility=visibility, wait=1, hold=0)
        return self.held

    def form(self, sequence: int | None = None) -> "SendForm":
        """A form to send to this queue.

        Args:
            sequence: Message of the last look that it is filled with, to be sent again, changed or not; the
                one in the queue stays. Empty when left out.

        Raises:
            ValueError: The message is not among those of the last look.
        """
        from kubemq_nb.session.form import SendForm  # noqa: PLC0415  most browsers never send

        form = SendForm(self.session, "queues", self.channel)
        return form if sequence is None else form.fill(self.message(sequence))

    def waiting(self) -> int | None:
        """How many messages a purge would remove, read now; None when the server does not tell."""
        with self._call():
            self.figures = self._figures()
        return self.figures.waiting if self.figures else 0

    def purge(self) -> int:
        """Remove all waiting messages and tell how many; delayed and held ones stay."""
        with self._call():
            return self.session.queues.ack_all(self.channel)

    def close(self) -> None:
        """Give back what is held; safe to call again."""
        if self.held:
            self.held.close()

    def __repr__(self) -> str:
        return f"<QueueBrowser of {self.channel}: {len(self.df):,} messages>"

    def _figures(self) -> Figures | None:
        channels = self.session.channels
        queues = channels.figures("queues")
        found = next((each for each in queues if each.channel == self.channel), None)
        tells = channels.complete or any(each.waiting is not None for each in queues)
        return None if found and found.waiting is None and tells else found

    @contextmanager
    def _call(self) -> Iterator[None]:
        """One call at a time; whether it was answered is kept for views."""
        with self._lock:
            try:
                yield
                self._state, self.note = "live", ""
            except (BrokerUnavailable, SessionClosed) as error:
                self._state, self.note = "not connected", str(error)
                raise
            finally:
                self._changes += 1
