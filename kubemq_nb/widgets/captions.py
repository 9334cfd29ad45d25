"""What a view says around its rows: names, states, notices, the line of code. Words only, no rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kubemq_nb import render
from kubemq_nb.render.frames import KINDS
from kubemq_nb.render.live import where
from kubemq_nb.visible import line
from kubemq_nb.widgets import cells

if TYPE_CHECKING:
    from kubemq_nb.messages import Start
    from kubemq_nb.session.job_status import JobStatus
    from kubemq_nb.widgets.tail import Source, Tail

_RESPONDERS = ("commands", "queries")

LOOKS = {  # of every view; state: word, tone, icon
    "reconnecting": ("reconnecting", "warn", "spin"),
    "not connected": ("not connected", "bad", "bad"),
    "stopped": ("stopped", "off", "halt"),
    "closed": ("closed", "off", "halt"),
}
_LOOKS = {
    **LOOKS,
    "live": ("live", "good", "live"),
    "paused": ("paused", "off", "hold"),
}

_TROUBLES = {
    "not connected": ("bad", "bad"),
    "reconnecting": ("warn", "plug"),
}  # state: tone, icon of the notice


def is_responder(source: "Source") -> bool:
    """Whether the rows are requests and answers rather than events."""
    return source.kind in _RESPONDERS


def noun(source: "Source") -> str:
    """What one row is."""
    return "request" if is_responder(source) else "event"


def about(source: "Source") -> dict[str, object]:
    """What stays the same as long as a view lives."""
    return {
        "channel": source.channel,
        "kind": f"{KINDS[source.kind]}, {where(source.connection)}",
        "icon": source.kind,
        "label": f"{'Requests on' if is_responder(source) else 'Live table of'} {source.channel}",
        "noun": noun(source),
        "since": int(source.since.timestamp() * 1000),
        "restarts": not is_responder(source),
    }


def status(source: "Source", now: "JobStatus", rows: "Tail[Any]") -> dict[str, object]:
    """The status line: state in shape and word, counters, rate; and the notices."""
    word, tone, icon = _LOOKS[now.state]
    if tone == "good" and is_responder(source):
        word = "taking requests"
    return {
        "state": now.state,
        "word": word,
        "tone": tone,
        "icon": icon,
        "counts": _counts(now, shown=len(rows), text=rows.text),
        "rate": render.rate(now.rate),
        "rates": list(now.rates),
        "unit": "req/s" if is_responder(source) else "msg/s",
        "note": notice(now, [text for _, text in rows.gaps]),
        "outage": outage(now),
        "unseen": unseen(source, now, now.received - rows.received),
        "as_of": int(now.as_of.timestamp() * 1000),
        "changed": int((now.as_of.timestamp() - now.seconds_since_change) * 1000),
    }


def outage(now: "JobStatus") -> dict[str, int]:
    """Since when the broker is away, how often it was tried and when it is tried again; Unix milliseconds."""
    if not now.outage:
        return {}
    away = now.outage
    return {
        "since": int(away.since.timestamp() * 1000),
        "attempt": away.attempt,
        "next_at": int(away.next_at.timestamp() * 1000),
    }


def notice(now: "JobStatus", marks: Sequence[str]) -> dict[str, object] | None:
    """What is wrong and what happens next, the first sentence in bold; not what a mark says."""
    if not now.note or now.note in marks:
        return None
    head, stop, rest = line(now.note).partition(". ")
    tone, icon = _TROUBLES.get(now.state, ("warn", "alert") if now.errors else ("info", "info"))
    told = {"tone": tone, "icon": icon, "head": head[:1].upper() + head[1:] + stop.strip(), "rest": rest}
    return {**told, "ticks": bool(now.outage)}


def unseen(source: "Source", now: "JobStatus", count: int) -> str:
    """What came while the view was paused; "" when it is not paused."""
    if now.state == "paused":
        return f"{render.counted(count, f'new {noun(source)}')} since the pause. Receiving goes on."
    return (
        f"{render.counted(count, f'{noun(source)}')} came after the pause."
        if now.state == "stopped" and count
        else ""
    )


def handed(name: str, rows: int) -> dict[str, str]:
    """What To DataFrame did."""
    return {
        "tone": "good",
        "icon": "good",
        "head": f"{render.counted(rows, 'row')} {'is' if rows == 1 else 'are'} in",
        "code": name,
        "rest": "a DataFrame of what is held now. Later rows are not added to it.",
    }


def empty(source: "Source", now: "JobStatus", *, text: str, can_send: bool) -> dict[str, str]:
    """What stands where rows would: what is true, why, and one thing to do about it."""
    if text and now.held:
        return {
            "head": f"None of {render.counted(now.held, 'held row')} matches “{cells.cut(text)}”",
            "rest": "A plain text is searched for everywhere, a condition is one such as body.total > 10.",
            "act": "filter",
        }
    return {**_nothing(source, now), "act": _first_step(source, now, can_send=can_send)}


def _nothing(source: "Source", now: "JobStatus") -> dict[str, str]:
    """Why nothing is held."""
    if now.received:
        return {
            "head": "Nothing is held",
            "rest": f"The view was cleared. The channel is untouched; new {noun(source)}s appear here.",
        }
    if now.state == "stopped":
        return {"head": "Stopped before anything came", "rest": "Nothing is held."}
    if is_responder(source):
        return {
            "head": "Ready. No request came yet",
            "rest": "Ask from any client or cell:",
            "code": _ask(source),
        }
    if source.kind == "events":
        return {
            "head": "Connected, nothing new yet",
            "rest": "Only events sent from now on appear: events are not stored.",
        }
    if _is_new_only(source):
        return {
            "head": "Connected, nothing new yet",
            "rest": "Only events sent from now on appear. Earlier ones are stored.",
        }
    return {
        "head": "Connected, nothing yet",
        "rest": "Events appear here as they are read from the store or come in.",
    }


def _first_step(source: "Source", now: "JobStatus", *, can_send: bool) -> str:
    """What a button offers where nothing is: "replay", "form", or "" when the head has all there is."""
    if now.state in ("stopped", "not connected"):
        return ""
    if source.kind == "events_store" and (now.received or _is_new_only(source)):
        return "replay"
    return "form" if can_send and not is_pattern(source.channel) else ""


def is_pattern(channel: str) -> bool:
    """Whether a name stands for several channels."""
    return "*" in channel or ">" in channel


def _is_new_only(source: "Source") -> bool:
    start = getattr(source, "start", None)
    return start is not None and start.kind == "new"


def foot(source: "Source", now: "JobStatus", *, name: str | None, done: str) -> dict[str, str]:
    """The line of code that does what the mouse did last, and where the rows are.

    `name` is the variable that holds the feed, `done` the call that a button made.
    """
    held = render.counted(now.held, "row")
    return {"code": _code(source, name, done), "held": f"{held} in {name}.df" if name else f"{held} held"}


def _code(source: "Source", name: str | None, done: str) -> str:
    if done and name:
        return f"{name}.{done}"
    return f"%kubemq stop {source.id}" if done == "stop()" else source.code


def restarted(start: "Start") -> str:
    """The call that began again at a picked position."""
    match start:
        case datetime():
            return f"restart(start=datetime.fromisoformat({start.isoformat()!r}))"
        case float():
            return f"restart(start={start:g})"
    return f"restart(start={start!r})"


def _ask(source: "Source") -> str:
    return f"%kubemq {source.kind} send {source.channel} BODY"


def _counts(now: "JobStatus", *, shown: int, text: str) -> list[list[str]]:
    return [
        ["received", render.count(now.received)],
        ["shown", f"{render.count(shown)} of {render.count(now.held)}" if text else render.count(shown)],
        ["dropped", render.count(now.dropped)],
        ["errors", render.count(now.errors)],
        ["reconnects", render.count(now.reconnects)],
    ]
