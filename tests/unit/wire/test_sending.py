"""Messages of queues on their way into the broker, read and answered in bulk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving import common, sending

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
instants = st.integers(0, 2**62)
policies = st.builds(
    pb.QueueMessagePolicy,
    ExpirationSeconds=st.integers(-1, 2**31 - 1),
    DelaySeconds=st.integers(-1, 2**31 - 1),
    MaxReceiveCount=st.integers(-1, 2**31 - 1),
    MaxReceiveQueue=texts,
)
sent = st.builds(
    pb.QueueMessage,
    MessageID=ids,
    ClientID=texts,
    Channel=texts,
    Metadata=texts,
    Body=st.binary(max_size=50),
    Tags=st.dictionaries(texts, texts, max_size=1),
    Attributes=st.none() | st.builds(pb.QueueMessageAttributes, Sequence=instants),
    Policy=st.none() | policies,
)
results = st.tuples(texts, instants, st.just(0) | instants, st.just(0) | instants, st.just("") | texts)


def batch(messages: list[bytes]) -> tuple[bytes, list[bytes]]:
    """The request of a batch, and its messages as the broker finds them in it."""
    parts = common.with_fields(b"", pb.QueueMessagesBatchRequest.MESSAGES_FIELD_NUMBER, messages)
    return parts, list(sending.read_batch(parts)[1])


@pytest.mark.parametrize("most", [sending.TOGETHER, 0])
@given(st.lists(sent, min_size=1, max_size=4))
def test_messages_read_together_are_those_read_one_by_one(most, messages):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "TOGETHER", most)
        request, contents = batch([message.SerializeToString() for message in messages])
        assert list(sending.read_messages(request, contents)) == [*map(sending.read_message, contents)]


def test_messages_without_an_id_get_one_each():
    request, contents = batch([pb.QueueMessage(Channel="q", Metadata="m").SerializeToString()] * 2)
    read = list(sending.read_messages(request, contents))
    assert len({id for id, *_ in read} | {""}) == 3
    assert all(pb.QueueMessage.FromString(content).MessageID == id for id, _, _, _, content, *_ in read)


@pytest.mark.parametrize("most", [sending.TOGETHER, 0])
def test_a_message_that_does_not_decode_is_noticed_among_others(most, monkeypatch):
    monkeypatch.setattr(sending, "TOGETHER", most)
    request, contents = batch([b"", b"\x0a\x02\xff\xff"])
    with pytest.raises(common.Malformed):
        list(sending.read_messages(request, contents))


@given(st.lists(results, max_size=5))
def test_results_are_what_the_library_makes_of_them(told):
    made = pb.QueueMessagesBatchResponse.FromString(sending.batch_response("batch", told, have_errors=False))
    assert made.BatchID == "batch"
    assert list(made.Results) == [
        pb.SendQueueMessageResult(
            MessageID=id, SentAt=at, ExpirationAt=expires, DelayedTo=delayed, IsError=bool(error), Error=error
        )
        for id, at, expires, delayed, error in told
    ]
