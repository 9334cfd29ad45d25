"""The client on servers that answer late, half, wrongly or not at all."""

import socket
import threading

import grpc
import pytest

from kubemq_nb import errors
from kubemq_nb._wire import columns
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.events import EventsClient
from kubemq_nb.client.events_store import EventsStoreClient
from kubemq_nb.client.queues import UNCONFIRMED, QueuesClient
from kubemq_nb.client.requests import RequestsClient
from kubemq_nb.client.transactions import ManyTransaction
from kubemq_nb.messages import StartPosition
from tests.conformance.client_support import LONG, ME, bodies, event, message, not_waiting
from tests.conformance.strange_server import StrangeServer
from tests.conformance.support import PATIENCE, eventually

CLOSED = "cannot get active offsets with closed response "


@pytest.fixture
def server():
    server = StrangeServer()
    yield server
    server.stop()


@pytest.fixture
def connect(server):
    opened = []

    def connect(address=None, **options):
        opened.append(Connection(address or server.address, **options))
        return opened[-1]

    yield connect
    for channel in opened:
        channel.close()


@pytest.fixture
def queues(connect):
    return QueuesClient(connect(timeout=2.0))


def stored(number):
    return pb.QueueMessage(Body=str(number).encode(), Attributes={"Sequence": number}).SerializeToString()


def counts(waiting):
    """Answers QueuesInfo: this many wait in whatever is asked for."""

    def answer(request, _context):
        name = pb.QueuesInfoRequest.FromString(request).QueueName
        return pb.QueuesInfoResponse(Info={"Queues": [{"Name": name, "Waiting": waiting}]})

    return answer


def container(payloads, *, field=2, start=b""):
    """An answer that holds messages as bytes, good or not."""
    parts = [start]
    for payload in payloads:
        parts += [bytes([field << 3 | 2]), varint(len(payload)), payload]
    return b"".join(parts)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def downstream(payloads, *, confirm=True, asked=None):
    """A queue over QueuesDownstream that delivers these once and remembers what was acknowledged."""
    acknowledged = []

    def answer(requests, context):
        for raw in requests:
            request = pb.QueuesDownstreamRequest.FromString(raw)
            if asked is not None:
                asked.append((request.RequestTypeData, request.MaxItems, request.RefTransactionId))
            if request.RequestTypeData == pb.Get:
                start = pb.QueuesDownstreamResponse(
                    TransactionId="t", RefRequestId=request.RequestID, RequestTypeData=pb.Get
                )
                taken = payloads[: request.MaxItems]
                del payloads[: request.MaxItems]
                yield container(taken, field=4, start=start.SerializeToString())
            elif request.RequestTypeData == pb.AckRange:
                acknowledged.extend(request.SequenceRange)
            elif request.RequestTypeData == pb.ActiveOffsets and not confirm:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            elif request.RequestTypeData == pb.ActiveOffsets:
                yield pb.QueuesDownstreamResponse(
                    TransactionId="t", RefRequestId=request.RequestID, IsError=True, Error=CLOSED
                )

    return answer, acknowledged


def peeking(payloads):
    def answer(request, _context):
        count = pb.ReceiveQueueMessagesRequest.FromString(request).MaxNumberOfMessages
        return container(payloads[:count])

    return answer


def test_a_server_that_does_not_tell_what_is_delayed_is_not_guessed_at(server, queues):
    server.on("QueuesInfo", counts(1))
    server.on("ReceiveQueueMessages", peeking([stored(1)]))

    looked = queues.peek("a", count=10, wait=1, client_id=ME)

    assert (len(looked.payloads), looked.delayed, looked.held) == (1, None, None)


def test_a_server_without_counts_is_peeked_all_the_same(server, queues):
    server.on("ReceiveQueueMessages", peeking([stored(1), stored(2)]))

    looked = queues.peek("a", count=10, wait=1, client_id=ME)

    assert queues.info() is None
    assert bodies(looked.payloads) == ["1", "2"]


