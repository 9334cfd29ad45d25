import json
from datetime import UTC, date, datetime, timedelta
from hashlib import md5

import numpy as np
import pandas as pd
import pytest

from kubemq_nb import frames
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.results import Results
from kubemq_nb.frames.decoding import decode_all
from kubemq_nb.messages import SendResult

NOON = 1_700_000_000_123_456_789  # Unix nanoseconds


def queue_payload(**fields):
    attributes = fields.pop("attributes", {})
    policy = fields.pop("policy", {})
    return pb.QueueMessage(
        **{"MessageID": "m1", "ClientID": "c", "Channel": "orders", "Body": b"{}"} | fields,
        Attributes=pb.QueueMessageAttributes(
            **{"Timestamp": NOON, "Sequence": 7, "ReceiveCount": 1} | attributes
        ),
        Policy=pb.QueueMessagePolicy(**policy),
    ).SerializeToString()


def event_payload(body=b"x", **fields):
    return pb.EventReceive(**{"EventID": "e1", "Channel": "gates", "Body": body} | fields).SerializeToString()


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_a_frame_of_queue_messages_has_its_columns_and_dtypes():
    frame = frames.queue_messages([queue_payload()])

    assert dtypes(frame) == frames.COLUMNS["queues"]


@pytest.mark.rows("M-03")
@pytest.mark.parametrize("kind", sorted(frames.COLUMNS))
def test_an_empty_frame_has_the_same_columns_and_dtypes(kind):
    assert dtypes(frames.empty(kind)) == frames.COLUMNS[kind]


def test_frames_of_events_and_requests_are_of_their_kind_with_and_without_rows():
    requests = [pb.Request(RequestID="r", Channel="ask", Timeout=1500, CacheTTL=3).SerializeToString()]
    answered = {
        "timestamp": [NOON],
        "executed": [None],
        "answer": [None],
        "error": [None],
        "elapsed": [None],
        "line": [None],
        "outcome": [None],
        "by": [None],
    }

    assert dtypes(frames.events([event_payload()], "events", arrived=[NOON])) == frames.COLUMNS["events"]
    assert (
        dtypes(frames.events([event_payload(Sequence=1)], "events_store")) == frames.COLUMNS["events_store"]
    )
    assert dtypes(frames.requests(requests, answered)) == frames.COLUMNS["queries"]
    assert dtypes(frames.queue_messages([])) == frames.COLUMNS["queues"]


def test_times_are_exact_to_the_nanosecond_and_absent_ones_are_missing():
    frame = frames.queue_messages([queue_payload(), queue_payload(attributes={"ExpirationAt": NOON + 1})])

    assert frame["timestamp"][0].value == NOON
    assert frame["timestamp"][0].tz is UTC or str(frame["timestamp"][0].tz) == "UTC"
    assert list(frame["expiration_at"].isna()) == [True, False]
    assert frame["expiration_at"][1].value == NOON + 1


def test_md5_is_computed_where_the_server_leaves_it_empty_and_kept_where_it_does_not():
    frame = frames.queue_messages(
        [queue_payload(Body=b"abc"), queue_payload(attributes={"MD5OfBody": "theirs"})]
    )

    assert list(frame["md5_of_body"]) == [md5(b"abc").hexdigest(), "theirs"]


def test_what_was_never_set_is_none_rather_than_empty_text():
    frame = frames.queue_messages([queue_payload()])

    assert frame["rerouted_from"][0] is None
    assert frame["dead_letter"][0] is None
    assert frame["metadata"][0] == ""


