"""kill -9 at random moments: what was acknowledged is there, once, in order; judged by sets of ids."""

import contextlib
import itertools
import os
import random
import signal
import threading
import time

import grpc
import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker import launcher
from tests.plain_wire import Wire

KILLS = 20
SEED = 20260701
pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(300)]


def message(id, channel):
    return pb.QueueMessage(MessageID=id, ClientID="sender", Channel=channel, Body=b"x" * 200)


def send_unary(wire, ids, acked):
    for id in ids:
        wire.unary("SendQueueMessage", message(id, "unary"), pb.SendQueueMessageResult)
        acked.append(id)


def send_batch(wire, ids, acked):
    while True:
        batch = list(itertools.islice(ids, 25))
        request = pb.QueueMessagesBatchRequest(Messages=[message(id, "batch") for id in batch])
        wire.unary("SendQueueMessagesBatch", request, pb.QueueMessagesBatchResponse)
        acked.extend(batch)


def send_upstream(wire, ids, acked):
    sent = {}

    def requests():
        for number in itertools.count():
            sent[str(number)] = list(itertools.islice(ids, 10))
            messages = [message(id, "upstream") for id in sent[str(number)]]
            yield pb.QueuesUpstreamRequest(RequestID=str(number), Messages=messages)

    for response in wire.stream("QueuesUpstream", requests(), pb.QueuesUpstreamResponse):
        acked.extend(sent.pop(response.RefRequestID))


def send_events(wire, ids, acked):
    for id in ids:
        event = pb.Event(EventID=id, ClientID="sender", Channel="stored", Body=b"x" * 200, Store=True)
        wire.unary("SendEvent", event, pb.Result)
        acked.append(id)


def send_event_stream(wire, ids, acked):
    def requests():
        for id in ids:
            yield pb.Event(EventID=id, ClientID="sender", Channel="streamed", Body=b"x", Store=True)

    for result in wire.stream("SendEventsStream", requests(), pb.Result):
        acked.append(result.EventID)


QUEUES = {"unary": send_unary, "batch": send_batch, "upstream": send_upstream}
LOGS = {"stored": send_events, "streamed": send_event_stream}
SENDERS = QUEUES | LOGS


def until_killed(sender, wire, ids, acked):
    with contextlib.suppress(grpc.RpcError):
        sender(wire, ids, acked)


def everything_in(wire, queue):
    found = []
    while True:
        request = pb.ReceiveQueueMessagesRequest(
            ClientID="reader", Channel=queue, MaxNumberOfMessages=1024, WaitTimeSeconds=1
        )
        response = wire.unary("ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse)
        found.extend(message.MessageID for message in response.Messages)
        if len(response.Messages) < 1024:
            return found


def everything_stored(wire, channel):
    last = pb.Event(EventID="last", ClientID="sender", Channel=channel, Body=b"x", Store=True)
    wire.unary("SendEvent", last, pb.Result)
    request = pb.Subscribe(
        SubscribeTypeData=pb.Subscribe.EventsStore,
        ClientID=f"reader-{channel}",
        Channel=channel,
        EventsStoreTypeData=pb.Subscribe.StartFromFirst,
    )
    stream = wire.subscribe("SubscribeToEvents", request, pb.EventReceive)
    found = list(iter(lambda: next(stream).EventID, "last"))
    stream.cancel()
    return found


@pytest.fixture
def broker():
    broker = launcher.launch()
    yield broker
    broker.stop()


def eventually_grown(acked):
    """Wait until every sender has had an answer, however slow the machine is."""
    before = {name: len(ids) for name, ids in acked.items()}
    deadline = time.monotonic() + 20
    while any(len(ids) == before[name] for name, ids in acked.items()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def survived(broker):
    """The acknowledged ids, and those that are there after the kills, for each way of sending."""
    chance = random.Random(SEED)
    acked = {name: [] for name in SENDERS}
    ids = {name: (f"{name}-{number:07d}" for number in itertools.count()) for name in SENDERS}
    for _ in range(KILLS):
        wires = {name: Wire(broker.address, broker.token()) for name in SENDERS}
        threads = [
            threading.Thread(target=until_killed, args=(sender, wires[name], ids[name], acked[name]))
            for name, sender in SENDERS.items()
        ]
        for thread in threads:
            thread.start()
        eventually_grown(acked)
        time.sleep(chance.uniform(0, 0.3))  # the random moment itself
        os.kill(broker.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        broker.restart()
    wire = Wire(broker.address, broker.token())
    there = {name: everything_in(wire, name) for name in QUEUES}
    there |= {name: everything_stored(wire, name) for name in LOGS}
    return acked, there


def test_twenty_kills_lose_nothing_double_nothing_and_keep_the_order(survived):
    acked, there = survived

    for name in SENDERS:
        assert len(acked[name]) >= KILLS, f"{name}: too few were sent to tell anything"
        assert set(acked[name]) - set(there[name]) == set(), f"{name}: acknowledged and lost"
        assert len(there[name]) == len(set(there[name])), f"{name}: doubled"
        assert there[name] == sorted(there[name]), f"{name}: out of order"


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
