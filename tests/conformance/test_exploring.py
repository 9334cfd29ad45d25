"""What reads and listings give to somebody who looks around: one form, counts, a way to other libraries."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from kubemq_nb import render
from kubemq_nb.frames.kinds import COLUMNS
from kubemq_nb.session import channels
from tests.conformance.support import eventually

READS = {
    "queues": lambda kq, ch: kq.queues.peek(ch, wait=0.1),
    "taken": lambda kq, ch: kq.queues.receive(ch, wait=0.1),
    "events": lambda kq, ch: kq.events.receive(ch, timeout=0.1),
    "events_store": lambda kq, ch: kq.events_store.receive(ch, idle=0.2),
    "commands": lambda kq, ch: kq.commands.respond(ch, echo=True).df,
    "channels": lambda kq, ch: kq.channels.list(filter=ch),
}
FORMS = COLUMNS | {"taken": COLUMNS["queues"], "channels": channels.COLUMNS}


@pytest.mark.rows("M-03")
@pytest.mark.parametrize("read", READS)
def test_a_read_of_nothing_is_a_frame_with_its_columns_and_dtypes(session, channel, read):
    frame = READS[read](session, channel)

    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FORMS[read]


@pytest.fixture
def filled(session, channel):
    """A queue and stored events with JSON bodies and tags."""
    for pattern in (session.queues, session.events_store):
        pattern.send(channel, rows=[{"n": 1, "to": "JFK"}, {"n": 2}], metadata="m", tags={"day": "1"})
    return channel


@pytest.mark.rows("M-03")
@pytest.mark.parametrize("read", ["queues", "taken", "events_store", "channels"])
def test_a_read_of_something_has_the_same_columns_and_dtypes(session, filled, read):
    frame = READS[read](session, filled)

    assert len(frame) == 2
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FORMS[read]


@pytest.mark.embedded_only
@pytest.mark.parametrize("read", ["queues", "taken"])
def test_a_queue_that_is_not_there_is_told_from_an_empty_one(session, channel, read):
    session.queues.send(f"{channel}.orders", "x")

    mistyped = READS[read](session, f"{channel}.ordres")
    session.queues.ack_all(f"{channel}.orders")
    empty = READS[read](session, f"{channel}.orders")

    told = f"there is no queue {channel}.ordres; did you mean {channel}.orders?"
    assert mistyped.attrs["note"] == told
    assert "there is no queue" in render.frame(mistyped).text
    assert empty.attrs["note"] == ""
    assert session.channels.list(filter=channel)["channel"].tolist() == [f"{channel}.orders"]


@pytest.mark.rows("M-26")
def test_a_queue_is_listed_with_what_waits_its_sequences_and_its_last_activity(session, channel):
    session.queues.send(channel, rows=["a", "b", "c"])
    session.queues.receive(channel, count=1)

    listed = eventually(lambda: waiting(session, channel, 2))

    assert (listed["kind"], listed["channel"]) == ("queues", channel)
    assert listed["last_sequence"] == 3
    assert listed["first_sequence"] in (1, 2)  # a server counts from the first it ever had
    assert abs(listed["last_activity"] - datetime.now(UTC)) < timedelta(minutes=1)


def waiting(session, channel, count):
    rows = session.stats(channel).to_dict("records")
    return next((row for row in rows if row["kind"] == "queues" and row["waiting"] == count), None)


@pytest.mark.rows("M-50")
@pytest.mark.parametrize("read", ["queues", "taken", "events_store", "channels"])
def test_a_frame_becomes_arrow_as_it_stands(session, filled, read):
    frame = READS[read](session, filled)

    table = pa.Table.from_pandas(frame)

    assert table.column_names == list(frame.columns)
    assert table.column("channel").to_pylist() == [filled] * 2


@pytest.mark.rows("M-50")
def test_bodies_tags_and_times_are_arrows_own_types(session, filled):
    table = pa.Table.from_pandas(session.queues.peek(filled, wait=0.1, fields="n"))

    assert table.column("decoded").to_pylist() == [{"n": 1, "to": "JFK"}, {"n": 2, "to": None}]
    assert table.column("n").to_pylist() == [1, 2]
    assert table.column("tags").to_pylist() == [{"day": "1"}] * 2
    assert table.schema.field("body").type == pa.binary()
    assert table.schema.field("timestamp").type == pa.timestamp("ns", tz="UTC")


LOSSLESS = {
    "queues": lambda kq: (kq.queues.send, kq.queues.peek),
    "events_store": lambda kq: (kq.events_store.send, kq.events_store.receive),
}


@pytest.mark.rows("M-33")
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("pattern", ["queues", "events_store"])
def test_what_was_read_into_a_file_is_sent_again_as_it_was_first_sent(
    session, channel, tmp_path, pattern, kind
):
    messages = [
        {"id": f"{channel}.{n}", "body": body, "metadata": "día", "tags": {"a": "1", "b": "=x,\n"}}
        for n, body in enumerate([b'{"n": 1}', b"\x00\xff", b"text, quoted \"'"])
    ]
    send, read, file = *LOSSLESS[pattern](session), tmp_path / f"read.{kind}"
    send(channel, rows=messages)

    read(channel, count=3, to_file=file)
    send(f"{channel}.again", rows=file)

    again = read(f"{channel}.again", count=3)
    assert again[["id", "body", "metadata", "tags"]].to_dict("records") == messages
