"""Messages in files: what is written is read back to the byte, in parts, and a spreadsheet runs nothing."""

import csv
import json
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubemq_nb import frames
from kubemq_nb.frames import files
from kubemq_nb.frames.files import PART
from kubemq_nb.frames.writing import Writer

KINDS = [".jsonl", ".csv", ".parquet"]
TEXT = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
BODY = some.binary(max_size=40) | some.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
MESSAGE = some.fixed_dictionaries(
    {"id": TEXT, "metadata": TEXT, "body": BODY, "tags": some.dictionaries(TEXT, TEXT, max_size=3)}
)
HARD = [
    b"",
    b"=1+1",
    b"'=1+1",
    b"''",
    b"-5",
    b"007",
    b"\xff\xfe",
    b"\xf8",
    b"\0",
    b"a\r\nb\rc\n",
    b'{"a": "\xc3\xa9"}',
    b"nan",
]


def frame(messages):
    empty = frames.empty("events_store")
    columns = {name: [message.get(name) for message in messages] for name in empty.columns}
    columns["channel"] = ["ch"] * len(messages)
    columns["sequence"] = list(range(1, len(messages) + 1))
    columns["timestamp"] = [pd.Timestamp("2013-01-01T05:15:00.123456789Z").value] * len(messages)
    return frames.table(columns, dict(frames.COLUMNS["events_store"]))


def written(path, messages):
    with Writer(path) as writer:
        writer.write(frames.empty("events_store"))
        writer.write(frame(messages))
    return [fields for part in frames.of_file(path) for fields in frames.each(part)]


def sent(fields):
    return {"id": "", "metadata": "", "tags": {}, **fields}


@pytest.mark.rows("M-32")
@pytest.mark.parametrize("kind", KINDS)
@given(messages=some.lists(MESSAGE, max_size=5))
def test_what_is_written_is_read_back_to_the_byte(tmp_path_factory, kind, messages):
    path = tmp_path_factory.mktemp("files") / f"events{kind}"

    assert [sent(fields) for fields in written(path, messages)] == messages


@pytest.mark.rows("M-33")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", HARD)
def test_hard_bodies_come_back(tmp_path, kind, body):
    (fields,) = written(
        tmp_path / f"events{kind}", [{"body": body, "id": "=1", "metadata": "@m", "tags": {}}]
    )

    assert sent(fields) == {"body": body, "id": "=1", "metadata": "@m", "tags": {}}