@pytest.mark.parametrize(
    ("body", "decoded"),
    [
        (b'{"a": [1, 2]}', {"a": [1, 2]}),
        (b"[[1], [2]]", [[1], [2]]),
        (b"12.5", 12.5),
        (b"null", None),
        (b"plain text", "plain text"),
        ("grüße".encode(), "grüße"),
        (b"NaN", "NaN"),
        (b"-", "-"),
        (b"{broken", "{broken"),
        (b"\xff\xfe", None),
        (b"{\xff", None),
        (b"", None),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_a_body_is_decoded_as_json_else_as_text_else_not_at_all(body, decoded):
    assert frames.decode(body) == decoded


@pytest.mark.parametrize(
    "bodies",
    [
        [b'{"a": 1}', b"[2]", b'"x"', b" 7 "],
        [b"[1", b"2]"],
        [b"1,2", b"3"],
        [b"[1", b"2]", b"3,4"],
        [b"[1", b"2]", b"3,4,5"],
        [b'1,"mark",2', b"3"],
        [b"", b"1"],
        [b"\xff", b"1"],
        [b"NaN", b"1"],
        [b'"\xed\xa0\x80"', b"1"],
        [b"[" * 100_000, b"1"],
        [],
    ],
    ids=range(12),
)
def test_many_bodies_are_decoded_as_each_of_them_is(bodies):
    assert decode_all(bodies) == [frames.decode(body) for body in bodies]


def test_a_thousand_and_more_bodies_are_decoded_in_their_order():
    assert decode_all([str(number).encode() for number in range(2500)]) == list(range(2500))


def test_decoded_lists_of_equal_length_stay_lists():
    frame = frames.queue_messages([queue_payload(Body=b"[1, 2]"), queue_payload(Body=b"[3, 4]")])

    assert list(frame["decoded"]) == [[1, 2], [3, 4]]


def test_a_live_event_has_the_time_of_its_arrival_and_no_sequence():
    frame = frames.events([event_payload()], "events", arrived=[NOON])

    assert frame["timestamp"][0].value == NOON
    assert frame["sequence"][0] is pd.NA


def test_the_sender_of_an_event_is_what_its_tag_says():
    frame = frames.events(
        [event_payload(Tags={"x-kubemq-client-id": "sdk"}), event_payload()], "events", arrived=[1, 2]
    )

    assert list(frame["client_id"]) == ["sdk", None]


def test_a_damaged_message_keeps_its_row_and_is_named():
    frame = frames.queue_messages([queue_payload(), b"\xff\xff\xff", queue_payload()])

    assert len(frame) == 3
    assert "row 1" in frame.attrs["damaged"][0]


def test_parts_make_the_frame_that_all_of_them_make_at_once():
    payloads = [queue_payload(Body=b'{"a": %d}' % number) for number in range(5)]
    payloads[3] = b"\xff\xff\xff"
    messages = frames.QueueMessages()
    for part in (payloads[:2], [], payloads[2:]):
        messages.add(part)

    frame = messages.frame(channel="orders")

    at_once = frames.queue_messages(payloads, channel="orders")
    assert frame.to_dict("list") == at_once.to_dict("list")
    assert dtypes(frame) == dtypes(at_once)
    assert frame.attrs == at_once.attrs
    assert "row 3" in frame.attrs["damaged"][0]
    assert messages.count == 5


def test_facts_about_the_read_are_in_attrs_and_can_be_written_to_a_file(tmp_path):
    frame = frames.queue_messages([queue_payload()], channel="orders", is_peek=True, messages_expired=None)

    assert frame.attrs == {
        "kind": "queues",
        "channel": "orders",
        "is_peek": True,
        "messages_expired": None,
        "count": 1,
    }
    json.dumps(frame.attrs)


def test_results_say_what_was_refused():
    sent = [
        SendResult(id="a", channel="q"),
        SendResult(id="b", channel="q", sent=False, error="Error 110: no"),
    ]

    frame = frames.results(Results.of(sent).columns, channel="q")

    assert list(frame["error"]) == [None, "Error 110: no"]
    assert frame.attrs["refused"] == 1
    assert dtypes(frame) == frames.COLUMNS["results"]


def test_a_frame_without_a_body_is_one_json_body_a_row():
    rows = pd.DataFrame(
        {
            "n": [1, 2],
            "x": [0.5, np.nan],
            "at": pd.to_datetime(["2013-01-01T05:00Z", None]),
            "day": [date(2013, 1, 1), None],
            "took": pd.to_timedelta([1.5, None], unit="s"),
            "ok": pd.array([True, None], dtype="boolean"),
            "who": ["ünï", None],
            "list": [[1, 2], {"a": 1}],
        }
    )

    first, second = (json.loads(fields["body"]) for fields in frames.records(rows))

    assert first == {
        "n": 1, "x": 0.5, "at": "2013-01-01T05:00:00+00:00", "day": "2013-01-01", "took": 1.5, "ok": True,
        "who": "ünï", "list": [1, 2],
    }  # fmt: skip
    assert second == {
        "n": 2, "x": None, "at": None, "day": None, "took": None, "ok": None, "who": None, "list": {"a": 1}
    }  # fmt: skip


def test_a_frame_that_was_received_sends_again_with_all_that_a_sender_may_say():
    frame = frames.queue_messages(
        [
            queue_payload(
                Body=bytes(range(256)),
                Metadata="ünï",
                Tags={"k": "v"},
                policy={"ExpirationSeconds": 60, "MaxReceiveCount": 3, "MaxReceiveQueue": "dead"},
            )
        ]
    )

    assert frames.records(frame) == [
        {
            "body": bytes(range(256)), "id": "m1", "metadata": "ünï", "tags": {"k": "v"},
            "expiration": 60, "max_receive_count": 3, "dead_letter": "dead",
        }
    ]  # fmt: skip


def test_columns_that_no_message_has_are_named_and_nothing_is_sent():
    with pytest.raises(ValueError, match=r"columns colour, size:.*body, dead_letter"):
        frames.records(pd.DataFrame({"body": ["x"], "colour": ["red"], "size": [1]}))


def test_rows_may_be_bodies_and_dicts_in_a_list():
    rows = [b"\x00", "text", {"a": 1}, {"body": {"b": 2}, "id": "i", "tags": {"k": "v"}, "delay": 5}, ["x"]]

    assert frames.records(rows) == [
        {"body": b"\x00"},
        {"body": b"text"},
        {"body": b'{"a": 1}'},
        {"body": b'{"b": 2}', "id": "i", "tags": {"k": "v"}, "delay": 5},
        {"body": b'["x"]'},
    ]


def test_a_generator_of_bodies_is_rows():
    assert frames.records(f"n{n}" for n in range(2)) == [{"body": b"n0"}, {"body": b"n1"}]


@pytest.mark.parametrize("rows", [5, b"bytes", {"a": 1}, None])
def test_what_is_one_thing_is_not_rows(rows):
    with pytest.raises(TypeError, match="rows are"):
        frames.records(rows)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (3, "row 1: a body is"),
        ({"body": "x", "id": 5}, "row 1: id is text, not 5"),
        ({"body": "x", "tags": {"k": 1}}, "row 1: a tag is text"),
        ({"body": "x", "tags": "day=1"}, "row 1: Expecting value"),
        ({"body": {"half": "\ud800"}}, "row 1: a body that is a dict is sent as JSON: 'utf-8'"),
        ({"half": "\ud800"}, "row 1: 'utf-8'"),
    ],
)
def test_a_wrong_row_is_named_by_its_number(row, words):
    with pytest.raises((TypeError, ValueError), match=words):
        frames.records(["fine", row])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"tags": ["{}", "day=1"]}, "row 1: Expecting value"),
        ({"tags": [{"k": "v"}, {"k": 1}]}, "row 1: a tag is text"),
        ({"tags": [{"k": "v"}, {1: "v"}]}, "row 1: a tag is text"),
        ({"id": ["a", 5]}, "row 1: id is text, not 5"),
        ({"body": [b"x", 5]}, "row 1: a body is"),
        ({"delay": [1, "soon"]}, "row 1: delay is whole seconds"),
    ],
)
def test_a_wrong_cell_of_a_frame_is_named_by_its_row(cells, words):
    with pytest.raises((TypeError, ValueError), match=words):
        frames.records(pd.DataFrame({"body": ["x", "y"], **cells}))


