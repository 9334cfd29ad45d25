"""Reading messages whose text is not UTF-8, which other clients can send and a server passes on.

protobuf refuses such a message as a whole. Here the same messages are declared with bytes in place of text,
built from the generated descriptors when the first damaged message comes, so the good ones pay nothing.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from kubemq_nb._wire import kubemq_pb2

M = TypeVar("M", bound=Message)

NOT_UTF8 = "text that is not UTF-8, shown with escapes"
NOT_A_MESSAGE = "not a message; all its bytes are in body"


def parse(kind: type[M], payload: bytes) -> tuple[M, str]:
    """Parse a message, or what can be read of it; the second value says what is wrong, "" for nothing.

    Text that is not UTF-8 is shown with backslash escapes. What is not even framed as a message has all its
    bytes in `Body`.
    """
    try:
        return kind.FromString(payload), ""
    except DecodeError:
        return _salvage(kind, payload)


def _salvage(kind: type[M], payload: bytes) -> tuple[M, str]:
    descriptor = kind.DESCRIPTOR
    try:
        loose = _class(descriptor.full_name).FromString(payload)
        _escape(loose, descriptor)
        return kind.FromString(loose.SerializeToString()), NOT_UTF8
    except DecodeError:
        return kind(Body=payload), NOT_A_MESSAGE


def _escape(loose: Message, strict: Any) -> None:
    for field, value in loose.ListFields():
        declared = strict.fields_by_name[field.name]
        if declared.message_type:
            for part in value if isinstance(value, Iterable) else (value,):
                _escape(part, declared.message_type)
        elif declared.type == declared.TYPE_STRING:
            setattr(loose, field.name, value.decode(errors="backslashreplace").encode())


@cache
def _class(name: str) -> type[Message]:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto()
    kubemq_pb2.DESCRIPTOR.CopyToProto(file)
    _loosen(file.message_type)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _loosen(messages: Iterable[descriptor_pb2.DescriptorProto]) -> None:
    for message in messages:
        message.options.map_entry = False
        for field in message.field:
            if field.type == field.TYPE_STRING:
                field.type = field.TYPE_BYTES
        _loosen(message.nested_type)