def test_a_server_without_counts_gives_one_with_the_wait_and_then_the_rest(server, queues):
    answer, acknowledged = downstream([stored(1), stored(2), stored(3)])
    server.on("QueuesDownstream", answer)

    with not_waiting():
        received = queues.receive("a", count=10, wait=LONG, client_id=ME)

    assert bodies(received.payloads) == ["1", "2", "3"]
    assert acknowledged == [1, 2, 3]


def test_no_more_is_asked_for_than_waits(server, queues):
    server.on("QueuesInfo", counts(2))
    server.on("ReceiveQueueMessages", peeking([stored(1), stored(2)]))

    queues.peek("a", count=500, wait=LONG, client_id=ME)

    (asked,) = map(pb.ReceiveQueueMessagesRequest.FromString, server.calls["ReceiveQueueMessages"])
    assert asked.MaxNumberOfMessages == 2
    assert asked.IsPeak


def test_no_more_is_polled_for_than_waits(server, queues):
    asked = []
    server.on("QueuesInfo", counts(2))
    server.on("QueuesDownstream", downstream([stored(1), stored(2)], asked=asked)[0])

    queues.receive("a", count=500, wait=LONG, client_id=ME)

    assert asked[0] == (pb.Get, 2, "")


def test_an_empty_poll_is_closed_before_the_receive_returns(server, queues):
    asked = []
    server.on("QueuesInfo", counts(0))
    server.on("QueuesDownstream", downstream([], asked=asked)[0])

    assert queues.receive("a", count=5, wait=1, client_id=ME).payloads == []

    assert asked == [(pb.Get, 1, ""), (pb.CloseByClient, 0, "t"), (pb.ActiveOffsets, 0, "t")]


def test_a_damaged_message_never_takes_its_batch_along(server, queues):
    damaged = stored(2) + b"\x22\x02\xff\xfe"
    server.on("QueuesInfo", counts(3))
    server.on("ReceiveQueueMessages", peeking([stored(1), damaged, stored(3)]))
    answer, acknowledged = downstream([stored(1), damaged, stored(3)])
    server.on("QueuesDownstream", answer)

    for received in (
        queues.peek("a", count=10, wait=0, client_id=ME),
        queues.receive("a", count=10, wait=0, client_id=ME),
    ):
        read = columns.queue_messages(received.payloads)
        assert read.columns["body"] == [b"1", b"2", b"3"]
        assert [row for row, _ in read.errors] == [1]
    assert acknowledged == [1, 2, 3]


def test_a_receipt_that_is_not_confirmed_loses_nothing_and_says_so(server, queues):
    server.on("QueuesInfo", counts(2))
    answer, _ = downstream([stored(1), stored(2)], confirm=False)
    server.on("QueuesDownstream", answer)

    received = queues.receive("a", count=10, wait=0, client_id=ME)

    assert bodies(received.payloads) == ["1", "2"]
    assert received.note == UNCONFIRMED


def test_more_than_one_grpc_message_carries_is_read_in_smaller_parts(server, queues):
    server.on("QueuesInfo", counts(8))

    def answer(request, context):
        count = pb.ReceiveQueueMessagesRequest.FromString(request).MaxNumberOfMessages
        if count > 2:
            context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "trying to send message larger than max (9 vs. 1)"
            )
        return container([stored(number) for number in range(1, count + 1)])

    server.on("ReceiveQueueMessages", answer)

    looked = queues.peek("a", count=8, wait=0, client_id=ME)

    assert bodies(looked.payloads) == ["1", "2"]
    assert looked.cut


@pytest.mark.usefixtures("nothing_settles")
def test_a_subscription_is_live_when_the_server_says_so_and_not_before(server, connect):
    standing, over = threading.Event(), threading.Event()

    def late(_request, context):
        over.wait(0.1)  # nobody sets it before: headers that take their time
        standing.set()
        context.send_initial_metadata(())
        over.wait(PATIENCE)
        yield from ()

    server.on("SubscribeToEvents", late)

    with EventsClient(connect()).subscribe("a", client_id=ME):
        assert standing.is_set()
        over.set()


