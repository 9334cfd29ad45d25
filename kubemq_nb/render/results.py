"""Results of single operations, one line or a few each."""

from functools import singledispatch
from typing import Any

from kubemq_nb.messages import Acknowledged, Response, SendResult, ServerInfo, Settlement
from kubemq_nb.render.frames import tags
from kubemq_nb.render.tables import Column, Look, Shown, Table, escaped, escaped_lines
from kubemq_nb.render.text import clock, limited, span
from kubemq_nb.visible import clean, line

DONE = {
    "receive": "received",
    "ack": "acked",
    "reject": "rejected",
    "extend": "extended",
    "resend": "resent",
    "modify": "modified",
    "close": "given back",
}


@singledispatch
def describe(result: Any, look: Look) -> Shown:
    """A result of ours as text and HTML."""
    raise TypeError(f"no display for {type(result).__name__}, {look}")


@describe.register
def _(result: SendResult, look: Look) -> Shown:
    if result.is_error:
        return _line("refused", result.channel, result.error)
    told = [] if look.deterministic else [f"id {result.id}"]
    if result.delayed_to and not look.deterministic:
        told.append(f"visible {clock(result.delayed_to)} UTC")
    if result.expiration_at and not look.deterministic:
        told.append(f"expires {clock(result.expiration_at)} UTC")
    return _line("sent", result.channel, *told)


@describe.register
def _(result: Settlement, look: Look) -> Shown:
    if result.is_error:
        return _line(f"not {DONE[result.action]}", result.channel, result.error)
    many = "sequences" if len(result.sequences) > 1 else "sequence"
    told = (
        [f"{many} {', '.join(f'{each:,}' for each in result.sequences)}"] if result.sequences else ["nothing"]
    )
    if result.to:
        told.append(f"to {result.to}")
    if result.until and not look.deterministic:
        told.append(f"until {clock(result.until)} UTC")
    return _line(DONE[result.action], result.channel, *told)


@describe.register
def _(result: Acknowledged, look: Look) -> Shown:
    del look
    return _line(f"{result:,} acknowledged", result.channel)


@describe.register
def _(result: ServerInfo, look: Look) -> Shown:
    version = Column("version", [line(result.version) or "not told"])
    if look.deterministic:
        return Table([version]).shown()
    started = f"{result.start_time:%Y-%m-%d %H:%M:%S}"
    up = span(result.uptime.total_seconds())
    return Table(
        [
            Column("address", [line(result.address)]),
            Column("host", [line(result.host)]),
            version,
            Column("start_time (UTC)", [started]),
            Column("uptime", [up], right=True),
        ]
    ).shown()


@describe.register
def _(result: Response, look: Look) -> Shown:
    head = ["executed" if result.executed else "not executed", line(result.channel)]
    if result.cache_hit:
        head.append("from cache")
    if result.elapsed is not None and not look.deterministic:
        head.append(span(result.elapsed))
    if result.error:
        head.append(line(result.error))
    beside = [f"metadata  {line(result.metadata)}"] if result.metadata else []
    beside += [f"tags      {tags(result.tags)}"] if result.tags else []
    body = limited(clean(_text(result.body)))
    text = "\n".join([*[("  ").join(head)], *beside, *([body] if body else [])])
    lines = "<br>".join(escaped(each) for each in ["  ".join(head), *beside])
    return Shown(text, f"<p>{lines}</p>" + (f"<pre>{escaped_lines(body)}</pre>" if body else ""))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"{len(body):,} bytes, no text: 0x{body[:32].hex()}{'…' if len(body) > 32 else ''}"  # noqa: PLR2004


def _line(*parts: str) -> Shown:
    """Parts two spaces apart, the first what happened, the second to what."""
    texts = [line(part) for part in parts]
    name = f"<b>{escaped(parts[1])}</b>"
    return Shown(
        "  ".join(texts), f"<p>{' &nbsp;'.join([escaped(parts[0]), name, *map(escaped, parts[2:])])}</p>"
    )
