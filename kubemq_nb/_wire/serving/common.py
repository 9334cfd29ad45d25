"""What every part of the broker's side of the wire needs: reading safely, making ids, the empty answers."""

import random
import secrets
import string
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtoMessage

from kubemq_nb._wire import kubemq_pb2 as pb

_LENGTH_GIVEN = 2  # the wire type of bytes, text and messages

M = TypeVar("M", bound=ProtoMessage)

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LETTERS = bytes(ord(_ALPHABET[number % len(_ALPHABET)]) for number in range(256))


class Malformed(Exception):
    """Bytes that are no message of the kind expected."""


def new_id() -> str:
    """An id as the real server makes them: 22 characters, base 62. Nobody need fail to guess it."""
    return "".join(random.choices(_ALPHABET, k=22))  # noqa: S311


def new_inbox() -> str:
    """A name that nobody can guess, for the place where an answer is expected; in the real server's form."""
    letters = secrets.token_bytes(30).translate(_LETTERS).decode()
    return f"_INBOX.{letters[:22]}.{letters[22:]}"


def read(kind: type[M], data: bytes) -> M:
    """Decode one message, or raise Malformed."""
    try:
        return kind.FromString(data)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"these bytes are no valid {kind.DESCRIPTOR.name}") from error


def with_fields(message: bytes, number: int, contents: Iterable[bytes]) -> bytes:
    """A message in its wire form with contents of one field behind it, by the number of the field.

    A library that is given them copies each two times more, which counts when they are large.
    """
    parts = [message]
    for content in contents:
        parts += (start_of_field(number, len(content)), content)
    return b"".join(parts)


@lru_cache(maxsize=4096)
def start_of_field(number: int, size: int) -> bytes:
    """What stands before the `size` bytes of a field's content."""
    return _varint(number << 3 | _LENGTH_GIVEN) + _varint(size)


def _varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def read_nothing(data: bytes) -> None:
    """Check an empty request."""
    read(pb.Empty, data)


def ping_result(host: str, version: str, start: int, uptime: int) -> bytes:
    """The answer to a ping; times in seconds."""
    result = pb.PingResult(Host=host, Version=version, ServerStartTime=start, ServerUpTimeSeconds=uptime)
    return result.SerializeToString()


def nothing() -> bytes:
    """The answer without fields."""
    return b""
