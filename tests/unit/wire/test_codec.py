"""Messages to protobuf and back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb._wire import codec, damaged
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving import events as event_wire
from kubemq_nb.messages import Event, QueueMessage, Request, Response, StartPosition

texts = st.text(st.characters(exclude_categories=["Cs"]))
tags = st.dictionaries(texts, texts, max_size=3)
content = {
    "channel": texts,
    "id": texts,
    "metadata": texts,
    "client_id": texts,
    "body": st.binary(max_size=200),
    "tags": tags,
}
seconds = st.integers(0, 43_200)
queue_messages = st.builds(
    QueueMessage, **content, expiration=seconds, delay=seconds, max_receive_count=seconds, dead_letter=texts
)
events = st.builds(Event, **content)
requests = st.builds(
    Request,
    **content,
    kind=st.sampled_from(["command", "query"]),
    timeout=st.integers(0, 10**6).map(lambda milliseconds: milliseconds / 1000),
    cache_key=texts,
    cache_ttl=seconds,
)


def sent_part(message: QueueMessage) -> QueueMessage:
    """What a sender sets; the digest is the reader's."""
    return replace(message, md5_of_body="")


@given(queue_messages)
def test_a_queue_message_comes_back_as_it_was_sent(message):
    payload = codec.encode_queue_message(message).SerializeToString()

    assert sent_part(codec.decode_queue_message(payload)) == message


@given(queue_messages)
def test_what_the_server_sets_is_never_sent(message):
    assert not codec.encode_queue_message(message).HasField("Attributes")


def test_a_message_without_a_policy_sends_none():
    assert not codec.encode_queue_message(QueueMessage(channel="a", body=b"x")).HasField("Policy")


@given(events)
def test_an_event_comes_back_without_its_sender(event):
    sent = codec.encode_event(event, store=True)
    delivered = pb.EventReceive(
        EventID=sent.EventID, Channel=sent.Channel, Metadata=sent.Metadata, Body=sent.Body, Tags=sent.Tags
    )

    decoded = codec.decode_event(delivered.SerializeToString())

    assert (decoded.id, decoded.channel, decoded.metadata) == (event.id, event.channel, event.metadata)
    assert (decoded.body, decoded.tags) == (event.body, event.tags)
    assert decoded.sequence is None
    assert decoded.timestamp is None


@given(requests)
def test_a_request_comes_back_as_it_was_sent(request_):
    assert codec.decode_request(codec.encode_request(request_).SerializeToString()) == request_


def test_an_answer_goes_to_where_its_request_wants_it():
    asked = Request(kind="query", channel="prices", id="7", reply_channel="_INBOX.1")
    answered_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    answer = Response(executed=True, body=b"1", timestamp=answered_at, client_id="me", tags={"a": "b"})

    wire = codec.encode_response(answer, to=asked)
    read = codec.decode_response(wire.SerializeToString(), channel="prices", elapsed=0.5)

    assert (wire.RequestID, wire.ReplyChannel) == ("7", "_INBOX.1")
    assert (read.body, read.timestamp, read.tags, read.elapsed) == (b"1", answered_at, {"a": "b"}, 0.5)


@pytest.mark.parametrize(("said", "unit"), [(1_767_323_045, 1), (1_767_323_045_000_000_000, 10**9), (0, 1)])
def test_an_answer_may_say_its_time_in_seconds_or_nanoseconds(said, unit):
    answer = pb.Response(Executed=True, Timestamp=said).SerializeToString()

    timestamp = codec.decode_response(answer, channel="prices", elapsed=0.0).timestamp

    assert (timestamp.timestamp() if timestamp else 0) == said / unit


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_survives_the_wire_to_the_microsecond(time):
    assert codec.instant(codec.nanoseconds(time)) == time


def test_no_instant_is_none():
    assert codec.instant(0) is None


@pytest.mark.parametrize(
    ("asked", "sent"), [(0.7, 700), (2, 2000), (0.0001, 1), (1.0005, 1001), (8.015, 8015)]
)
def test_milliseconds_are_rounded_up_so_that_nothing_ends_early(asked, sent):
    assert codec.milliseconds(asked) == sent


@pytest.mark.rows("S-07", "S-08")
def test_a_start_time_goes_as_nanoseconds_and_a_span_as_seconds():
    time = datetime(2026, 1, 2, tzinfo=UTC)

    at = codec.encode_store_subscription("a", client_id="c", group="", start=StartPosition.at_time(time))
    ago = codec.encode_store_subscription(
        "a", client_id="c", group="", start=StartPosition.ago(timedelta(minutes=2))
    )

    assert at.EventsStoreTypeData == pb.Subscribe.StartAtTime
    assert at.EventsStoreTypeValue == int(time.timestamp()) * 10**9
    assert ago.EventsStoreTypeData == pb.Subscribe.StartAtTimeDelta
    assert ago.EventsStoreTypeValue == 120


@given(st.binary(max_size=200))
def test_reading_never_fails_whatever_the_bytes(payload):
    codec.decode_queue_message(payload)
    codec.decode_event(payload)
    codec.decode_request(payload)
    codec.decode_response(payload, channel="a", elapsed=0)
    codec.event_position(payload)
    codec.queue_sequence(payload)


def not_utf8(field: int) -> bytes:
    """A text field of the wire that holds the bytes ff fe."""
    return bytes([field << 3 | 2, 2, 0xFF, 0xFE])


def test_a_damaged_message_is_read_with_escapes_and_nothing_else_lost():
    good = pb.QueueMessage(
        MessageID="1", Channel="a", Body=b"\xff", Tags={"k": "v"}, Attributes={"Sequence": 9}
    ).SerializeToString()

    message = codec.decode_queue_message(good + not_utf8(4))

    assert message.metadata == r"\xff\xfe"
    assert (message.id, message.body, message.tags, message.sequence) == ("1", b"\xff", {"k": "v"}, 9)


def test_a_damaged_tag_is_read_with_escapes():
    entry = b"\x0a\x01k" + b"\x12\x02\xff\xfe"
    payload = bytes([6 << 3 | 2, len(entry)]) + entry

    assert codec.decode_queue_message(payload).tags == {"k": r"\xff\xfe"}


def test_the_position_of_a_damaged_event_is_read():
    payload = pb.EventReceive(Sequence=12, Timestamp=34).SerializeToString() + not_utf8(3)

    assert codec.event_position(payload) == (12, 34)


def test_what_is_no_message_keeps_all_its_bytes():
    message, error = damaged.parse(pb.QueueMessage, b"\xff\xff\xff")

    assert message.Body == b"\xff\xff\xff"
    assert error == damaged.NOT_A_MESSAGE


def test_what_the_broker_dropped_is_read_from_the_event_that_tells_it():
    event = pb.EventReceive(Channel="c", Body=b"x").SerializeToString()
    told = event_wire.missed(7)

    assert codec.events_missed(event + told) == 7
    assert codec.decode_event(event + told) == codec.decode_event(event)


def test_a_body_that_looks_like_a_loss_is_none():
    event = pb.EventReceive(Channel="c", Body=b"x" + event_wire.missed(7)).SerializeToString()

    assert codec.events_missed(event) == 0
    assert codec.events_missed(b"\xff" + event_wire.missed(7)) == 0
