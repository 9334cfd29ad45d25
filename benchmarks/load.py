"""The messages that all benches move, made from their numbers, and check sums over what came of them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

CARRIERS = ("UA", "AA", "B6", "DL")
ORIGINS = ("EWR", "LGA", "JFK")


class Item(NamedTuple):
    """One message: about 150 bytes on the wire."""

    id: str
    metadata: str
    body: bytes
    tags: dict[str, str]


def item(number: int, size: int = 0) -> Item:
    """The message of this number; its body has at least `size` bytes."""
    carrier, origin = CARRIERS[number % 4], ORIGINS[number % 3]
    said = {"flight": number, "carrier": carrier, "origin": origin, "delay": number % 97, "miles": 1400}
    body = json.dumps(said).encode()
    if size > len(body):
        body = body[:-1] + b', "remarks": "' + b"." * (size - len(body) - 15) + b'"}'
    tags = {"carrier": carrier, "origin": origin} if number % 2 else {"carrier": carrier}
    return Item(f"flight-{number:08}", "departed", body, tags)


def items(first: int, count: int, size: int = 0) -> list[Item]:
    """So many messages, from this number on."""
    return [item(number, size) for number in range(first, first + count)]


def columns(first: int, count: int, size: int = 0) -> dict[str, list[Any]]:
    """The same, as columns of a frame."""
    return {
        name: list(values)
        for name, values in zip(Item._fields, zip(*items(first, count, size), strict=True), strict=True)
    }


def checksum(
    ids: Iterable[str], metadata: Iterable[str], bodies: Iterable[bytes], tags: Iterable[Mapping[str, str]]
) -> str:
    """One text for messages in their order; another for any other messages, or another order."""
    digest = hashlib.sha256()
    for id, about, body, tag in zip(ids, metadata, bodies, tags, strict=True):
        digest.update(repr((id, about, bytes(body), sorted(tag.items()))).encode())
    return digest.hexdigest()


def checksum_of_frame(frame: Any) -> str:
    """The same over the columns of a DataFrame."""
    return checksum(frame["id"], frame["metadata"], frame["body"], frame["tags"])


def expected(first: int, count: int, size: int = 0) -> str:
    """The check sum of what was sent."""
    return checksum(*zip(*items(first, count, size), strict=True))
