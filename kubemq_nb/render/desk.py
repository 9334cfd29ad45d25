"""A desk without a browser: what waits for an answer by hand, and what was answered last."""

from typing import TYPE_CHECKING

from kubemq_nb.render.frames import DEFAULT, raw, tags
from kubemq_nb.render.live import SAVED, where
from kubemq_nb.render.tables import Column, Look, Shown, Table, as_of
from kubemq_nb.render.text import span
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.answers import Answers


def desk(source: "Answers", look: Look = DEFAULT) -> Shown:
    """What waits, and below it what became of what was asked before."""
    now = source.status()
    waiting = source.waiting
    log = source.tail(look.max_rows)
    settled = log[log["outcome"].notna()]
    counts = f"Answered {now.answered:,}, refused {now.refused:,}, unanswered {now.unanswered:,}."
    note = f" {line(now.note)}." if now.note else ""
    name = source.channel or "no channel yet"
    about = f", by hand, {where(source.connection)}, {now.state}{as_of(now.as_of, look)}. {counts}{note}"
    first, second = _waiting(waiting.head(look.max_rows), len(waiting), look), _log(settled, look)
    caption = Table([], caption=(name, about)).html()
    return Shown(
        "\n".join(filter(None, [line(f"{name}{about}"), first.text(), second.text()])),
        caption + first.html() + second.html() + f"<p><small>{SAVED}</small></p>",
    )


def _waiting(rows: "DataFrame", count: int, look: Look) -> Table:
    if not count:
        return Table([], note="no request waits")
    columns = [
        Column("kind", rows["kind"].tolist()),
        Column("channel", [line(each) for each in rows["channel"]]),
        Column("request", [raw(each) for each in rows["body"]]),
        Column("tags", [tags(each) for each in rows["tags"]]),
    ]
    if not look.deterministic:
        columns.insert(0, Column("id", [line(each) for each in rows["id"]]))
        columns.append(Column("left", [span(each) for each in rows["left"]], right=True))
    shown = f", {len(rows):,} shown" if len(rows) < count else ""
    return Table(columns, note=f"{count:,} {'waits' if count == 1 else 'wait'} for an answer{shown}")


def _log(rows: "DataFrame", look: Look) -> Table:
    if not len(rows):
        return Table([])
    answers = [
        line(str(answer)) if executed else line(error or "")
        for answer, executed, error in zip(rows["answer"], rows["executed"], rows["error"], strict=True)
    ]
    columns = [
        Column("kind", rows["kind"].tolist()),
        Column("channel", [line(each) for each in rows["channel"]]),
        Column("request", [raw(each) for each in rows["body"]]),
        Column("outcome", rows["outcome"].tolist()),
        Column("answer", answers),
        Column("by", [by or "nobody" for by in rows["by"]]),
    ]
    if not look.deterministic:
        columns.append(Column("latency", [span(each) for each in rows["elapsed"]], right=True))
    return Table(columns, note=f"the last {len(rows):,} of the log")
