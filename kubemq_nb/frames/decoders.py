"""Decoders by name: how bodies are read, where a reader says so. Nothing that runs code of a body, ever."""

from collections import Counter
from collections.abc import Callable, Sequence

from kubemq_nb.frames import expanding
from kubemq_nb.frames.cloudevents import of_cloudevent
from kubemq_nb.frames.decoding import decode
from kubemq_nb.frames.expanding import Budget, Undecodable

Decoder = Callable[[bytes], object]

MSGPACK = frozenset(range(0x81, 0xA0)) | {0xDC, 0xDD, 0xDE, 0xDF}  # begins of a map or a list with elements
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
NAMES = (
    *("auto", "text", "json", "hex", "base64", "cloudevents", "msgpack", "gzip", "zstd"),
    *("protobuf", "protobuf:FILE:TYPE"),
)


def decoder(wanted: str | Decoder, budget: Budget) -> Decoder:
    """The decoder of this name, which spends of the budget; a function is one itself.

    Raises:
        ValueError: There is none of this name, or its schema cannot be read.
        ImportError: It needs a package that is not installed.
    """
    if callable(wanted):
        return wanted
    if isinstance(wanted, str) and wanted.startswith("protobuf:"):
        return _protobuf(wanted)
    make = MADE.get(wanted) if isinstance(wanted, str) else None
    if make is None:
        raise ValueError(f"decode wants one of {', '.join(NAMES)} or a function of bytes; not {wanted}")
    return make(budget)


def decode_with(read: Decoder, bodies: Sequence[bytes]) -> tuple[list[object], Counter[str]]:
    """Each body as the decoder reads it, None where it cannot; and why, with how often."""
    failures: Counter[str] = Counter()
    found: list[object] = []
    for body in bodies:
        try:
            found.append(read(body) if body else None)
        except Exception as error:  # noqa: BLE001  a decoder may be the user's; one body must not cost the others
            found.append(None)
            failures[str(error) or type(error).__name__] += 1
    return found, failures


def _protobuf(wanted: str) -> Decoder:
    from kubemq_nb.frames import protobuf  # noqa: PLC0415  it is needed by those who name it

    file, colon, name = wanted.removeprefix("protobuf:").rpartition(":")
    if not colon or not file or not name:
        raise ValueError("decode wants protobuf:FILE:TYPE, as in protobuf:orders.desc:shop.Order")
    return protobuf.typed(file, name)


def _raw(_: Budget) -> Decoder:
    from kubemq_nb.frames import protobuf  # noqa: PLC0415  the same

    return protobuf.raw


def _text(body: bytes) -> object:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Undecodable(f"not text: {error.reason} at byte {error.start}") from None


def _auto(budget: Budget) -> Decoder:
    """JSON, text, and what says itself what it is; a body in none of these forms is None, and no failure."""

    def read(body: bytes) -> object:
        if body.startswith(GZIP):
            return expanding.content(expanding.gunzip(body, budget))
        if body.startswith(ZSTD):
            return expanding.content(expanding.unzstd(body, budget))
        found = decode(body)
        return _maybe_msgpack(body) if found is None and body[0] in MSGPACK else found

    return read


def _maybe_msgpack(body: bytes) -> object:
    try:
        return expanding.of_msgpack(body)
    except (Undecodable, ImportError):
        return None


def _msgpack(_: Budget) -> Decoder:
    expanding.optional("msgpack")
    return expanding.of_msgpack


def _zstd(budget: Budget) -> Decoder:
    expanding.optional("zstandard")
    return lambda body: expanding.content(expanding.unzstd(body, budget))


MADE: dict[str, Callable[[Budget], Decoder]] = {
    "auto": _auto,
    "text": lambda _: _text,
    "json": lambda _: expanding.of_json,
    "hex": lambda _: bytes.hex,
    "base64": lambda _: expanding.of_base64,
    "cloudevents": lambda _: of_cloudevent,
    "msgpack": _msgpack,
    "gzip": lambda budget: lambda body: expanding.content(expanding.gunzip(body, budget)),
    "zstd": _zstd,
    "protobuf": _raw,
}
