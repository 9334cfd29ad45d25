"""A form without a browser: what stands in it, and what became of what it sent last."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from kubemq_nb.messages import Response, SendResult
from kubemq_nb.render.frames import DEFAULT, KINDS
from kubemq_nb.render.live import SAVED, where
from kubemq_nb.render.tables import Column, Look, Shown, Table, as_of
from kubemq_nb.render.text import clock, cut, span
from kubemq_nb.visible import clean, line

if TYPE_CHECKING:
    from kubemq_nb.session.form import SendForm, Sent

ID = 9  # characters of an id that are shown


class Outcome(NamedTuple):
    """What became of a message: good, warn or bad, one clause, and the rest of the sentence."""

    tone: str
    head: str
    rest: str


def outcome(sent: "Sent") -> Outcome:
    """What to say of a message that was sent, or was not."""
    if sent.error:
        return _failed(str(sent.error))
    took = f"in {span(sent.elapsed)}"
    if isinstance(sent.result, Response):
        answer = sent.result
        if answer.executed:
            return Outcome("good", "Executed", f"{took}{', from the cache' if answer.cache_hit else ''}.")
        reason = line(answer.error).rstrip(".") or "the responder gave no reason"
        return Outcome("warn", "Not executed:", f"{reason}. The responder answered {took}.")
    assert sent.result
    if sent.result.error:
        return Outcome("bad", "Refused:", f"{line(sent.result.error)}. Nothing was sent.")
    return Outcome("good", f"Sent to {line(sent.channel)}", f"{took}. {_when(sent.result)}")


def _failed(told: str) -> Outcome:
    head, stop, rest = line(told).partition(". ")
    return Outcome("bad", head[:1].upper() + head[1:] + stop.strip(), rest)


def _when(result: SendResult) -> str:
    told = [f"Id {cut(line(result.id), ID)}"]
    if result.delayed_to:
        told.append(f"visible in {span(_ahead(result.delayed_to, result))} ({clock(result.delayed_to)})")
    if result.expiration_at:
        told.append(f"expires {clock(result.expiration_at)} UTC")
    return f"{', '.join(told)}{'' if told[-1].endswith('…') else '.'}"


def _ahead(at: datetime, result: SendResult) -> float:
    return max(0.0, round((at - (result.sent_at or datetime.now(UTC))).total_seconds()))


def form(source: "SendForm", look: Look = DEFAULT) -> Shown:
    """What stands in a form, the line that sends it, and what became of the last message."""
    about = f", {KINDS[source.noun]}, {where(source.connection)}, a form{as_of(datetime.now(UTC), look)}"
    rows = [*_filled(source.entries, source.tags), *([("body", source.body)] if source.body else [])]
    columns = [Column("field", [name for name, _ in rows]), Column("value", [line(text) for _, text in rows])]
    notes = [source.locked, _last(source, look)]
    table = Table(columns if rows else [], caption=(source.channel, about))
    note = " ".join(filter(None, notes))
    text = "\n".join(
        filter(None, [line(f"{source.channel}{about}"), table.text(), line(note), clean(source.code)])
    )
    saved = Table([], note=SAVED)
    code = Table([], note=source.code)
    return Shown(text, "".join([table.html(), Table([], note=note).html(), code.html(), saved.html()]))


def _filled(entries: Mapping[str, str], tags: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    options = [(name, text) for name, text in entries.items() if text and name != "channel"]
    return [*options, *(("tag", f"{name}={text}") for name, text in tags if name)]


def _last(source: "SendForm", look: Look) -> str:
    if not source.last:
        return ""
    if look.deterministic:
        return f"{len(source.df):,} sent"
    said = outcome(source.last)
    return f"{said.head} {said.rest}"