def test_no_cell_of_a_csv_file_begins_a_formula(tmp_path):
    evil = "=cmd|'/c calc'!A1"
    messages = [{"body": evil.encode(), "id": f"+{evil}", "metadata": f"@{evil}", "tags": {"=a": "=b"}}]

    written(tmp_path / "events.csv", messages)

    with (tmp_path / "events.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.mark.rows("M-33")
@pytest.mark.parametrize("kind", KINDS)
def test_the_policy_of_a_queue_message_is_kept(tmp_path, kind):
    columns = {name: [None] for name in frames.COLUMNS["queues"]}
    columns |= {
        "id": ["1"],
        "channel": ["q"],
        "metadata": [""],
        "body": [b"x"],
        "tags": [{}],
        "timestamp": [0],
    }
    columns |= {"sequence": [1], "receive_count": [2], "rerouted": [False], "expiration_at": [0]}
    columns |= {"delayed_to": [0], "expiration": [60], "delay": [0], "max_receive_count": [3]}
    columns |= {"dead_letter": ["q.dead"]}
    with Writer(tmp_path / f"queue{kind}") as writer:
        writer.write(frames.table(columns, dict(frames.COLUMNS["queues"])))

    (fields,) = frames.records(tmp_path / f"queue{kind}")

    assert fields["expiration"] == 60
    assert fields["max_receive_count"] == 3
    assert fields["dead_letter"] == "q.dead"


def test_a_file_is_replaced_when_all_is_written_and_left_alone_otherwise(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("before")

    with pytest.raises(ZeroDivisionError), Writer(path) as writer:  # noqa: PT012
        writer.write(frame([{"body": b"x", "id": "1", "metadata": "", "tags": {}}]))
        raise ZeroDivisionError

    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_leaves_no_file_though_another_thread_still_writes(tmp_path, kind):
    some = frame([{"body": b"x", "id": "1", "metadata": "", "tags": {}}] * 10)
    refused = []

    def write(writer, begun):
        with pytest.raises(ValueError, match="is closed") as caught:  # noqa: PT012
            while True:
                writer.write(some)
                begun.set()
        refused.append(caught.value)

    with pytest.raises(KeyboardInterrupt), Writer(tmp_path / f"rows{kind}") as writer:  # noqa: PT012
        begun = threading.Event()
        other = threading.Thread(target=write, args=(writer, begun))
        other.start()
        assert begun.wait(30)
        raise KeyboardInterrupt
    other.join(30)

    assert len(refused) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_large_file_is_read_in_parts_of_bounded_size(tmp_path):
    path = tmp_path / "rows.jsonl"
    count = 10 * PART
    with path.open("w") as file:
        file.writelines(f'{{"body": "{number:0200}"}}\n' for number in range(count))

    tracemalloc.start()
    read = sum(len(part["body"]) for part in frames.of_file(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read == count
    assert peak < path.stat().st_size


@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
def test_a_part_of_large_rows_has_fewer_of_them(tmp_path, kind):
    path = tmp_path / f"rows{kind}"
    body = "x" * (files.PART_SIZE // 2)
    path.write_text(f"body\n{body}\n{body}\n{body}\n" if kind == ".csv" else f'{{"body": "{body}"}}\n' * 3)

    assert [len(part["body"]) for part in frames.of_file(path)] == [2, 1]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"n": 1}\n{"n": \n')

    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2"):
        frames.records(tmp_path / "rows.jsonl")


def test_a_number_that_is_none_is_named_by_its_row(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("body,delay\na,2\nb,x\n")

    with pytest.raises(TypeError, match="row 1: delay is whole seconds, as a number, not 'x'"):
        frames.records(path)
    path.write_text("body,delay\na,2\nb,\n")

    assert frames.records(path) == [{"body": b"a", "delay": 2}, {"body": b"b"}]


def test_numbers_of_a_csv_without_bodies_stay_whole_where_some_are_missing(tmp_path):
    (tmp_path / "rows.csv").write_text("n,name\n1,a\n,b\n")

    assert [json.loads(fields["body"]) for fields in frames.records(tmp_path / "rows.csv")] == [
        {"n": 1, "name": "a"},
        {"n": None, "name": "b"},
    ]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (tmp_path / "rows.parquet").touch()

    with pytest.raises(ImportError, match=r"kubemq-nb\[arrow\]"):
        frames.records(tmp_path / "rows.parquet")


@pytest.mark.rows("M-32", "M-33")
@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_goes_to_a_file_and_is_stored_again_as_it_was(session, channel, tmp_path, kind):
    rows = [{"body": body or b" ", "metadata": "m", "tags": {"k": "=v"}} for body in HARD]
    session.events_store.send(channel, rows=rows)
    file = tmp_path / f"replay{kind}"

    told = session.events_store.receive(channel, to_file=file)
    again = session.events_store.send(f"{channel}.again", rows=file)

    before = session.events_store.receive(channel)
    after = session.events_store.receive(f"{channel}.again")
    assert told["rows"].tolist() == [len(rows)]
    assert again["sent"].all()
    same = ["id", "metadata", "body", "tags", "sequence"]
    assert before[same].to_dict("records") == after[same].to_dict("records")


def test_an_empty_replay_makes_a_file_without_rows(session, channel, tmp_path):
    for kind in KINDS:
        session.events_store.receive(channel, to_file=tmp_path / f"none{kind}", idle=0.2)

        assert frames.records(tmp_path / f"none{kind}") == []


def test_a_wrong_row_late_in_a_file_says_how_many_were_sent(session, channel, tmp_path):
    lines = [json.dumps({"body": "x"})] * PART + [json.dumps({"body": 5})]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))

    with pytest.raises(TypeError, match=f"{PART:,} rows were sent before this: row {PART}: a body is"):
        session.events_store.send(channel, rows=tmp_path / "rows.jsonl")


@pytest.mark.rows("M-20")
def test_a_queue_takes_the_rows_of_a_file_in_order(session, channel, tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"body": f"{n}"}) for n in range(PART + 5)))

    results = session.queues.send(channel, rows=tmp_path / "rows.jsonl")

    assert len(results) == PART + 5
    assert session.queues.peek(channel, count=3)["body"].tolist() == [b"0", b"1", b"2"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_to_a_file_writes_what_matches_decoded_with_its_fields(session, channel, tmp_path, kind):
    bodies = [{"total": 5}, {"total": 12, "day": "mon"}, {"total": 30.5}, "none"]
    session.events_store.send(channel, rows=[{"body": body, "tags": {"k": "v"}} for body in bodies])
    file = tmp_path / f"chosen{kind}"

    told = session.events_store.receive(
        channel, to_file=file, where="body.total > 10", fields="total,day", decode="json"
    )

    assert told["rows"].tolist() == [2]
    assert told.attrs["notes"] == ["2 of 4 match", "1 not decoded"]
    found = [row for part in files.read(file) for row in part]
    if kind != ".csv":  # whose cells are text
        assert [(row["total"], row["day"]) for row in found] == [(12, "mon"), (30.5, None)]
    assert [json.loads(row["body"])["total"] for row in found] == [12, 30.5]
    decoded = [row["decoded"] if kind == ".jsonl" else json.loads(row["decoded"]) for row in found]
    assert decoded == bodies[1:3]


def test_fields_in_a_parquet_file_are_of_one_kind_where_their_values_are(session, channel, tmp_path):
    from pyarrow import parquet

    rows = [{"n": 1, "f": 1, "s": "a", "mixed": 1}, {"n": 2, "f": 0.5, "s": "b", "mixed": "x"}, {}]
    session.events_store.send(channel, rows=rows)

    session.events_store.receive(channel, to_file=tmp_path / "f.parquet", fields="n,f,s,mixed,never")

    table = parquet.read_table(tmp_path / "f.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in ("n", "f", "s", "mixed", "never")}
    assert kinds == {"n": "int64", "f": "double", "s": "string", "mixed": "string", "never": "string"}
    assert table["f"].to_pylist() == [1.0, 0.5, None]
    assert table["mixed"].to_pylist() == ["1", '"x"', None]


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_no_column_can_hold_do_not_end_a_file(session, channel, tmp_path, kind):
    bodies = [b'{"n": 1, "s": "a"}', b'{"n": 123456789012345678901234567890, "s": "\\ud800"}']
    session.events_store.send(channel, rows=bodies)
    file = tmp_path / f"odd{kind}"

    told = session.events_store.receive(channel, to_file=file, fields="n,s", decode="json")

    found = [row for part in files.read(file) for row in part]
    assert told["rows"].tolist() == [2]
    assert [str(row["n"]) for row in found] == ["1", "123456789012345678901234567890"]
    assert [json.loads(row["body"]) for row in found] == [json.loads(body) for body in bodies]


def test_the_text_of_a_csv_file_is_read_as_the_file_is(tmp_path):
    for text in ("n,name\n1,a\n,b\n", "body,id\n007,1\n"):
        (tmp_path / "rows.csv").write_text(text)

        assert frames.records(frames.read_csv(text)) == frames.records(tmp_path / "rows.csv")
    assert frames.records(frames.read_csv("body\n007\n")) == [{"body": b"007"}]


@pytest.mark.parametrize("kind", KINDS)
def test_a_look_at_a_queue_goes_to_a_file_with_policies_and_is_sent_again(session, channel, tmp_path, kind):
    policy = {"expiration": 3600, "max_receive_count": 3, "dead_letter": "spent"}
    session.queues.send(
        channel, rows=[{"body": body, "tags": {"k": "é"}, "metadata": "=m"} for body in HARD], **policy
    )
    file = tmp_path / f"look{kind}"

    told = session.queues.peek(channel, to_file=file)
    session.queues.send(f"{channel}.again", rows=file)

    before, after = session.queues.peek(channel), session.queues.peek(f"{channel}.again")
    same = ["id", "metadata", "body", "tags", *policy]
    assert told["rows"].tolist() == [len(HARD)]
    assert before[same].to_dict("records") == after[same].to_dict("records")


def test_live_events_go_to_a_file(session, channel, tmp_path):
    enough = threading.Event()

    def send():
        while not enough.wait(0.01):
            session.events.send(channel, {"n": 1})
            session.events.send(channel, {"n": 2})

    with ThreadPoolExecutor(1) as pool:
        pool.submit(send)
        told = session.events.receive(
            channel, count=2, timeout=30, where="body.n == 1", to_file=tmp_path / "x.jsonl"
        )
        enough.set()

    assert told.attrs["ended_by"] == "count"
    assert told["rows"].tolist() == [len(frames.records(tmp_path / "x.jsonl"))]


@pytest.mark.parametrize("read", ["events", "events_store"])
def test_a_feed_goes_to_no_file(session, channel, tmp_path, read):
    with pytest.raises(TypeError, match="a feed goes to no file: leave out live, or to_file"):
        getattr(session, read).receive(channel, live=True, to_file=tmp_path / "x.csv")


def test_a_column_of_a_csv_file_is_of_one_kind_whatever_part_a_row_is_in(tmp_path):
    path = tmp_path / "rows.csv"
    late = [("1.5", "07", "true", ""), ("2", "x7", "2", "5")]
    rows = [("1", "7", "true", "")] * PART + late
    path.write_text("n,code,flag,gap\n" + "".join(f"{','.join(row)}\n" for row in rows))

    sent = [json.loads(fields["body"]) for fields in frames.records(path)]

    assert sent[0] == {"n": 1.0, "code": "7", "flag": "true", "gap": None}
    assert sent[-2:] == [
        {"n": 1.5, "code": "07", "flag": "true", "gap": None},
        {"n": 2.0, "code": "x7", "flag": "2", "gap": 5},
    ]
    assert all(type(row["n"]) is float for row in sent)


def test_each_line_of_json_lines_is_read_by_itself(tmp_path):
    lines = ['{"n": 1}', '{"body": "x", "tags": {"a": "b"}}', "5", '"text"', "[1, 2]", '{"gap": null}']
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))

    assert frames.records(tmp_path / "rows.jsonl") == [
        {"body": b'{"n": 1}'},
        {"body": b"x", "tags": {"a": "b"}},
        {"body": b"5"},
        {"body": b'"text"'},
        {"body": b"[1, 2]"},
        {"body": b'{"gap": null}'},
    ]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("rows.csv", b"body,id\nx,1\ny\n", r"rows\.csv, line 3: 1 cells, where the first line has 2"),
        ("rows.csv", b"body,id\nx,1,2\n", r"rows\.csv, line 2: 3 cells"),
        ("rows.csv", b"body\n\xff\n", r"rows\.csv is not UTF-8 text"),
        ("rows.csv", b'body\n"a"b\n', r"rows\.csv, line 2: ',' expected after '\"'"),
        ("rows.csv", b'body\nx\n"never closed\n', r"rows\.csv, line 3: unexpected end of data"),
        ("rows.jsonl", b'{"a": "\xff"}', r"rows\.jsonl is not UTF-8 text"),
        ("rows.jsonl", b"[" * 100_000, r"rows\.jsonl, line 1: nested too deeply"),
        ("rows.jsonl", b'{"body": "x"}\n{"a": [NaN]}', "row 1: "),
    ],
)
def test_a_damaged_file_is_told_in_one_line(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ValueError, match=told):
        frames.records(tmp_path / name)


