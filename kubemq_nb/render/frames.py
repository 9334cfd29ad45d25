"""Frames of ours as tables: which columns a reader wants, and what was read."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kubemq_nb.render.tables import WIDEST_HTML, Column, Look, Shown, Table
from kubemq_nb.render.text import counted, cut, size, span
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from pandas import DataFrame

KINDS = {
    "queues": "queue",
    "events": "events",
    "events_store": "events store",
    "commands": "commands",
    "queries": "queries",
}
MESSAGE = (
    "sequence",
    "channel",
    "timestamp",
    "expiration_at",
    "receive_count",
    "rerouted_from",
    "metadata",
    "tags",
    "body",
    "executed",
    "answer",
    "error",
    "elapsed",
    "size",
)
VOLATILE = {
    "access",
    "address",
    "client",
    "deadline",
    "delayed_to",
    "elapsed",
    "expiration_at",
    "last_activity",
    "left",
    "pid",
    "sent_at",
    "server",
    "since",
    "store",
    "timestamp",
    "token",
    "up",
}
WAITING = ("id", "kind", "channel", "left")  # of requests: whoever answers names one
ALWAYS = {"timestamp", "receive_count", "body", "size"}  # when the frame has them
OPTIONAL = {"error", "sent_at", "expiration_at", "delayed_to", "note"}
FIELDS = 8  # of a JSON body that become columns
DEFAULT = Look()


def is_ours(frame: "DataFrame") -> bool:
    """Whether its facts still hold: a filtered copy inherits them, but is no longer what was read."""
    return "count" in frame.attrs and frame.attrs["count"] == len(frame) and frame.columns.is_unique


def is_derived(frame: Any) -> bool:
    """Whether it was made of a frame of ours: pandas shows it then, and keeps control characters."""
    return "count" in getattr(frame, "attrs", {})


def frame(frame: "DataFrame", look: Look = DEFAULT) -> Shown:
    """A frame as text and HTML, with the line of its facts."""
    # Of a large batch, the refused ones are what somebody has to look at.
    rows = frame[frame["error"].notna()] if frame.attrs.get("refused") else frame
    head = rows.head(look.max_rows)
    return Table(columns_of(head, look), caption=_caption(frame), note=_note(frame, len(head))).shown()


def columns_of(head: "DataFrame", look: Look) -> list[Column]:
    """The columns of these rows that a reader wants."""
    names = _of_messages(head) if "body" in head.columns else _of_facts(head)
    if look.deterministic:
        # Messages have ids of their own, jobs are numbered.
        numbered = "id" in head.columns and head["id"].dtype != object
        volatile = VOLATILE if numbered else VOLATILE | {"id"}
        names = [name for name in names if name not in volatile or name in _asked(head)]
    return [column for name in names for column in _columns(head, name)]


def _of_messages(head: "DataFrame") -> list[str]:
    """The columns that say something here; the rest is in the frame."""
    lead = WAITING if "left" in head.columns else ()
    present = [name for name in MESSAGE if name not in lead and (name in head.columns or name == "size")]
    if fields := _asked(head):  # in place of the whole body
        at = present.index("body")
        before = [name for name in present[:at] if name in ALWAYS or _says_something(head, name)]
        return [*lead, *before, *fields, "size"]
    return [*lead, *(name for name in present if name in ALWAYS or _says_something(head, name))]


def _asked(head: "DataFrame") -> list[str]:
    """The fields that a reader asked for."""
    fields: list[str] = head.attrs.get("fields", [])
    return fields


def _of_facts(head: "DataFrame") -> list[str]:
    """All columns, without those of a batch's results that are empty."""
    names = [str(name) for name in head.columns]
    return [name for name in names if name not in OPTIONAL or _says_something(head, name)]


def _says_something(head: "DataFrame", name: str) -> bool:
    if name == "sequence":
        return not head[name].isna().any()
    if name == "channel":
        return len(set(head[name])) > 1
    return any(not gone and bool(value) for gone, value in _values(head, name))


def _values(head: "DataFrame", name: str) -> list[tuple[bool, Any]]:
    """Each value with whether it is missing."""
    return list(zip(head[name].isna().tolist(), head[name].tolist(), strict=True))


def _columns(head: "DataFrame", name: str) -> list[Column]:
    """The column of this name; a JSON body makes one for each of its fields."""
    if name in _asked(head):
        cells = ["" if gone else _of_body(value) for gone, value in _values(head, name)]
        return [Column(line(name), cells, right=head[name].dtype.kind in "iuf")]
    if name == "body":
        return _body(head)
    if name == "size":
        return [Column(name, [size(len(body)) for body in head["body"]], right=True)]
    kind = head[name].dtype.kind
    if kind == "M":
        return [Column(f"{name} (UTC)", _times(_values(head, name)))]
    write = SPECIAL.get(name, _cell)
    cells = ["" if gone else write(value) for gone, value in _values(head, name)]
    return [Column(name, cells, right=kind in "iufm")]


def _times(values: Sequence[tuple[bool, datetime]]) -> list[str]:
    """Times of day, with their dates when there are several."""
    dates = {value.date() for gone, value in values if not gone}
    form = "%H:%M:%S" if len(dates) <= 1 else "%Y-%m-%d %H:%M:%S"
    return ["" if gone else f"{value:{form}}.{value.microsecond // 1000:03d}" for gone, value in values]


