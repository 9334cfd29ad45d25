"""Bytes that no client would send: every call is answered or refused, nothing ends, nobody waits."""

import random
import string
import uuid

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire import methods
from tests.plain_wire import Wire

SEED = 5
UNARY = [name for name, shape in methods.METHODS.items() if shape is methods.UNARY]
STREAMS = [name for name, shape in methods.METHODS.items() if shape is not methods.UNARY]
SERVICE = pb.DESCRIPTOR.services_by_name["kubemq"]
PROMPT = 20.0  # seconds in which a refusal comes even on a busy machine; a hang takes all of them
pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def own_broker():
    from kubemq_nb.broker import launcher

    broker = launcher.launch()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def wire(own_broker):
    wire = Wire(own_broker.address, own_broker.token())
    yield wire
    wire.channel.close()


@pytest.fixture(autouse=True)
def afterwards(own_broker, wire):
    """Whatever a test sent: the same process still serves others, and saw nothing that it did not expect."""
    before = own_broker.pid
    yield
    wire.send("others", "m")
    assert [m.MessageID for m in wire.receive("others").Messages] == ["m"]
    assert own_broker.is_running
    assert own_broker.pid == before
    assert "failed inside" not in own_broker.log_file.read_text()
    assert "Traceback" not in own_broker.log_file.read_text()


def fields_with_text(rpc):
    """The string fields of a method's request, those of messages inside included."""
    request = SERVICE.methods_by_name[rpc].input_type
    for field in request.fields:
        if field.type == field.TYPE_STRING:
            yield (field.number,)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in field.message_type.fields:
                if inner.type == inner.TYPE_STRING:
                    yield (field.number, inner.number)


def wired(path, value):
    """The wire form of one field, inside others when the path is longer."""
    for number in reversed(path):
        value = bytes([number << 3 | 2, len(value)]) + value
    return value


BAD_TEXT = [
    (rpc, path, text)
    for rpc in methods.METHODS
    for path in fields_with_text(rpc)
    for text in (b"\xff\xfe", b"a\xc3", b"\xed\xa0\x80")
]


def outcome(wire, rpc, data):
    """What comes of sending these bytes, one way or another."""
    shape = methods.METHODS[rpc]
    try:
        if shape is methods.UNARY:
            return wire.unary(rpc, data, pb.Empty, timeout=PROMPT)
        if shape is methods.SERVER_STREAM:
            return next(wire.subscribe(rpc, data, pb.Empty, timeout=PROMPT))
        stream = wire.stream(rpc, iter([data]), pb.Empty, timeout=PROMPT)
        return next(stream, None)
    except grpc.RpcError as error:
        return error.code()


@pytest.mark.parametrize(("rpc", "path", "text"), BAD_TEXT)
def test_text_that_is_no_utf8_is_refused(wire, rpc, path, text):
    assert outcome(wire, rpc, wired(path, text)) is not grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("rpc", methods.METHODS)
def test_random_bytes_are_answered_or_refused(wire, rpc):
    chance = random.Random(SEED)
    # Bytes that begin like no message: what decodes by chance may be a wait, which is fine but slow.
    samples = [b"\xff" + chance.randbytes(chance.randrange(200)) for _ in range(30)]

    outcomes = [outcome(wire, rpc, sample) for sample in samples]

    assert grpc.StatusCode.DEADLINE_EXCEEDED not in outcomes
    assert grpc.StatusCode.UNAVAILABLE not in outcomes


# Older protobuf refuses lone surrogates itself; those that reach the wire are tried above.
NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    string.ascii_letters + ".*> \t\n", max_size=8
)
GOOD_NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
LIMITS = st.just(0) | NUMBERS  # most messages have none


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channel=GOOD_NAMES | NAMES,
    client_id=GOOD_NAMES | NAMES,
    limits=st.tuples(LIMITS, LIMITS, LIMITS),
    dead_letter=st.just("") | NAMES,
    metadata=NAMES,
    body=st.binary(max_size=50),
)
def test_whatever_is_accepted_can_be_received(wire, channel, client_id, limits, dead_letter, metadata, body):
    expiration, delay, count = limits
    message = pb.QueueMessage(
        MessageID=uuid.uuid4().hex,
        ClientID=client_id,
        Channel=channel,
        Metadata=metadata,
        Body=body,
        Policy=pb.QueueMessagePolicy(
            ExpirationSeconds=expiration,
            DelaySeconds=delay,
            MaxReceiveCount=count,
            MaxReceiveQueue=dead_letter,
        ),
    )
    result = wire.unary("SendQueueMessage", message, pb.SendQueueMessageResult)

    if not result.IsError and not delay:
        received = wire.receive(channel).Messages[0]
        while received.MessageID != message.MessageID:  # one that was delayed before
            received = wire.receive(channel).Messages[0]
        assert (received.Body, received.Metadata, received.Channel) == (body, metadata, channel)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(channel=NAMES, limit=NUMBERS, wait=st.integers(-5, 0) | st.integers(3601, 2**31 - 1))
def test_numbers_out_of_bounds_are_refused_at_once(wire, channel, limit, wait):
    request = pb.ReceiveQueueMessagesRequest(
        ClientID="reader", Channel=channel, MaxNumberOfMessages=limit, WaitTimeSeconds=wait, IsPeak=True
    )

    response = wire.unary("ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse, timeout=PROMPT)

    assert response.IsError or (wait == 0 and 1 <= limit <= 1024)


def test_a_bad_message_does_not_take_its_batch_along(wire):
    good = pb.QueueMessage(MessageID="good", ClientID="c", Channel="batch", Body=b"x").SerializeToString()
    bad = wired((3,), b"\xff\xfe")
    data = wired((2,), bad) + wired((2,), good)

    response = wire.unary("SendQueueMessagesBatch", data, pb.QueueMessagesBatchResponse)

    assert [result.IsError for result in response.Results] == [True, False]
    assert [m.MessageID for m in wire.receive("batch").Messages] == ["good"]


def test_bad_requests_on_a_stream_are_answered_and_the_stream_goes_on(wire):
    good = pb.QueuesDownstreamRequest(
        RequestID="good", ClientID="c", RequestTypeData=pb.ActiveOffsets, RefTransactionId="none"
    )
    stream = wire.stream("QueuesDownstream", iter([b"\xff", good]), pb.QueuesDownstreamResponse)

    bad, answer = next(stream), next(stream)
    stream.cancel()

    assert bad.IsError
    assert answer.RefRequestId == "good"


def test_a_message_over_the_limit_is_refused_by_its_size(wire):
    with pytest.raises(grpc.RpcError) as caught:
        wire.send("large", "m", body=b"x" * 104_857_601)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_of_nearly_the_limit_passes(wire):
    wire.send("large", "m", body=b"x" * 99_000_000)

    assert len(wire.receive("large").Messages[0].Body) == 99_000_000


def test_many_tags_pass(wire):
    tags = {str(number): "x" * 10 for number in range(20_000)}
    message = pb.QueueMessage(ClientID="c", Channel="tags", Body=b"x", Tags=tags)

    wire.unary("SendQueueMessage", message, pb.SendQueueMessageResult)

    assert dict(wire.receive("tags").Messages[0].Tags) == tags


def test_connections_that_speak_no_http2_are_dropped(own_broker):
    import socket

    host, _, port = own_broker.address.rpartition(":")
    chance = random.Random(SEED)
    for _ in range(50):
        with socket.create_connection((host, int(port)), timeout=PROMPT) as connection:
            connection.sendall(chance.randbytes(200))
