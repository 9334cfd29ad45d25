"""Requests of a desk as its view shows them: those that wait, the one that is open, those that ended."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from kubemq_nb import frames
from kubemq_nb.render import span
from kubemq_nb.session.draft import Draft
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.message import content
from kubemq_nb.widgets.requests import RequestLine, is_answered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from kubemq_nb.messages import Request
    from kubemq_nb.session.responders import OpenRequest
    from kubemq_nb.widgets.tail import Row

SHOWN = 200
"""Requests that wait and reach the browser, the oldest; and as many that ended, the newest."""

_BEGINNING = 65_536  # bytes of a body that are read for one line
_NOBODY = "nobody"


@dataclass(slots=True)
class Asked:
    """One request at the desk, with what is typed as its answer.

    Attributes:
        number: Counted from 1 as they are seen: ids are the askers' own, and two may give the same.
        opened: The request.
        draft: What stands in the form.
        line: Its row, made when it is first shown.
        attended: Whether somebody is about to answer it: it stays in sight when it ends another way.
    """

    number: int
    opened: "OpenRequest"
    draft: Draft
    line: dict[str, object]
    attended: bool = False

    @classmethod
    def of(cls, number: int, opened: "OpenRequest") -> "Asked":
        """A request that was just seen."""
        return cls(number, opened, Draft.to(opened.request), {})

    @property
    def request(self) -> "Request":
        """What was asked."""
        return self.opened.request

    @property
    def waits(self) -> bool:
        """Whether it has no answer yet, also while one is on its way."""
        return self.opened.exchange.outcome is None

    def row(self) -> dict[str, object]:
        """Its row among those that wait."""
        if not self.line:
            raw = self.request.body[:_BEGINNING]
            whole = len(raw) == len(self.request.body)
            self.line = {
                "number": self.number,
                "kind": self.request.kind,
                "channel": cells.cut(self.request.channel),
                "request": cells.body(raw, frames.decode(raw) if whole else raw.decode(errors="replace")),
                **self.clock(),
            }
        return self.line

    def clock(self) -> dict[str, object]:
        """When its asker gives up, and after how long."""
        timeout = self.request.timeout
        return {"timeout": timeout, "deadline": self.opened.exchange.at // 1_000_000 + int(timeout * 1000)}

    def detail(self) -> dict[str, object]:
        """All that is shown of it while it is open."""
        request = self.request
        return {
            "number": self.number,
            "kind": request.kind,
            "channel": cells.cut(request.channel),
            "id": cells.cut(request.id),
            "metadata": cells.cut(request.metadata),
            "sender": cells.cut(request.client_id),
            "cache": f"{cells.cut(request.cache_key)}, {request.cache_ttl:,} s" if request.cache_key else "",
            **self.clock(),
            **content(request.body, frames.decode(request.body), request.tags),
        }

    def end(self) -> dict[str, str]:
        """How it ended without an answer from this view; empty while it waits."""
        exchange = self.opened.exchange
        if exchange.outcome is None:
            return {}
        after = span(exchange.elapsed or 0.0)
        if exchange.outcome == "unanswered":
            head = f"Too late: the asker gave up after {span(self.request.timeout)}."
        elif exchange.by == "auto":
            head = f"Answered automatically after {after}."
        else:
            head = f"{exchange.outcome.capitalize()} by a call or in another view after {after}."
        typed = "Nothing of what you typed was sent; it is still here." if self.draft.touched else ""
        return {"head": head, "rest": typed}


def log(frame: "DataFrame") -> list[dict[str, object]]:
    """A row for each request that ended, the newest first."""
    last = int(frame.attrs["last"])
    numbers = range(last, last - len(frame), -1)
    rows = zip(numbers, reversed(frame.to_dict("records")), strict=True)
    return [_ended(number, row) for number, row in islice(_settled(rows), SHOWN)]


def _settled(rows: "Iterable[tuple[int, Row]]") -> "Iterable[tuple[int, Row]]":
    return ((number, row) for number, row in rows if is_answered(row))


def _ended(number: int, row: "Row") -> dict[str, object]:
    line = RequestLine.of(row)
    return {
        "number": number,
        "time": line.time,
        "kind": row["kind"],
        "channel": line.channel,
        "request": line.request,
        "executed": line.executed,
        "answer": line.answer,
        "latency": line.latency,
        "by": row["by"] or _NOBODY,
    }


def short(id: str, others: "Iterable[str]") -> str:
    """The beginning of an id that no other has, eight characters at least."""
    beginning = id[:8]
    return id if any(other != id and other.startswith(beginning) for other in others) else beginning
