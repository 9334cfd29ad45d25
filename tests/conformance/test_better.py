"""Where the real server hurts its users, the embedded broker does not (docs/compatibility.md)."""

import hashlib
import itertools
import json
import threading

import grpc
import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire import methods
from tests.conformance.support import eventually
from tests.plain_wire import Wire

MANAGEMENT = "kubemq.cluster.internal.requests"
pytestmark = pytest.mark.embedded_only


@pytest.fixture
def wire(broker):
    wire = Wire(broker.address, broker.token())
    yield wire
    wire.channel.close()


def ids(response):
    return [message.MessageID for message in response.Messages]


class Downstream:
    """A downstream that sends what it is told to."""

    def __init__(self, wire):
        self._turn = threading.Semaphore(0)
        self._requests = []
        self._answers = wire.stream("QueuesDownstream", self._sent(), pb.QueuesDownstreamResponse)

    def _sent(self):
        for number in itertools.count():
            self._turn.acquire()
            yield self._requests[number]

    def ask(self, type, **fields):
        """Send a request that gets an answer, and wait for that."""
        self.tell(type, **fields)
        return next(self._answers)

    def tell(self, type, **fields):
        """Send a request whose success says nothing."""
        self._requests.append(
            pb.QueuesDownstreamRequest(RequestID="r", ClientID="reader", RequestTypeData=type, **fields)
        )
        self._turn.release()

    def get(self, channel, limit, *, wait=1000):
        return self.ask(pb.Get, Channel=channel, MaxItems=limit, WaitTimeout=wait)

    def close(self):
        self._answers.cancel()


@pytest.fixture
def downstream(wire):
    downstream = Downstream(wire)
    yield downstream
    downstream.close()


# Names


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x00", "\x7f", "\u2003", "\u0085"])
def test_white_space_and_control_characters_of_any_kind_are_refused(wire, channel, character):
    name = f"{channel}{character}x"

    result = wire.send(name, "m")[0]
    with pytest.raises(grpc.RpcError) as caught:
        wire.event(name, store=True)

    assert result.Error.startswith("Error 120:")
    assert caught.value.details().startswith("Error 108:")


def test_a_long_name_works(wire, channel):
    name = channel + "x" * 1000

    wire.send(name, "m")

    assert ids(wire.receive(name)) == ["m"]


def test_a_colon_in_a_queue_name_works(wire, channel):
    wire.send(f"{channel}:a", "m")

    assert ids(wire.receive(f"{channel}:a")) == ["m"]


def test_a_group_reads_a_stored_channel_with_a_colon(wire, channel):
    wire.event(f"{channel}:a", "e", store=True)

    stream = wire.listen(f"{channel}:a", client_id="g", group="g", start=2)

    assert next(stream).EventID == "e"


@pytest.mark.parametrize("name", ["/", "..", "."])
def test_an_event_that_cannot_be_stored_is_not_called_sent(wire, channel, name):
    result = wire.event(f"{channel}{name}x" if name != "." else f".{channel}", store=True)

    assert (result.Sent, result.Error) == (False, "stan: invalid publish request")


# Queues


def test_receivers_of_one_queue_do_not_queue_up_behind_each_other(wire, channel):
    first = wire.receiving(channel, wait=30)
    second = wire.receiving(channel, wait=30)

    wire.send(channel, "a", "b")

    assert {*ids(first.result(5)), *ids(second.result(5))} == {"a", "b"}


def test_a_peek_under_way_locks_nothing(wire, channel):
    wire.send(channel, "a", "b")
    peek = wire.receiving(channel, 10, wait=20, peek=True)

    received = wire.receive(channel, 2)

    assert ids(received) == ["a", "b"]
    assert not peek.done()
    peek.cancel()


def test_a_receive_that_is_cancelled_loses_nothing(wire, channel):
    wire.send(channel, "a", "b", "c")
    receiving = wire.receiving(channel, 10, wait=20)
    eventually(lambda: info(wire, channel).Waiting == 0)

    receiving.cancel()

    eventually(lambda: info(wire, channel).Waiting == 3)
    assert ids(wire.receive(channel, 3)) == ["a", "b", "c"]