@pytest.mark.parametrize("kind", ["events", "events_store", "queries"])
def test_a_subscription_to_our_broker_is_live_when_it_says_so_however_late(
    server, connect, monkeypatch, kind
):
    monkeypatch.setattr("kubemq_nb.client.subscription.SETTLE", 0.0)
    standing, over = threading.Event(), threading.Event()

    def late(_request, context):
        over.wait(0.5)  # as above
        standing.set()
        context.send_initial_metadata(())
        over.wait(PATIENCE)
        yield from ()

    server.on("SendEventsBatch", lambda _request, _context: b"")
    for method in ("SubscribeToEventsInBatches", "SubscribeToRequests"):
        server.on(method, late)
    subscribe = {
        "events": lambda: EventsClient(connect()).subscribe("a", client_id=ME),
        "events_store": lambda: EventsStoreClient(connect()).subscribe("a", start=StartPosition.new()),
        "queries": lambda: RequestsClient(connect()).subscribe("query", "a", client_id=ME),
    }

    with subscribe[kind]():
        assert standing.is_set()
        over.set()


def test_a_subscription_without_headers_is_live_after_it_settled(server, connect):
    over = threading.Event()

    def silent(_request, _context):
        over.wait(PATIENCE)
        yield from ()

    server.on("SubscribeToEvents", silent)

    with EventsClient(connect()).subscribe("a", client_id=ME) as subscription:
        assert subscription.state == "live"
    over.set()


@pytest.mark.usefixtures("nothing_settles")
def test_a_refused_subscription_raises_where_it_was_asked_for(server, connect):
    def refuse(_request, context):
        context.abort(grpc.StatusCode.INTERNAL, "nats: invalid subject")

    server.on("SubscribeToEvents", refuse)

    with pytest.raises(errors.RequestRejected, match="nats: invalid subject"):
        EventsClient(connect()).subscribe("a", client_id=ME)


def test_a_subscription_that_the_server_ends_is_made_again(server, connect):
    def one_each(_request, _context):
        yield pb.EventReceive(EventID="1")

    server.on("SubscribeToEvents", one_each)
    with EventsClient(connect()).subscribe("a", client_id=ME) as subscription:
        eventually(lambda: subscription.received >= 3)

        assert subscription.reconnects >= 1
        assert subscription.error is None


def test_a_subscription_refused_later_ends_with_the_reason(server, connect):
    refused = threading.Event()

    def once(_request, context):
        if refused.is_set():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "")
        refused.set()
        yield pb.EventReceive(EventID="1")

    server.on("SubscribeToEvents", once)
    with EventsClient(connect()).subscribe("a", client_id=ME) as subscription:
        assert subscription.next(PATIENCE)

        with pytest.raises(errors.AuthenticationFailed):
            subscription.next(PATIENCE)
        assert subscription.state == "failed"


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", errors.OutcomeUnknown),
        (grpc.StatusCode.UNKNOWN, "Stream removed", errors.OutcomeUnknown),
        (
            grpc.StatusCode.UNAVAILABLE,
            "grpc server is not ready to accept requests",
            errors.BrokerUnavailable,
        ),
        (grpc.StatusCode.INTERNAL, "Error 409: server is in shutdown mode", errors.BrokerUnavailable),
        (grpc.StatusCode.UNAUTHENTICATED, "", errors.AuthenticationFailed),
    ],
)
def test_a_send_that_fails_says_whether_it_may_have_been_done(server, queues, code, details, expected):
    server.on("SendQueueMessage", lambda _request, context: context.abort(code, details))

    with pytest.raises(expected):
        queues.send(message("a", "x"))


def test_a_send_that_is_never_answered_is_of_unknown_outcome(server, connect):
    over = threading.Event()
    server.on("SendQueueMessage", lambda _request, _context: over.wait(PATIENCE))
    queues = QueuesClient(connect(timeout=0.3))

    with pytest.raises(errors.OutcomeUnknown, match=r"within 0\.3 s"):
        queues.send(message("a", "x"))
    over.set()


