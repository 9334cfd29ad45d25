"""What goes on in the background, as it stands now: feeds, responders, transactions."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kubemq_nb.render.frames import DEFAULT, KINDS, columns_of, raw, tags
from kubemq_nb.render.tables import Look, Shown, Table, as_of
from kubemq_nb.render.text import clock
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.live import Live
    from kubemq_nb.session.transactions import Transaction

SAVED = "Saved view, no kernel. Run the cell to see it live."


def live(source: "Live[Any]", look: Look = DEFAULT) -> Shown:
    """The newest rows and the counters of a feed or responder, as of now."""
    now = source.status()
    rows = source.tail(look.max_rows)
    counts = f"Received {now.received:,}, dropped {now.dropped:,}, errors {now.errors:,}."
    last = f" Last {len(rows):,} of {now.received:,}:" if len(rows) else ""
    note = f" {line(now.note)}." if now.note else ""
    state = f"{now.state}{as_of(now.as_of, look)}"
    about = f", {KINDS[source.kind]}, {where(source.connection)}, {state}. {counts}{note}{last}"
    table = Table(columns_of(rows, look) if len(rows) else [], caption=(source.channel, about), note=SAVED)
    text = "\n".join(filter(None, [line(f"{source.channel}{about}"), Table(table.columns).text()]))
    return Shown(text, table.html())


def where(connection: str) -> str:
    """A connection in words."""
    return "embedded broker" if connection == "embedded" else connection


def transaction(held: "Transaction", look: Look = DEFAULT) -> Shown:
    """What a transaction holds, until when, and what can be done with it."""
    if held.empty:
        return Table(
            [], caption=(held.channel, ", queue"), note=f"{held.channel} has no message to hold"
        ).shown()
    about = f", queue, {held.state}{as_of(datetime.now(UTC), look)}"
    table = Table(columns_of(held.df, look), caption=(held.channel, about), note=_held(held, look))
    return Shown(table.text(), table._replace(note=f"{table.note}. {SAVED}").html())


_ENDED = {
    "lost": "the connection broke, which gave it back",
    "expired": "visibility ran out, so it is back in the queue",
    "closed": "given back",
}


def _held(held: "Transaction", look: Look) -> str:
    if not held.sequences:
        return f"nothing is held any more: {_ENDED.get(held.state, held.state)}"
    until = f" until {clock(held.deadline)} UTC" if held.deadline and not look.deterministic else ""
    many = "sequences" if len(held.sequences) > 1 else "sequence"
    verbs = "tx ack, reject, resend" if len(held.sequences) > 1 else "tx ack, reject, extend, resend, modify"
    return f"held: {many} {', '.join(f'{each:,}' for each in held.sequences)}{until}; {verbs}"


def lines(rows: "DataFrame") -> list[str]:
    """Each row as one line of its own: time, channel, body, tags."""
    known = rows["timestamp"].notna()  # some servers do not say
    shown = zip(rows["timestamp"], known, rows["channel"], rows["body"], rows["tags"], strict=True)
    return [
        "  ".join(
            filter(None, [at.strftime("%H:%M:%S") if known else "", line(channel), raw(body), tags(found)])
        )
        for at, known, channel, body, found in shown
    ]