def test_a_receive_whose_deadline_comes_first_loses_nothing(wire, channel):
    wire.send(channel, "a")
    request = pb.ReceiveQueueMessagesRequest(
        ClientID="reader", Channel=channel, MaxNumberOfMessages=5, WaitTimeSeconds=5
    )

    with pytest.raises(grpc.RpcError):
        wire.unary("ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse, timeout=0.5)

    assert ids(wire.receive(channel)) == ["a"]


def test_an_open_transaction_swallows_no_later_messages(wire, channel, downstream):
    wire.send(channel, "a", "b")
    downstream.get(channel, 10)

    wire.send(channel, "c", "d")

    assert ids(wire.receive(channel, 2)) == ["c", "d"]


def test_a_poll_that_finds_only_expired_messages_goes_on_waiting(wire, channel, downstream):
    wire.send(channel, "old", ExpirationSeconds=1)
    threading.Event().wait(1.1)
    sender = threading.Timer(0.5, wire.send, (channel, "new"))
    sender.start()

    answer = downstream.get(channel, 1, wait=15_000)
    sender.join()

    assert ids(answer) == ["new"]


def test_more_than_two_hundred_polls_do_not_hold_each_other_up(wire, channel):
    streams = [wire.stream("StreamQueueMessage", waiting(channel), pb.StreamQueueMessagesResponse)]
    streams += [
        wire.stream("StreamQueueMessage", waiting(channel), pb.StreamQueueMessagesResponse)
        for _ in range(219)
    ]

    wire.send(channel, *(f"m{n}" for n in range(220)))

    assert len({next(stream).Message.MessageID for stream in streams}) == 220
    for stream in streams:
        stream.cancel()


def waiting(channel):
    yield pb.StreamQueueMessagesRequest(
        ClientID="reader",
        StreamRequestTypeData=pb.ReceiveMessage,
        Channel=channel,
        VisibilitySeconds=60,
        WaitTimeSeconds=60,
    )
    threading.Event().wait(20)


def test_pipelined_upstream_requests_are_stored_and_answered_in_order(wire, channel):
    requests = [
        pb.QueuesUpstreamRequest(
            RequestID=str(number),
            Messages=[pb.QueueMessage(MessageID=f"{number:03}", ClientID="s", Channel=channel, Body=b"x")],
        )
        for number in range(300)
    ]

    stream = wire.stream("QueuesUpstream", iter(requests), pb.QueuesUpstreamResponse)
    answered = [next(stream).RefRequestID for _ in requests]
    stream.cancel()

    assert answered == [str(number) for number in range(300)]
    assert ids(wire.receive(channel, 300)) == [f"{number:03}" for number in range(300)]


def test_nacked_messages_keep_their_order(wire, channel, downstream):
    wire.send(channel, *"abcdef")
    transaction = downstream.get(channel, 6).TransactionId

    downstream.tell(pb.NAckAll, RefTransactionId=transaction)

    assert ids(wire.receive(channel, 6, wait=5)) == list("abcdef")


def test_delayed_messages_with_one_id_are_all_delivered(wire, channel):
    wire.send(channel, "same", "same", DelaySeconds=1)

    assert ids(wire.receive(channel, 2, wait=10)) == ["same", "same"]


def test_a_delayed_message_is_not_held_up_by_thousands_of_others(wire, channel):
    wire.send(f"{channel}.other", *(f"m{n}" for n in range(1100)), DelaySeconds=60)
    wire.send(channel, "early", DelaySeconds=1)

    assert ids(wire.receive(channel, wait=10)) == ["early"]


def test_the_digest_of_a_body_is_the_true_one(wire, channel):
    wire.send(channel, "m", body=b"body")

    attributes = wire.receive(channel).Messages[0].Attributes

    assert attributes.MD5OfBody == hashlib.md5(b"body").hexdigest()


def test_a_peek_of_more_than_fits_into_one_answer_gives_what_fits(wire, channel):
    for id in ("a", "b", "c"):
        wire.send(channel, id, body=b"x" * 40_000_000)

    assert ids(wire.receive(channel, 3, peek=True)) == ["a", "b"]
    assert ids(wire.receive(channel, 3)) == ["a", "b"]
    assert ids(wire.receive(channel, 1)) == ["c"]


# Events and requests


def test_a_subscription_is_live_once_its_headers_are_there(wire, channel):
    for number in range(30):
        stream = wire.listen(channel)
        wire.event(channel, str(number))

        assert next(stream).EventID == str(number)
        stream.cancel()


def test_an_answer_cannot_be_sent_anywhere_but_to_an_asker(wire, channel):
    stream = wire.listen(channel)
    response = pb.Response(ClientID="c", RequestID="r", ReplyChannel=channel, Body=b"injected", Executed=True)

    wire.unary("SendResponse", response, pb.Empty)
    wire.event(channel, "honest")

    assert next(stream).EventID == "honest"


def test_a_query_with_a_cache_key_is_answered_from_what_was_answered_before(wire, channel):
    request = pb.Subscribe(SubscribeTypeData=pb.Subscribe.Queries, ClientID="responder", Channel=channel)
    stream = wire.subscribe("SubscribeToRequests", request, pb.Request)
    stream.initial_metadata()

    def respond():
        asked = next(stream)
        response = pb.Response(
            ClientID="responder",
            RequestID=asked.RequestID,
            ReplyChannel=asked.ReplyChannel,
            Body=b"42",
            Executed=True,
        )
        wire.unary("SendResponse", response, pb.Empty)

    responder = threading.Thread(target=respond)
    responder.start()
    first = wire.query(channel, body=b"?", key="k", ttl=60)
    responder.join()
    stream.cancel()

    second = wire.query(channel, body=b"?", key="k", ttl=60)

    assert (first.Body, first.CacheHit) == (b"42", False)
    assert (second.Body, second.CacheHit, second.Executed) == (b"42", True, True)


# Channels


def manage(wire, verb, **tags):
    return wire.query(MANAGEMENT, metadata=verb, tags=tags)


def listed(wire, kind, search):
    answer = manage(wire, "list-channels", channel_type=kind, channel_search=search)
    return {item["name"]: item for item in json.loads(answer.Body)}


@pytest.mark.parametrize("kind", ["queues", "events", "events_store", "commands", "queries"])
def test_channels_are_made_listed_and_deleted(wire, channel, kind):
    made = manage(wire, "create-channel", channel_type=kind, channel=channel, client_id="c")
    before = listed(wire, kind, channel)
    deleted = manage(wire, "delete-channel", channel_type=kind, channel=channel, client_id="c")

    assert (made.Executed, made.Error, deleted.Executed, deleted.Error) == (True, "", True, "")
    assert set(before) == {channel}
    assert before[channel]["type"] == kind
    assert set(before[channel]) >= {"lastActivity", "isActive", "incoming", "outgoing"}
    assert listed(wire, kind, channel) == {}


def test_a_list_of_channels_finds_what_was_used(wire, channel):
    wire.send(channel, "a", "b")
    wire.event(channel)
    wire.event(channel, store=True)

    assert listed(wire, "queues", channel)[channel]["incoming"]["waiting"] == 2
    assert listed(wire, "events", channel)[channel]["incoming"]["messages"] == 1
    assert listed(wire, "events_store", channel)[channel]["incoming"]["messages"] == 1


def test_a_deleted_queue_is_empty_and_uses_no_number_again(wire, channel):
    wire.send(channel, "a", "b")

    manage(wire, "delete-channel", channel_type="queues", channel=channel)
    wire.send(channel, "c")

    message = wire.receive(channel).Messages[0]
    assert (message.MessageID, message.Attributes.Sequence) == ("c", 3)


def test_who_holds_a_message_of_a_deleted_queue_acknowledges_nothing_that_was_sent_later(session, channel):
    session.queues.send(channel, "old")
    with session.queues.transaction(channel, count=2, wait=1) as transaction:
        session.channels.delete("queues", channel)
        session.queues.send(channel, "new")
        transaction.ack()

    assert list(session.queues.receive(channel, wait=1)["body"]) == [b"new"]


@pytest.mark.parametrize(
    ("verb", "tags", "error"),
    [
        ("create-channel", {"channel_type": "topics", "channel": "x"}, "is no type of channel"),
        ("create-channel", {"channel_type": "queues", "channel": "a b"}, "Error 120"),
        ("delete-channel", {"channel_type": "queues", "channel": "no-such"}, "there is no channel no-such"),
        ("list-channels", {"channel_type": "topics"}, "is no type of channel"),
        ("drop-channel", {}, "is none of create-channel"),
    ],
)
def test_what_channel_management_refuses_is_said(wire, verb, tags, error):
    answer = manage(wire, verb, **tags)

    assert not answer.Executed
    assert error in answer.Error


def info(wire, name):
    """What QueuesInfo says of one queue."""
    response = wire.unary("QueuesInfo", pb.QueuesInfoRequest(QueueName=name), pb.QueuesInfoResponse)
    return next(iter(response.Info.Queues), pb.QueueInfo())


def test_queues_info_counts_without_a_wait(wire, channel):
    wire.send(channel, "a", "b", "c", body=b"12345")
    wire.receive(channel)

    told = info(wire, channel)

    assert (told.Messages, told.Waiting, told.Sent, told.Delivered) == (2, 2, 3, 1)
    assert (told.FirstSequence, told.LastSequence) == (2, 3)
    assert told.Bytes > 10


def test_queues_info_tells_what_is_delayed_and_held(wire, channel):
    wire.send(channel, "a")
    wire.send(channel, "later", DelaySeconds=600)

    told = info(wire, channel)

    assert (told.Waiting, told.HasField("Delayed"), told.Delayed, told.Held) == (1, True, 1, 0)


# Connections


def test_frequent_pings_of_an_idle_connection_are_fine(broker):
    options = [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with grpc.insecure_channel(broker.address, options=options) as channel:
        subscribe = channel.unary_stream(methods.path("SubscribeToEvents"))
        request = pb.Subscribe(SubscribeTypeData=1, ClientID="c", Channel="idle").SerializeToString()
        stream = subscribe(request, metadata=(("authorization", broker.token()),))
        stream.initial_metadata()
        threading.Event().wait(6)  # a strict server ends it with the third ping

        assert stream.is_active()
        stream.cancel()
