"""kill -9 of a broker that holds messages; tests/campaign/kills.py tries random moments, many times."""

import os
import signal
import threading

import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker import launcher
from tests.campaign.kills import everything_in, message
from tests.plain_wire import Wire

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(300)]


@pytest.fixture
def broker():
    broker = launcher.launch()
    yield broker
    broker.stop()


def get(wire, channel, limit):
    """Open a transaction; its stream, to be kept, and what it holds."""
    hold = threading.Event()

    def requests():
        yield pb.QueuesDownstreamRequest(
            RequestID="get",
            ClientID="reader",
            RequestTypeData=pb.Get,
            Channel=channel,
            MaxItems=limit,
            WaitTimeout=5000,
        )
        hold.wait()

    stream = wire.stream("QueuesDownstream", requests(), pb.QueuesDownstreamResponse)
    return stream, next(stream).Messages, hold


def test_messages_of_an_open_transaction_come_back_at_their_places_after_a_kill(broker):
    wire = Wire(broker.address, broker.token())
    for number in range(10):
        wire.unary("SendQueueMessage", message(f"m{number}", "held"), pb.SendQueueMessageResult)
    _stream, held, hold = get(wire, "held", 5)

    os.kill(broker.pid, signal.SIGKILL)
    hold.set()
    broker.restart()

    request = pb.ReceiveQueueMessagesRequest(
        ClientID="reader", Channel="held", MaxNumberOfMessages=10, WaitTimeSeconds=5
    )
    back = Wire(broker.address, broker.token()).unary(
        "ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse
    )
    assert [message.MessageID for message in held] == [f"m{n}" for n in range(5)]
    assert [message.MessageID for message in back.Messages] == [f"m{n}" for n in range(10)]
    assert {message.Attributes.ReceiveCount for message in back.Messages} == {1}


def test_a_message_of_an_old_stream_comes_back_behind_the_others_after_a_kill(broker):
    wire = Wire(broker.address, broker.token())
    for number in range(3):
        wire.unary("SendQueueMessage", message(f"m{number}", "held"), pb.SendQueueMessageResult)
    hold = threading.Event()

    def requests():
        yield pb.StreamQueueMessagesRequest(
            ClientID="reader", StreamRequestTypeData=pb.ReceiveMessage, Channel="held", VisibilitySeconds=600
        )
        hold.wait()

    stream = wire.stream("StreamQueueMessage", requests(), pb.StreamQueueMessagesResponse)
    first = next(stream).Message.MessageID

    os.kill(broker.pid, signal.SIGKILL)
    hold.set()
    broker.restart()

    request = pb.ReceiveQueueMessagesRequest(
        ClientID="reader", Channel="held", MaxNumberOfMessages=3, WaitTimeSeconds=5
    )
    back = Wire(broker.address, broker.token()).unary(
        "ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse
    )
    assert first == "m0"
    assert [(m.MessageID, m.Attributes.ReceiveCount) for m in back.Messages] == [
        ("m1", 1),
        ("m2", 1),
        ("m0", 2),
    ]


def test_what_was_acked_before_a_kill_does_not_come_back(broker):
    wire = Wire(broker.address, broker.token())
    for number in range(4):
        wire.unary("SendQueueMessage", message(f"m{number}", "acked"), pb.SendQueueMessageResult)
    everything = everything_in(wire, "acked")

    os.kill(broker.pid, signal.SIGKILL)
    broker.restart()

    assert len(everything) == 4
    assert everything_in(Wire(broker.address, broker.token()), "acked") == []
