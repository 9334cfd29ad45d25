"""One row in full: what opens below the table."""

import json
from itertools import islice
from typing import TYPE_CHECKING, cast

from kubemq_nb.render import clean, size
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.tail import Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LONGEST = 20_000
"""Characters of one body that are shown; the size beside them is that of the whole."""

_BYTES = 1_000  # of a body that is no text
_indented = json.JSONEncoder(ensure_ascii=False, indent=2)


def detail(row: Row, number: int, *, noun: str) -> dict[str, object]:
    """Facts and whole body of a row of a feed's frame, and the answer if it is a request."""
    raw = cast("bytes", row["body"])
    sequence = row.get("sequence")
    place = cells.count(int(cast("int", sequence))) if is_number(sequence) else cells.count(number)
    return {
        "number": number,
        "head": f"{noun.capitalize()} {place}",
        "about": f"{size(len(raw))}, {_instant(cast('datetime', row['timestamp']))}",
        "facts": [[name, cells.cut(str(row[name]))] for name in _FACTS if row.get(name)],
        "tags": cells.tags(cast("Mapping[str, str]", row["tags"])),
        "body": _shown(row["decoded"], raw),
        "answer": _answer(row),
    }


def is_number(value: object) -> bool:
    """Whether a cell of a frame holds a whole number: neither NA nor NaN."""
    return isinstance(value, int) or hasattr(value, "__index__")


_FACTS = ("id", "channel", "client_id", "metadata", "error", "cache_key")


def _instant(time: "datetime") -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d} UTC"


def _shown(decoded: object, raw: bytes) -> str:
    if decoded is None:
        return raw[:_BYTES].hex(" ") + (" …" if len(raw) > _BYTES else "")
    if isinstance(decoded, str):
        return _limited(clean(decoded[: LONGEST + 1]))
    return _limited(clean("".join(islice(_indented.iterencode(decoded), LONGEST))))


def _answer(row: Row) -> str | None:
    answer = row.get("answer")
    return None if answer is None else _shown(answer, b"")


def _limited(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…\n(cut here; the frame has the whole body)"
