"""Protobuf bodies: with a schema that the user names, and without one as what is on the wire."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message

from kubemq_nb.frames.expanding import MOST_PARTS, Undecodable

DEEPEST = 20  # levels of a message without a schema
COMPILING = 30  # seconds

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types; 3 and 4 are groups, which nobody writes now


def typed(file: str, name: str) -> Callable[[bytes], object]:
    """The decoder of one type of a descriptor set (`protoc --include_imports --descriptor_set_out=FILE`).

    A `.proto` is compiled first, by grpcio-tools or a `protoc` on the path.

    Raises:
        ValueError: The file cannot be read or compiled, or has no such type.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {file} with the type {name}")
    pool = _pool(_compiled(path) if path.suffix == ".proto" else path.read_bytes(), path)
    try:
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    except KeyError:
        raise ValueError(f"{path.name} has no message type {name}; name it with its package") from None

    def read(body: bytes) -> object:
        try:
            message = _bounded(kind.FromString(body), len(body))
            return json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=pool)
        except Undecodable:
            raise
        except (DecodeError, json_format.Error, ValueError, TypeError, RecursionError) as error:
            raise Undecodable(f"not a {name}: {error}") from None

    return read


def _bounded(message: Message, size: int) -> Message:
    """Refuse a message of more values than are decoded; a short one cannot have them."""
    if size > MOST_PARTS and _parts(message) > MOST_PARTS:
        raise Undecodable(f"more than {MOST_PARTS:,} parts")
    return message


def _parts(message: Message) -> int:
    """How many values a message holds, counted before anything is made of them."""
    parts = 0
    for field, value in message.ListFields():
        several = value if hasattr(value, "__len__") and not isinstance(value, str | bytes) else [value]
        within = field.message_type and not field.message_type.GetOptions().map_entry
        parts += len(several) + (sum(map(_parts, several)) if within else 0)
    return parts


def _pool(descriptors: bytes, path: Path) -> descriptor_pool.DescriptorPool:
    """A pool of its own, so that no type of the notebook's own modules is met."""
    pool = descriptor_pool.DescriptorPool()
    try:
        for number, _, file in _fields(descriptors):
            if number == 1 and isinstance(file, bytes):
                pool.AddSerializedFile(file)
    except (TypeError, ValueError, DecodeError) as error:
        raise ValueError(
            f"{path.name} is no complete descriptor set: {error}; "
            "make it with protoc --include_imports --descriptor_set_out=FILE"
        ) from None
    return pool


def _compiled(path: Path) -> bytes:
    """The descriptor set of a `.proto`; its imports are found beside it."""
    compiler = _compiler()
    if compiler is None:
        raise ValueError(
            f"{path.name} has to be compiled first: pip install grpcio-tools, or give the file that "
            "protoc --include_imports --descriptor_set_out=FILE makes of it"
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set.desc"
        done = subprocess.run(  # noqa: S603  a compiler, on the file that the user named
            [*compiler, f"-I{path.parent}", "--include_imports", f"--descriptor_set_out={target}", str(path)],
            capture_output=True,
            text=True,
            timeout=COMPILING,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.splitlines()
            told = [line for line in lines if path.name in line and "WARNING" not in line] or lines
            raise ValueError(f"{path.name} cannot be compiled: {' '.join(' '.join(told).split())}")
        return target.read_bytes()


def _compiler() -> list[str] | None:
    if find_spec("grpc_tools"):
        return [sys.executable, "-m", "grpc_tools.protoc"]
    found = shutil.which("protoc")
    return [found] if found else None


def raw(body: bytes) -> object:
    """What is on the wire, by field number: numbers, text, messages within, else bytes; no schema is needed.

    Raises:
        Undecodable: It is no protobuf message.
    """
    return _Raw().message(body, 0)


class _Raw:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def message(self, body: bytes, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        many: set[str] = set()
        for number, kind, value in _fields(body):
            self._left -= 1
            if self._left < 0:
                raise Undecodable(f"more than {MOST_PARTS:,} parts")
            name, shown = str(number), self._value(kind, value, depth)
            if name in many:
                found[name].append(shown)
            elif name in found:
                found[name] = [found[name], shown]
                many.add(name)
            else:
                found[name] = shown
        return found

    def _value(self, kind: int, value: int | bytes, depth: int) -> object:
        """Text if it can be text, else a message if it can be one."""
        if kind != _BYTES:
            return value
        assert isinstance(value, bytes)
        try:
            text = value.decode()
            if all(letter.isprintable() or letter in "\t\r\n" for letter in text):
                return text
        except UnicodeDecodeError:
            pass
        try:
            return self.message(value, depth + 1) if depth < DEEPEST else value
        except Undecodable:
            return value


def _fields(body: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and value of each field."""
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        number, kind = key >> 3, key & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(body, at)
        elif kind in {_FIXED64, _FIXED32, _BYTES}:
            length, at = (8 if kind == _FIXED64 else 4, at) if kind != _BYTES else _varint(body, at)
            value, at = body[at : at + length], at + length
            if kind != _BYTES:
                value = int.from_bytes(value, "little")
        else:
            raise Undecodable(f"not protobuf: wire type {kind}")
        if at > len(body) or not 0 < number < 1 << 29:
            raise Undecodable("not protobuf: a field is cut off or has no number")
        yield number, kind, value


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(body[at : at + 10]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004  the bit that says that more follows
            return value, at + place + 1
    raise Undecodable("not protobuf: a number is cut off")
