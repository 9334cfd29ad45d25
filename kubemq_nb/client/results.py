"""What the broker said of many messages, in columns: no object a message."""

from collections.abc import Iterable
from itertools import compress
from typing import Any, Self

from kubemq_nb._wire.codec import instant, nanoseconds
from kubemq_nb.messages import SendResult

Column = list[Any]


class Results:
    """One line a message, in the order sent.

    Attributes:
        columns: id channel sent error sent_at expiration_at delayed_to, as in SendResult; times are Unix
            nanoseconds, 0 for none.
    """

    NAMES = ("id", "channel", "sent", "error", "sent_at", "expiration_at", "delayed_to")

    def __init__(self, columns: dict[str, Column] | None = None) -> None:
        self.columns = columns or {name: [] for name in self.NAMES}

    @classmethod
    def of(cls, sent: Iterable[SendResult]) -> Self:
        """The columns of single results."""
        sent = list(sent)
        columns: dict[str, Column] = {name: [getattr(one, name) for one in sent] for name in cls.NAMES[:4]}
        times = {name: [_whole(getattr(one, name)) for one in sent] for name in cls.NAMES[4:]}
        return cls(columns | times)

    def __len__(self) -> int:
        return len(self.columns["id"])

    def extend(self, other: "Results") -> None:
        """Take in the lines of another behind these."""
        for name, column in self.columns.items():
            column.extend(other.columns[name])

    def refused(self) -> "Results":
        """The lines with an error alone."""
        chosen = list(map(bool, self.columns["error"]))
        return Results({name: list(compress(column, chosen)) for name, column in self.columns.items()})

    def single(self) -> list[SendResult]:
        """One result a line."""
        columns = {name: self.columns[name] for name in self.NAMES}
        columns |= {name: list(map(instant, self.columns[name])) for name in self.NAMES[4:]}
        return [
            SendResult(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
        ]


def _whole(time: Any) -> int:
    return nanoseconds(time) if time else 0
