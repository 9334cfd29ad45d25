"""Messages as plain values, which scenarios hold as JSON, and back. The types are the product's own."""

import base64
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kubemq_nb._wire import kubemq_pb2

METHODS = kubemq_pb2.DESCRIPTOR.services_by_name["kubemq"].methods_by_name

Plain = dict[str, Any]


def request_type(method: str) -> type[Message]:
    return GetMessageClass(METHODS[method].input_type)


def answer_type(method: str) -> type[Message]:
    return GetMessageClass(METHODS[method].output_type)


def request(method: str, values: Plain) -> Message:
    """What a method is asked, from proto JSON with the field names of the proto file."""
    return json_format.ParseDict(values, request_type(method)())


def plain(message: Message) -> Plain:
    """Every field of a message by its name, set or not: bytes as base64, enums by name."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def _field(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if isinstance(value, Message):
        return plain(value) if message.HasField(field.name) else None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str | bytes | int | float):
        return _scalar(field, value)
    return [_scalar(field, item) for item in value]


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return plain(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if field.enum_type and value in field.enum_type.values_by_number and value:
        return field.enum_type.values_by_number[value].name
    return value


def is_default(value: Any) -> bool:
    """Whether a value is what a field holds that nobody has set; a message of such values counts too."""
    if isinstance(value, dict):
        return all(map(is_default, value.values()))
    return not value
