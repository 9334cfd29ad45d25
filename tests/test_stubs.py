"""The generated wire contract: against the official SDKs' own, and out of their way."""

import base64
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from kubemq_nb._wire import kubemq_pb2
from tests.official import VERSIONS

READ = """
import base64
from kubemq.grpc import kubemq_pb2
print(base64.b64encode(kubemq_pb2.DESCRIPTOR.serialized_pb).decode())
"""


@pytest.fixture(params=VERSIONS)
def theirs(request, official) -> descriptor_pb2.FileDescriptorProto:
    done = subprocess.run([official(request.param), "-c", READ], capture_output=True, text=True, check=True)
    return descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(done.stdout))


def ours() -> descriptor_pb2.FileDescriptorProto:
    proto = descriptor_pb2.FileDescriptorProto()
    kubemq_pb2.DESCRIPTOR.CopyToProto(proto)
    return proto


def contract(proto: descriptor_pb2.FileDescriptorProto) -> set[tuple[object, ...]]:
    """Every field, enum value and method of a file, each as one tuple."""
    facts: set[tuple[object, ...]] = set()
    todo = [("", message) for message in proto.message_type]
    enums = [("", enum) for enum in proto.enum_type]
    while todo:
        prefix, message = todo.pop()
        name = f"{prefix}.{message.name}"
        facts |= {(name, f.name, f.number, f.type, f.label, f.type_name) for f in message.field}
        todo += [(name, nested) for nested in message.nested_type]
        enums += [(name, nested) for nested in message.enum_type]
    facts |= {
        (f"{prefix}.{enum.name}", value.name, value.number) for prefix, enum in enums for value in enum.value
    }
    for service in proto.service:
        facts |= {
            (service.name, m.name, m.input_type, m.output_type, m.client_streaming, m.server_streaming)
            for m in service.method
        }
    return facts


@pytest.mark.timeout(600)
def test_everything_in_the_official_contract_is_in_ours(theirs):
    missing = contract(theirs) - contract(ours())

    assert missing == set()


@pytest.mark.timeout(600)
def test_a_renumbered_field_would_be_seen(theirs):
    wrong = ours()
    next(message for message in wrong.message_type if message.name == "Event").field[0].number = 77

    assert contract(theirs) - contract(wrong)


def test_our_contract_stays_out_of_the_shared_pool():
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("kubemq.QueueMessage")