def _cell(value: object) -> str:
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value)
    return line(cut(str(value), WIDEST_HTML))


def _json(value: object) -> str:
    return line(cut(json.dumps(value, ensure_ascii=False, default=str), WIDEST_HTML))


def tags(value: Mapping[str, str]) -> str:
    """Tags as `key=value`."""
    # Sorted, because the wire's map has no order and each run would show another.
    return line(" ".join(f"{key}={value[key]}" for key in sorted(value)))


def raw(body: bytes) -> str:
    """The beginning of a body as it is: text, or else hexadecimal."""
    try:
        return line(cut(body.decode(), WIDEST_HTML))
    except UnicodeDecodeError:
        return f"0x{body[:16].hex()}{'…' if len(body) > 16 else ''}"  # noqa: PLR2004


def _body(head: "DataFrame") -> list[Column]:
    decoded = head["decoded"].tolist()
    names = list(dict.fromkeys(name for value in decoded if isinstance(value, dict) for name in value))
    if decoded and 0 < len(names) <= FIELDS and all(isinstance(value, dict) for value in decoded):
        return [_field(name, decoded, taken=name in MESSAGE) for name in names]
    if head.attrs.get("decode"):
        return [Column("decoded", ["" if value is None else _cell(value) for value in decoded])]
    return [Column("body", [raw(body) for body in head["body"]])]


def _field(name: str, bodies: Sequence[Mapping[str, object]], *, taken: bool) -> Column:
    """One field of JSON bodies, values as they are."""
    values = [body[name] for body in bodies if name in body]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    cells = [_verbatim(body[name]) if name in body else "" for body in bodies]
    return Column(line(cut(f"body.{name}" if taken else name, WIDEST_HTML)), cells, right=numbers)


def _verbatim(value: object) -> str:
    return line(cut(value, WIDEST_HTML)) if isinstance(value, str) else _json(value)


def _of_body(value: object) -> str:
    """A field of whatever decoder: what JSON knows as in its column, without commas that it does not have."""
    return _verbatim(value) if isinstance(value, str | int | float) else _cell(value)


def _caption(frame: "DataFrame") -> tuple[str, str]:
    facts = frame.attrs
    kind = KINDS.get(facts.get("kind", ""), "")
    return str(facts.get("channel", "")), f", {kind}" if kind else ""


def _note(frame: "DataFrame", shown: int) -> str:
    """What was counted, and what did not change."""
    facts = frame.attrs
    told = _sent(facts) if "refused" in facts else _read(facts)
    rows = f"{shown:,} of {len(frame):,} rows shown" if shown < len(frame) else ""
    notes = [line(cut(str(note), WIDEST_HTML)) for note in facts.get("notes", ())]
    damaged = f"{len(facts['damaged'])} damaged: see attrs" if facts.get("damaged") else ""
    return "; ".join(part for part in (told, *notes, damaged, rows) if part)


def _sent(facts: Mapping[Any, Any]) -> str:
    count, refused = facts.get("rows", facts["count"]), facts["refused"]
    return f"{refused:,} of {count:,} refused" if refused else f"{count:,} sent"


def _read(facts: Mapping[Any, Any]) -> str:
    count = facts.get("rows", facts["count"])
    if "is_peek" in facts:
        return _of_queue(facts)
    if "ended_by" not in facts:
        return "" if count else "none"
    how = ENDS.get(facts["ended_by"], f"ended by {facts['ended_by']}")
    if not facts.get("read", count) and facts["ended_by"] in ("sequence", "time") and facts["last_sequence"]:
        how = f"none there: the last that is stored is {facts['last_sequence']:,}"
    return f"{counted(count, 'event')}; {how if facts['complete'] else f'not complete, {how}'}"


def _of_queue(facts: Mapping[Any, Any]) -> str:
    told = counted(facts.get("rows", facts["count"]), "message")
    if facts.get("messages_expired"):
        told += f", {facts['messages_expired']:,} expired"
    told += "".join(f", {each}" for each in _beside(facts))
    cut = "" if facts.get("complete", True) else "cut at what one read may bring"
    done = "the queue is unchanged" if facts["is_peek"] else "taken from the queue" if facts["count"] else ""
    return "; ".join(part for part in (told, cut, done, facts.get("note", "")) if part)


def _beside(facts: Mapping[Any, Any]) -> Iterator[str]:
    """What a look cannot show, where the server tells of it."""
    more = "more " if facts["count"] else ""
    for state in ("delayed", "held"):
        if count := facts.get(state):
            yield f"{count:,} {more}{'is' if count == 1 else 'are'} {state}"


ENDS = {
    "sequence": "complete",
    "empty": "nothing is stored",
    "idle": "nothing more came",
    "time": "complete up to the time",
    "count": "stopped at the count",
    "timeout": "stopped at the timeout",
    "size": "a frame holds no more: `to_file` takes any number",
}
SPECIAL: dict[str, Callable[[Any], str]] = {"tags": tags, "elapsed": span, "left": span, "pid": str}
WRITERS: tuple[tuple[Any, Callable[[Any], str]], ...] = (  # the first that fits
    (bool, lambda value: "yes" if value else "no"),
    (int, "{:,}".format),
    (float, "{:,.6g}".format),
    (timedelta, lambda value: span(value.total_seconds())),
    (bytes, raw),
    (str, lambda value: line(cut(value, WIDEST_HTML))),
    (dict | list, _json),
)