def test_a_batch_that_breaks_off_tells_what_is_known(server, connect):
    calls = []

    def answer(request, context):
        calls.append(request)
        if len(calls) == 2:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        sent = pb.QueueMessagesBatchRequest.FromString(request).Messages
        return pb.QueueMessagesBatchResponse(Results=[{"MessageID": each.MessageID} for each in sent])

    server.on("SendQueueMessagesBatch", answer)
    batch = [message("a", number, id=str(number)) for number in range(2500)]

    with pytest.raises(errors.OutcomeUnknown, match="1,000 of 2,500") as caught:
        QueuesClient(connect()).send_batch(batch)

    assert [result.id for result in caught.value.results] == [str(number) for number in range(1000)]
    assert len(calls) == 2


@pytest.mark.parametrize(("count", "refused"), [(3, ()), (3, (1,)), (2500, ())])
def test_an_answer_to_a_batch_that_leaves_some_out_is_no_outcome_for_them(server, connect, count, refused):
    calls = []

    def answer(request, context):
        calls.append(request)
        sent = list(pb.QueueMessagesBatchRequest.FromString(request).Messages)
        told = sent if len(calls) < 2 < count / 1000 else sent[:-1]
        return pb.QueueMessagesBatchResponse(Results=[{"MessageID": each.MessageID} for each in told])

    server.on("SendQueueMessagesBatch", answer)
    batch = [message("" if number in refused else "a", number, id=str(number)) for number in range(count)]

    with pytest.raises(errors.OutcomeUnknown, match="answered for") as caught:
        QueuesClient(connect()).send_batch(batch)

    known = range(min(count, 2000) - 1)
    assert [each.id for each in caught.value.results] == [str(each) for each in known if each not in refused]
    assert len(calls) == (2 if count > 1000 else 1)


@pytest.fixture
def ours(server):
    """A server that passes for our own broker, and so gets many messages over a stream."""
    server.on("SendEventsBatch", lambda _request, _context: pb.QueueMessagesBatchResponse())
    return server


def upstream(answered, *, left_out=0):
    """Answers requests of a stream, the last of them without its last results; then it breaks."""

    def answer(requests, context):
        for number, request in enumerate(requests, 1):
            if number > answered:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            sent = pb.QueuesUpstreamRequest.FromString(request).Messages
            told = sent[: len(sent) - left_out] if number == answered else sent
            yield pb.QueuesUpstreamResponse(Results=[{"MessageID": each.MessageID} for each in told])

    return answer


def test_a_stream_of_messages_that_breaks_off_tells_what_is_known_of_all_under_way(ours, connect):
    ours.on("QueuesUpstream", upstream(1))
    batch = [message("a", number, id=str(number)) for number in range(5500)]

    with pytest.raises(errors.OutcomeUnknown, match="1,000 of 5,500 messages") as caught:
        QueuesClient(connect()).send_batch(batch)

    assert "Of the next 3,000 it is not known" in str(caught.value)
    assert [result.id for result in caught.value.results] == [str(number) for number in range(1000)]


def test_an_answer_on_the_stream_that_leaves_some_out_is_no_outcome_for_them(ours, connect):
    ours.on("QueuesUpstream", upstream(2, left_out=10))
    batch = [message("a", number, id=str(number)) for number in range(2500)]

    with pytest.raises(errors.OutcomeUnknown, match="answered for 990 of 1,000") as caught:
        QueuesClient(connect()).send_batch(batch)

    assert "Of the next 510 it is not known" in str(caught.value)
    assert [result.id for result in caught.value.results] == [str(number) for number in range(1990)]


def test_a_refused_request_on_the_stream_leaves_those_behind_it_unknown(ours, connect):
    refusal = pb.QueuesUpstreamResponse(IsError=True, Error="no messages to send")
    ours.on("QueuesUpstream", lambda requests, _context: (refusal for _ in requests))

    with pytest.raises(errors.OutcomeUnknown, match="Of the next 2,500 it is not known"):
        QueuesClient(connect()).send_batch([message("a", "x")] * 2500)


