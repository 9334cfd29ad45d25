"""Wire bytes to columns in bulk."""

from hashlib import md5

from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb._wire import codec, columns, damaged
from kubemq_nb._wire import kubemq_pb2 as pb

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**31 - 1)
instants = st.integers(0, 2**62)
delivered = st.builds(
    pb.QueueMessage,
    MessageID=texts,
    ClientID=texts,
    Channel=texts,
    Metadata=texts,
    Body=st.binary(max_size=50),
    Tags=st.dictionaries(texts, texts, max_size=3),
    Attributes=st.builds(
        pb.QueueMessageAttributes,
        Timestamp=instants,
        Sequence=st.integers(0, 2**63),
        MD5OfBody=texts,
        ReceiveCount=numbers,
        ReRouted=st.booleans(),
        ReRoutedFromQueue=texts,
        ExpirationAt=instants,
        DelayedTo=instants,
    ),
    Policy=st.builds(
        pb.QueueMessagePolicy,
        ExpirationSeconds=numbers,
        DelaySeconds=numbers,
        MaxReceiveCount=numbers,
        MaxReceiveQueue=texts,
    ),
)
TIMES = {"timestamp", "expiration_at", "delayed_to"}
DAMAGED = b"\x22\x02\xff\xfe"  # metadata that is not UTF-8


@given(st.lists(delivered.map(lambda message: message.SerializeToString()), max_size=5))
def test_columns_say_what_one_message_after_another_says(payloads):
    result = columns.queue_messages(payloads)

    assert result.errors == []
    for row, payload in enumerate(payloads):
        message = codec.decode_queue_message(payload)
        for name, values in result.columns.items():
            value = codec.instant(values[row]) if name in TIMES else values[row]
            if name == "sequence":
                value = value or None
            assert value == getattr(message, name), name


def test_all_columns_are_there_when_nothing_is():
    assert set(map(len, columns.queue_messages([]).columns.values())) == {0}
    assert set(map(len, columns.events([]).columns.values())) == {0}
    assert set(map(len, columns.requests([]).columns.values())) == {0}


def test_a_damaged_message_keeps_its_row_and_is_named():
    good = pb.QueueMessage(MessageID="1", Metadata="fine", Body=b"x").SerializeToString()

    result = columns.queue_messages([good, good + DAMAGED, b"\xff\xff", good])

    assert result.columns["metadata"] == ["fine", r"\xff\xfe", "", "fine"]
    assert result.columns["body"] == [b"x", b"x", b"\xff\xff", b"x"]
    assert result.errors == [(1, damaged.NOT_UTF8), (2, damaged.NOT_A_MESSAGE)]


def test_the_digest_is_computed_where_the_server_left_it_out():
    silent = pb.QueueMessage(Body=b"x").SerializeToString()
    telling = pb.QueueMessage(Body=b"x", Attributes={"MD5OfBody": "told"}).SerializeToString()

    result = columns.queue_messages([silent, telling])

    assert result.columns["md5_of_body"] == [md5(b"x").hexdigest(), "told"]


def test_the_sender_of_an_event_is_what_an_official_client_tagged():
    tagged = pb.EventReceive(Channel="a", Tags={columns.SENDER_TAG: "sdk"}).SerializeToString()
    untagged = pb.EventReceive(Channel="a", Sequence=3, Timestamp=4).SerializeToString()

    result = columns.events([tagged, untagged])

    assert result.columns["client_id"] == ["sdk", ""]
    assert result.columns["sequence"] == [0, 3]
    assert result.columns["timestamp"] == [0, 4]


def test_the_timeout_of_a_request_is_in_seconds():
    payload = pb.Request(RequestID="1", Timeout=1500, CacheKey="k", CacheTTL=3).SerializeToString()

    result = columns.requests([payload])

    assert result.columns["timeout"] == [1.5]
    assert result.columns["cache_ttl"] == [3]
