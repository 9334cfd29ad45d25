"""Values as short text: what one cell of a view says. Pure; nothing here knows widgets."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, cast

from kubemq_nb.render.text import cut as _cut
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from pandas import Timestamp

CUT = 200
"""Characters of a value that reach the browser; the size beside it is that of the whole."""


def cut(text: str) -> str:
    """Text on one line, harmless, and with an ellipsis when it is longer than a cell takes."""
    return _cut(line(text[: CUT + 1]), CUT)


def value(given: object) -> str:
    """A field of a JSON body as it is: text bare, the rest as the beginning of its JSON."""
    if isinstance(given, str):
        return cut(given)
    if isinstance(given, list | dict):
        return cut(_beginning(_compact.iterencode(given)))
    return cut(_compact.encode(given))


def pairs(fields: Iterable[tuple[str, str]]) -> str:
    """Fields with their values on one line, as many as a cell takes."""
    return cut(
        _beginning(f"{', ' if place else ''}{key}: {text}" for place, (key, text) in enumerate(fields))
    )


def body(raw: bytes, decoded: object) -> str:
    """A body that is not an object: its text, or the first bytes in hexadecimal when it is no text."""
    return cut(raw[:CUT].hex(" ")) if decoded is None else value(decoded)


def tags(given: Mapping[str, str]) -> list[list[str]]:
    """Tags as pairs of short texts, by name: the wire has them in an order that changes."""
    return [[cut(key), cut(text)] for key, text in islice(sorted(given.items()), _TAGS)]


def milliseconds(time: object) -> int | None:
    """A timestamp of a frame as Unix milliseconds, None when there is none."""
    nanoseconds = cast("Timestamp", time).value  # of NaT: the least integer
    return nanoseconds // 1_000_000 if nanoseconds > 0 else None


def is_number(given: object) -> bool:
    """Whether a cell of a frame holds a whole number: neither NA nor NaN."""
    return hasattr(given, "__index__")


_TAGS = 100  # of one message that reach the browser
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _beginning(chunks: Iterable[str]) -> str:
    """As many chunks as a cell takes; the others are not even made."""
    taken: list[str] = []
    length = 0
    for chunk in chunks:
        taken.append(chunk)
        length += len(chunk)
        if length > CUT:
            break
    return "".join(taken)