def test_a_stream_that_breaks_off_tells_what_was_stored(server, connect):
    def three(requests, context):
        for number, _ in enumerate(requests):
            if number == 3:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            yield pb.Result(EventID=str(number), Sent=True)

    server.on("SendEventsStream", three)
    with pytest.raises(errors.OutcomeUnknown, match="3 events were stored") as caught:
        EventsStoreClient(connect()).send_stream(event("a", number, id=str(number)) for number in range(10))

    assert [result.id for result in caught.value.results] == ["0", "1", "2"]


def test_a_stream_that_breaks_when_all_is_answered_tells_that_all_was_stored(server, connect):
    def all_of_them(requests, context):
        for number, _ in zip(range(3), requests, strict=False):
            yield pb.Result(EventID=str(number), Sent=True)
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    server.on("SendEventsStream", all_of_them)
    with pytest.raises(errors.OutcomeUnknown, match="3 events were stored") as caught:
        EventsStoreClient(connect()).send_stream(event("a", number, id=str(number)) for number in range(3))

    assert [result.id for result in caught.value.results] == ["0", "1", "2"]


def test_a_transaction_notices_that_its_stream_broke(server, connect):
    server.on("QueuesInfo", counts(1))
    held, _ = downstream([stored(1)])
    broken = threading.Event()

    def breaking(requests, context):
        yield from (next(held(requests, context)),)
        broken.wait(PATIENCE)
        context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    server.on("QueuesDownstream", breaking)
    transaction = ManyTransaction.receive(connect(), "a", count=1, wait=0, client_id=ME)

    broken.set()
    eventually(lambda: transaction.state == "lost")

    with pytest.raises(errors.TransactionClosed, match="lost"):
        transaction.ack()


@pytest.mark.rows("C-03")
def test_an_address_where_nothing_listens_is_told_at_once(connect):
    with not_waiting(), pytest.raises(errors.BrokerUnavailable) as caught:
        connect("127.0.0.1:1").connect()

    assert str(caught.value) == (
        "Nothing answers at 127.0.0.1:1 (connection refused). Is the server running?"
        " `%kubemq connect` without an address starts the embedded broker."
    )


def test_an_address_that_never_speaks_is_told_within_the_timeout(connect):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with not_waiting(), pytest.raises(errors.BrokerUnavailable, match=r"tried for 0\.5 s"):
            connect(address, timeout=0.5).connect()


def test_a_send_to_nobody_says_that_nothing_was_sent(connect):
    queues = QueuesClient(connect("127.0.0.1:1"))

    with pytest.raises(errors.BrokerUnavailable, match="Nothing was sent"):
        queues.send(message("a", "x"))
    with pytest.raises(errors.BrokerUnavailable, match="Nothing was sent"):
        queues.send_batch([message("a", "x")] * 2500)


def test_the_token_goes_with_every_call_but_ping(server, connect):
    server.on("QueuesInfo", counts(0))

    connect(token="canary").connect()

    assert "authorization" not in server.metadata["Ping"]
    assert server.metadata["QueuesInfo"]["authorization"] == "canary"


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(connect, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:1")

    assert connect().ping().host == "strange"


def test_a_wrong_token_is_told_when_connecting(server, connect):
    server.on("QueuesInfo", lambda _request, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no"))

    with pytest.raises(errors.AuthenticationFailed, match="--token-file"):
        connect(token="wrong").connect()


def test_threads_share_a_channel_without_mixing_answers(server, connect):
    server.on(
        "SendQueueMessage",
        lambda request, _context: pb.SendQueueMessageResult(
            MessageID=pb.QueueMessage.FromString(request).MessageID
        ),
    )
    queues = QueuesClient(connect())
    wrong = []

    def send(me):
        for number in range(50):
            result = queues.send(message("a", "x", id=f"{me}.{number}"))
            if result.id != f"{me}.{number}":
                wrong.append(result.id)

    threads = [threading.Thread(target=send, args=(me,)) for me in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert wrong == []
