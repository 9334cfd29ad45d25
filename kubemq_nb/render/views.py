"""Views without a kernel: the channels of a dashboard, the messages of a queue browser, as they stood."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kubemq_nb.render.frames import DEFAULT, KINDS, columns_of
from kubemq_nb.render.live import SAVED, where
from kubemq_nb.render.tables import Column, Look, Shown, Table, as_of
from kubemq_nb.render.text import count, counted, rate
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from kubemq_nb.session.channels import Figures
    from kubemq_nb.session.dashboard import Board, Row
    from kubemq_nb.session.queue_browser import QueueBrowser

TITLE = "KubeMQ dashboard"
WORDS = {"live": "connected"}  # state: what a reader calls it


def dashboard(board: "Board", look: Look = DEFAULT) -> Shown:
    """The channels of a connection with their counts, as of the last look."""
    shown = board.rows[: look.max_rows]
    state = WORDS.get(board.state, board.state)
    about = f", {where(board.connection)}, {state}{as_of(board.as_of, look)}{_because(board.note)}"
    told = [counted(len(board.rows), "channel"), f"{board.waiting:,} waiting"]
    if len(shown) < len(board.rows):
        told.append(f"{len(shown):,} of {len(board.rows):,} channels shown")
    columns = list(_columns(shown, look)) if shown else []
    return _both(TITLE, about, Table(columns, note="; ".join(told)))


def queue_browser(browser: "QueueBrowser", look: Look = DEFAULT) -> Shown:
    """The messages of the last look, and the counts of the queue."""
    head = browser.df.head(look.max_rows)
    figures = browser.figures
    about = f", {KINDS['queues']}, {where(browser.connection)}{_counts(figures)}{as_of(browser.as_of, look)}"
    told = f"{counted(len(browser.df), 'message')} peeked"
    if len(head) < len(browser.df):
        told += f", {len(head):,} shown"
    columns = columns_of(head, look) if len(head) else []
    return _both(browser.channel, about, Table(columns, note=f"{told}; the queue is unchanged"))


def _counts(figures: "Figures | None") -> str:
    """How much waits, and what a look cannot show, where the server tells of it."""
    if figures is None or figures.waiting is None:
        return ""
    beside = (f", {count:,} {state}" for state in ("delayed", "held") if (count := getattr(figures, state)))
    return f", {figures.waiting:,} waiting{''.join(beside)}"


def _both(name: str, about: str, table: Table) -> Shown:
    """In a page the view is said to be a saved one; a terminal has no other."""
    saved = Table(table.columns, caption=(name, about), note=f"{table.note}. {SAVED}")
    return Shown(f"{line(f'{name}{about}')}\n{table.text()}", saved.html())


def _columns(rows: Sequence["Row"], look: Look) -> Iterable[Column]:
    figures = [row.figures for row in rows]
    yield Column("channel", [line(each.channel) for each in figures])
    yield Column("kind", [KINDS[each.kind] for each in figures])
    yield Column("waiting", [count(each.waiting) for each in figures], right=True)
    yield Column("sent", [count(each.sent) for each in figures], right=True)
    if not look.deterministic:
        yield Column("msg/s", [rate(row.rate_in) for row in rows], right=True)
        yield Column("last activity (UTC)", [_time(each.last_activity) for each in figures])


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def _because(note: str) -> str:
    return f". {line(note)}" if note else ""