def test_a_mark_at_the_beginning_of_a_text_file_is_no_part_of_it(tmp_path):
    (tmp_path / "rows.csv").write_text("\ufeffbody\nx\n", encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('\ufeff{"body": "x"}\n', encoding="utf-8")

    assert (
        frames.records(tmp_path / "rows.csv") == frames.records(tmp_path / "rows.jsonl") == [{"body": b"x"}]
    )


def test_numbers_of_a_parquet_file_stay_what_they_are_where_some_are_missing(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    when = pd.Timestamp("2013-01-01T05:15:00Z")
    columns = {"n": [1, None], "price": [Decimal("99.5"), None], "at": [when, None], "many": [[when], None]}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet")

    sent = [json.loads(fields["body"]) for fields in frames.records(tmp_path / "rows.parquet")]

    at = "2013-01-01T05:15:00+00:00"
    assert sent == [
        {"n": 1, "price": 99.5, "at": at, "many": [at]},
        {"n": None, "price": None, "at": None, "many": None},
    ]
    assert type(sent[0]["n"]) is int


def test_a_frame_with_fields_is_sent_again_without_them(session, channel):
    session.events_store.send(channel, {"n": 1})

    session.events_store.send(f"{channel}.again", rows=session.events_store.receive(channel, fields="n"))

    assert session.events_store.receive(f"{channel}.again")["decoded"].tolist() == [{"n": 1}]


def test_a_condition_on_nothing_leaves_the_columns(session, channel):
    found = session.queues.peek(channel, wait=0, where="body.n > 1")

    assert list(found.columns) == list(frames.COLUMNS["queues"])