def test_a_frame_of_what_messages_take_is_what_its_rows_say_one_by_one():
    rows = [
        {"body": b"x", "id": "a", "metadata": "", "tags": {"k": "v"}},
        {"body": b"", "id": "", "metadata": "m", "tags": {}},
    ]

    assert frames.records(pd.DataFrame(rows)) == frames.records(rows)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_rows_are_read_from_a_file(tmp_path, name):
    rows = pd.DataFrame({"body": ["a", "b"], "metadata": ["m", "n"], "tags": ['{"k": "v"}'] * 2})
    writers = {".csv": "to_csv", ".jsonl": "to_json", ".parquet": "to_parquet"}
    options = {"orient": "records", "lines": True} if name.endswith("jsonl") else {"index": False}
    getattr(rows, writers["." + name.rpartition(".")[2]])(tmp_path / name, **options)

    assert (
        frames.records(tmp_path / name)
        == frames.records(str(tmp_path / name))
        == [
            {"body": b"a", "metadata": "m", "tags": {"k": "v"}},
            {"body": b"b", "metadata": "n", "tags": {"k": "v"}},
        ]
    )


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.csv, \.jsonl or \.parquet"):
        frames.records(tmp_path / "rows.xlsx")


def test_a_table_takes_datetimes_and_missing_ones():
    now = datetime(2026, 1, 1, tzinfo=UTC)

    frame = frames.table(
        {"at": [now, None], "up": [timedelta(1), None]}, {"at": frames.TIME, "up": "timedelta64[ns]"}
    )

    assert dtypes(frame) == {"at": frames.TIME, "up": "timedelta64[ns]"}
    assert frame["at"][0] == now
