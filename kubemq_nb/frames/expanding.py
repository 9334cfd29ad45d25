"""Decoders of bodies that may grow far beyond their size: each stops at a bound, and says so."""

import base64
import binascii
import io
import json
import zlib
from datetime import datetime
from importlib import import_module
from typing import Any

from kubemq_nb.frames.decoding import decode, refuse_constant

MOST_BYTES = 8_000_000  # that one body may expand to
MOST_PARTS = 250_000  # lists, dicts and their elements in one body
MOST_IN_ALL = 64_000_000  # bytes that the bodies of one read may expand to
WINDOW = 2**23  # bytes that zstd may ask for while it works


class Undecodable(ValueError):
    """A body that is not what it was said to be, or more than is decoded; says why."""


class Budget:
    """What the bodies of one read may still expand to."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin another read."""
        self.left = MOST_IN_ALL

    def bound(self) -> int:
        """Bytes that the next body may expand to."""
        return min(MOST_BYTES, self.left)

    def spend(self, expanded: bytes) -> bytes:
        """Count a body that was expanded to at most one byte more than its bound."""
        if len(expanded) > self.bound():
            which = "one body" if self.left >= MOST_BYTES else "what is left for this read"
            raise Undecodable(f"expands beyond {self.bound():,} bytes, the most for {which}")
        self.left -= len(expanded)
        return expanded


def optional(name: str) -> Any:
    """A module of the extra `decode`.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(
            f"this decoder needs {name}, which is not installed: pip install 'kubemq-nb[decode]'"
        ) from None


def of_json(body: bytes) -> object:
    """A body that has to be JSON.

    Raises:
        Undecodable: It is not, or has too many parts.
    """
    _count_parts(body)
    try:
        return json.loads(body.decode(), parse_constant=refuse_constant)
    except RecursionError:
        raise Undecodable("nested too deeply") from None
    except ValueError as error:
        raise Undecodable(f"not JSON: {error}") from None


def _count_parts(body: bytes) -> None:
    """Three bytes of JSON may become a list of 56: count before anything is built."""
    if sum(map(body.count, (b"[", b"{", b","))) > MOST_PARTS:
        raise Undecodable(f"more than {MOST_PARTS:,} parts")


def content(expanded: bytes) -> object:
    """What was inside a body: JSON, else text, else bytes."""
    if expanded[:1] in {b"{", b"["}:
        _count_parts(expanded)
    found = decode(expanded)
    return expanded if found is None and expanded else found


def of_base64(body: bytes) -> object:
    """What a body of base64 holds, in either alphabet."""
    text = b"".join(body.split()).replace(b"-", b"+").replace(b"_", b"/")
    try:
        return content(base64.b64decode(text + b"=" * (-len(text) % 4), validate=True))
    except binascii.Error as error:
        raise Undecodable(f"not base64: {error}") from None


def gunzip(body: bytes, budget: Budget) -> bytes:
    """A gzip body expanded, member by member."""
    most, expanded, rest = budget.bound(), b"", body
    try:
        while rest and len(expanded) <= most:
            member = zlib.decompressobj(wbits=31)
            expanded += member.decompress(rest, most + 1 - len(expanded))
            if not member.eof and len(expanded) <= most:
                raise Undecodable("the gzip stream is cut off")
            rest = member.unused_data
    except zlib.error as error:
        raise Undecodable(f"not gzip: {error}") from None
    return budget.spend(expanded)


def unzstd(body: bytes, budget: Budget) -> bytes:
    """A zstd body expanded."""
    zstandard = optional("zstandard")
    # A window larger than what may come out would be allocated for nothing.
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    try:
        with decompressor.stream_reader(io.BytesIO(body), read_across_frames=True) as stream:
            expanded: bytes = stream.read(budget.bound() + 1)
    except zstandard.ZstdError as error:
        raise Undecodable(f"not zstd: {error}") from None
    return budget.spend(expanded)


def of_msgpack(body: bytes) -> object:
    """A msgpack body; its times become datetimes."""
    msgpack = optional("msgpack")
    parts = _Parts()
    if len(body) > MOST_BYTES:
        raise Undecodable(f"more than {MOST_BYTES:,} bytes of msgpack")
    most = min(len(body), MOST_PARTS)  # room for what a list claims to hold is made before it is read
    try:
        return msgpack.unpackb(
            body,
            raw=False,
            strict_map_key=False,
            timestamp=3,
            max_array_len=most,
            max_map_len=most,
            list_hook=parts.count,
            object_hook=parts.count,
            ext_hook=_extension,
        )
    except Undecodable:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        why = str(error) or type(error).__name__
        raise Undecodable(f"not msgpack: {why}") from None


class _Parts:
    """Counts lists and maps as they are built: an empty one takes one byte there and 64 here."""

    def __init__(self) -> None:
        self.left = MOST_PARTS

    def count(self, container: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Undecodable(f"more than {MOST_PARTS:,} parts")
        return container


def _extension(code: int, data: bytes) -> dict[str, int | bytes | datetime]:
    return {"extension": code, "data": data}
