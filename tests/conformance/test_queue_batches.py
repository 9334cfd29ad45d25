"""The two ways to send many messages to a queue, over a stream and by one call after another, do the same."""

import uuid

import pytest

from kubemq_nb._wire import codec
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.messages import QueueMessage
from tests.conformance.client_support import ME, numbered
from tests.plain_wire import Wire

pytestmark = pytest.mark.embedded_only
COUNT = 2100


def changed(values, *changes):
    """Values of which some are others."""
    return [dict(changes).get(place, value) for place, value in enumerate(values)]


SENT = {
    "bodies": {},
    "ids": {"id": [f"id{number}" for number in range(COUNT)]},
    "ids of some": {"id": changed([None] * COUNT, (5, "five"), (1500, "1500"))},
    "a delay in the second call": {"delay": changed([None] * COUNT, (1200, 30))},
    "all delayed": {"delay": [30] * COUNT},
    "an expiration in each call": {"expiration": changed([None] * COUNT, (1, 60), (1001, 60), (2001, 60))},
    "an empty one, which is not sent": {"body": changed(numbered(COUNT), (1100, b""))},
    "none of a call": {"body": [b""] * 1000 + numbered(COUNT - 1000)},
    "more tries without a dead letter": {"dead_letter": changed([None] * COUNT, (7, "x y"))},
}


@pytest.mark.parametrize("name", SENT)
def test_both_ways_store_the_same_and_tell_the_same(both_ways, name):
    columns = {"body": numbered(COUNT)} | SENT[name]

    stream, calls = (said_and_stored(QueuesClient(way), columns) for way in both_ways)

    assert stream == calls
    assert len(stream[0]) == COUNT


def said_and_stored(client, columns):
    """What sending these says of each row, and what the queue holds then, without times and made-up ids."""
    channel = f"kubemq-nb-test.{uuid.uuid4().hex[:8]}"
    told = client.send_rows(QueueMessage(channel=channel, client_id=ME), columns).single()
    held = client.receive(channel, count=COUNT, wait=1, client_id=ME).payloads
    messages = [codec.decode_queue_message(payload) for payload in held]

    assert {result.channel for result in told} == {channel}
    assert [m.id for m in messages] == [result.id for result in told if result.sent and not result.delayed_to]
    assert all(
        result.id == id for result, id in zip(told, columns.get("id", [None] * COUNT), strict=True) if id
    )
    return (
        [
            (result.sent, result.error, *map(bool, (result.sent_at, result.expiration_at, result.delayed_to)))
            for result in told
        ],
        [(message.body, message.expiration, message.sequence) for message in messages],
    )


@pytest.fixture
def wire(broker):
    wire = Wire(broker.address, broker.token())
    yield wire
    wire.channel.close()


@pytest.fixture
def ask(wire, channel):
    """Sends one request on a stream; its answer."""

    def ask(*messages, brief):
        request = pb.QueuesUpstreamRequest(
            RequestID="r", Messages=[{"ClientID": "s", "Channel": channel, **fields} for fields in messages]
        )
        request.MergeFromString(codec.brief(b"") if brief else b"")
        stream = wire.stream("QueuesUpstream", iter([request]), pb.QueuesUpstreamResponse)
        answer = next(stream)
        stream.cancel()
        return answer

    return ask


GOOD = {"MessageID": "good", "Body": b"x"}


def test_whoever_does_not_ask_for_one_time_gets_results(ask):
    answer = ask(GOOD, GOOD, brief=False)

    assert [result.MessageID for result in answer.Results] == ["good", "good"]
    assert not answer.SentAt


def test_one_time_stands_for_results_that_say_no_more(ask, wire, channel):
    answer = ask(GOOD, GOOD, brief=True)

    assert (answer.RefRequestID, len(answer.Results), answer.IsError) == ("r", 0, False)
    assert [m.Attributes.Timestamp for m in wire.receive(channel, 2).Messages] == [answer.SentAt] * 2


@pytest.mark.parametrize(
    "other",
    [{"MessageID": "late", "Body": b"x", "Policy": {"DelaySeconds": 5}}, {"MessageID": "empty"}],
    ids=["delayed", "refused"],
)
def test_a_result_that_says_more_is_told_with_all_others(ask, other):
    for messages in ((GOOD, other, GOOD), (other, other)):
        answer = ask(*messages, brief=True)

        assert [result.MessageID for result in answer.Results] == [each["MessageID"] for each in messages]
        assert not answer.SentAt
