"""A message of a queue in full: decoded, raw, in hexadecimal, its tags, and what becomes of it."""

from typing import TYPE_CHECKING, Any, cast

from kubemq_nb import render
from kubemq_nb.render import clean, size
from kubemq_nb.session import json_text
from kubemq_nb.visible import line
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.detail import LONGEST, copied, shown_body
from kubemq_nb.widgets.tail import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DUMPED = 4_096
"""Bytes that are shown in hexadecimal."""

_MEANT = {"json": "JSON", "text": "Text", "hex": "Hex", "base64": "Base64"}
_WIDTH = 16  # bytes a line


def opened(row: Row, *, hint: str, is_held: bool = False) -> dict[str, object]:
    """All that is shown of one message.

    Args:
        row: Of a frame of messages.
        hint: What to know of where it stands.
        is_held: Whether it was received; one that was looked at counts the receive that comes next.
    """
    sequence = cast("int", row["sequence"])
    return {
        **content(
            cast("bytes", row["body"]), row["decoded"], cast("Mapping[str, str]", row["tags"]), hint=hint
        ),
        "number": sequence,
        "head": f"Message {render.count(sequence)}",
        "id": cells.cut(str(row["id"])),
        "metadata": cells.cut(str(row["metadata"])),
        **copied(cast("bytes", row["body"])),
        "facts": [[name, told] for name, told in _facts(row, is_held=is_held)],
        "expires": cells.milliseconds(row["expiration_at"]),
        "time": cells.milliseconds(row["timestamp"]),
    }


def content(raw: bytes, decoded: object, tags: "Mapping[str, str]", *, hint: str = "") -> dict[str, object]:
    """Body and tags, as the tabs show them."""
    return {
        "decoded": shown_body(decoded, raw),
        "how": f"{_how(decoded)}, {length(raw)}. {hint}".rstrip(),
        "raw": _raw(raw),
        "hex": "\n".join(dump(raw[:DUMPED])),
        "dumped": f"First {DUMPED:,} of {length(raw)}." if len(raw) > DUMPED else f"{length(raw)}.",
        "tags": cells.tags(tags),
    }


def editable(row: Row) -> dict[str, object]:
    """What of a message can be changed before it is sent: as text, or None where it is none or too long."""
    raw = cast("bytes", row["body"])
    return {
        "body": _text(raw),
        "size": size(len(raw)),
        "is_json": isinstance(row["decoded"], dict | list),
        "metadata": str(row["metadata"]),
        "tags": "\n".join(
            f"{key}={value}" for key, value in sorted(cast("Mapping[str, str]", row["tags"]).items())
        ),
        "channel": str(row["channel"]),
    }


def edited(message: "Mapping[str, Any]", before: "Mapping[str, Any]") -> dict[str, Any]:
    """The fields of a message that a person changed, as `modify` and `send_again` take them.

    Raises:
        ValueError: The body was JSON and is none any more, or a line of the tags is no `key=value`.
    """
    fields: dict[str, Any] = {}
    if before["body"] is not None and message["body"] != before["body"]:
        fields["body"] = _checked(str(message["body"]), is_json=bool(before["is_json"]))
    if message["metadata"] != before["metadata"]:
        fields["metadata"] = str(message["metadata"])
    if message["tags"] != before["tags"]:
        fields["tags"] = _tags(str(message["tags"]))
    if str(message["channel"]).strip() != before["channel"]:
        fields["channel"] = str(message["channel"]).strip()
    return fields


def dump(raw: bytes) -> "Iterator[str]":
    """Lines of sixteen bytes: place, hexadecimal, and the characters that are visible."""
    for place in range(0, len(raw), _WIDTH):
        part = raw[place : place + _WIDTH]
        halves = f"{part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}"
        visible = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004  ASCII
        yield f"{place:04x}  {halves}  {visible}"


def _how(decoded: object) -> str:
    if decoded is None:
        return "No text: the first bytes in hexadecimal"
    return "Decoded as text" if isinstance(decoded, str) else "Decoded as JSON"


def body_note(kind: str, raw: bytes) -> str:
    """How a typed body is meant, and how long it is then."""
    return f"{_MEANT[kind]}, {length(raw)}"


def length(raw: bytes) -> str:
    """How long a body is, exactly while that is short."""
    return f"{len(raw):,} bytes" if len(raw) < 10_000 else size(len(raw))  # noqa: PLR2004


def _raw(raw: bytes) -> str:
    """A body as it is stored, what is no text escaped."""
    text = line(raw[:LONGEST].decode(errors="backslashreplace"))
    return text if len(raw) <= LONGEST else f"{text}… (cut after {LONGEST:,} of {len(raw):,} bytes)"


def _text(raw: bytes) -> str | None:
    if len(raw) > LONGEST:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if clean(text) == text else None


def _facts(row: Row, *, is_held: bool) -> "Iterator[tuple[str, str]]":
    yield "id", cells.cut(str(row["id"]))
    limit, spent = cast("int", row["max_receive_count"]), row["dead_letter"]
    times = "time" if limit == 1 else "times"
    yield "dead letter", f"after {limit:,} {times} to {cells.cut(str(spent))}" if spent else "none"
    received = cast("int", row["receive_count"]) - (0 if is_held else 1)
    yield "received", render.counted(received, "time") if received > 0 else "not yet"
    if row["rerouted"]:
        yield "came from", cells.cut(str(row["rerouted_from"]))
    yield "sent by", cells.cut(str(row["client_id"] or "")) or "not told"
    yield "md5", cells.cut(str(row["md5_of_body"]))


def _checked(text: str, *, is_json: bool) -> str:
    if is_json:
        try:
            json_text.read(text)
        except json_text.NotJSON as error:
            raise ValueError(f"{error} Nothing was sent.") from None
    return text


def _tags(text: str) -> dict[str, str]:
    pairs = [each.strip().partition("=") for each in text.splitlines() if each.strip()]
    if wrong := [key for key, equals, _ in pairs if not equals or not key]:
        raise ValueError(
            f"a tag is key=value, one a line, not {cells.cut(wrong[0]) or '='}. Nothing was sent."
        )
    return {key: value for key, _, value in pairs}
