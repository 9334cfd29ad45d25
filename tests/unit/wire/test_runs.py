"""Messages in parts are what they are one by one."""

from hashlib import md5

from hypothesis import example, given
from hypothesis import strategies as st

from kubemq_nb._wire import columns, damaged, queue_requests
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.runs import Runs
from kubemq_nb._wire.serving import parts, receiving

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = 1_800_000_000_000_000_000
instants = st.integers(TIME, TIME + 2**60)
contents = st.builds(
    lambda **fields: pb.QueueMessage(**fields).SerializeToString(),
    MessageID=texts,
    ClientID=texts,
    Channel=st.sampled_from(["", "orders", "where it was before"]),
    Metadata=texts,
    Body=st.binary(max_size=50),
    Tags=st.dictionaries(texts, texts, max_size=2),
)
messages = st.tuples(
    st.just(1),
    st.integers(1, 2**40 - 1),
    contents,
    st.binary(min_size=16, max_size=16),
    instants,
    st.just(0) | instants,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from(["", "dead"]),
    st.sampled_from(["", "elsewhere"]),
)


def stored(content):
    return (1, 1, content, md5(b"").digest(), TIME, 0, 0, 0, 0, "", "")


def sent(of):
    """What a reader gets of these messages."""
    part = parts.queue_part(parts.runs_of("orders", of))
    return Runs(part, queue_requests.read_part(part).Runs)


@given(st.lists(messages, min_size=1, max_size=6))
def test_payloads_of_runs_are_those_that_other_calls_bring(given):
    payloads = list(receiving.delivered("orders", given))

    assert list(sent(given)) == payloads
    assert len(sent(given)) == len(payloads)
    assert payloads[0] in sent(given)


@given(st.lists(messages, min_size=1, max_size=6))
def test_columns_of_runs_are_those_of_their_payloads(given):
    assert columns.queue_messages(sent(given)) == columns.queue_messages(list(sent(given)))


@given(st.lists(messages, min_size=1, max_size=6))
@example([stored(b"")])
def test_sizes_of_runs_are_those_of_their_payloads(given):
    sizes = [size for run in parts.runs_of("orders", given) for size in run.sizes()]

    assert sizes == [len(payload) for payload in receiving.delivered("orders", given)]


def test_messages_that_have_all_in_common_are_one_run():
    alike = [(1, number, b"", bytes(16), TIME + number, number % 2, 0, 0, 0, "", "") for number in range(9)]

    assert len(parts.runs_of("orders", alike)) == 1


def test_a_damaged_message_of_a_run_keeps_its_row_and_its_place():
    good = pb.QueueMessage(MessageID="1", Body=b"x").SerializeToString()

    read = columns.queue_messages(
        sent([stored(content) for content in (good, good + b"\x22\x02\xff\xfe", good)])
    )

    assert read.columns["metadata"] == ["", r"\xff\xfe", ""]
    assert read.columns["sequence"] == [1, 1, 1]
    assert read.errors == [(1, damaged.NOT_UTF8)]
