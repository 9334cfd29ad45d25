"""One row in full: what opens below the table."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, cast

from kubemq_nb import render
from kubemq_nb.render import clean, size
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.tail import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 20_000
"""Characters of one body that are shown; the size beside them is that of the whole."""

COPIED = 100_000
"""Bytes of a body that can be copied in the browser."""

_BYTES = 1_000  # of a body that is no text
_indented = json.JSONEncoder(ensure_ascii=False, indent=2)


def detail(row: Row, number: int, *, noun: str) -> dict[str, object]:
    """Facts and whole body of a row of a feed's frame, and the answer if it is a request."""
    raw = cast("bytes", row["body"])
    sequence = row.get("sequence")
    place = render.count(int(cast("int", sequence))) if cells.is_number(sequence) else render.count(number)
    return {
        "number": number,
        "head": f"{noun.capitalize()} {place}",
        "about": _about(raw, cells.milliseconds(row["timestamp"])),
        "facts": [[name, cells.cut(str(row[name]))] for name in _FACTS if row.get(name)],
        "tags": cells.tags(cast("Mapping[str, str]", row["tags"])),
        "body": shown_body(row["decoded"], raw),
        **copied(raw),
        "answer": _answer(row),
    }


_FACTS = ("id", "channel", "client_id", "metadata", "error", "cache_key")


def _about(raw: bytes, time: int | None) -> str:
    if time is None:
        return size(len(raw))
    second = datetime.fromtimestamp(time // 1000, UTC)
    return f"{size(len(raw))}, {second:%Y-%m-%d %H:%M:%S}.{time % 1000:03d} UTC"


def copied(raw: bytes) -> dict[str, str]:
    """A body as the text that is copied, `copy`; `uncopied` says why where it is not."""
    if len(raw) > COPIED:
        why = f"{size(len(raw))} are not copied here: To DataFrame has the whole body."
        return {"copy": "", "uncopied": why}
    try:
        return {"copy": raw.decode(), "uncopied": ""}
    except UnicodeDecodeError:
        return {"copy": "", "uncopied": "The body is no text: To DataFrame has its bytes."}


def shown_body(decoded: object, raw: bytes) -> str:
    """A body as a reader wants it: indented JSON, text, or the first bytes in hexadecimal."""
    if decoded is None:
        return raw[:_BYTES].hex(" ") + (" …" if len(raw) > _BYTES else "")
    if isinstance(decoded, str):
        return _limited(clean(decoded[: LONGEST + 1]))
    return _limited(clean(_json(decoded)))


def _json(decoded: object) -> str:
    """Indented JSON as far as it is shown; newer Pythons read what is nested deeper than they can write."""
    parts: list[str] = []
    try:
        for part in islice(_indented.iterencode(decoded), LONGEST):
            parts.append(part)  # noqa: PERF402  what was written stays
    except RecursionError:
        parts.append("…\n(nested deeper than can be shown; the frame has the whole body)")
    return "".join(parts)


def _answer(row: Row) -> str | None:
    answer = row.get("answer")
    return None if answer is None else shown_body(answer, b"")


def _limited(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…\n(cut here; the frame has the whole body)"
