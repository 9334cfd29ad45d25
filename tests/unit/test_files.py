"""Messages in files: what is written is read back to the byte, in parts, and a spreadsheet runs nothing."""

import csv
import json
import sys
import tracemalloc

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from kubemq_nb import frames
from kubemq_nb.frames.files import PART, Writer

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
    return [fields for part in frames.of_file(path) for fields in part]


def sent(fields):
    return {"id": "", "metadata": "", "tags": {}, **fields}


@pytest.mark.parametrize("kind", KINDS)
@given(messages=some.lists(MESSAGE, max_size=5))
def test_what_is_written_is_read_back_to_the_byte(tmp_path_factory, kind, messages):
    path = tmp_path_factory.mktemp("files") / f"events{kind}"

    assert [sent(fields) for fields in written(path, messages)] == messages


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


def test_a_large_file_is_read_in_parts_of_bounded_size(tmp_path):
    path = tmp_path / "rows.jsonl"
    count = 10 * PART
    with path.open("w") as file:
        file.writelines(f'{{"body": "{number:0200}"}}\n' for number in range(count))

    tracemalloc.start()
    read = sum(len(part) for part in frames.of_file(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read == count
    assert peak < path.stat().st_size


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"n": 1}\n{"n": \n')

    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2"):
        frames.records(tmp_path / "rows.jsonl")


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_goes_to_a_file_and_is_stored_again_as_it_was(session, channel, tmp_path, kind):
    rows = [{"body": body or b" ", "metadata": "m", "tags": {"k": "=v"}} for body in HARD]
    session.events_store.send(channel, rows=rows)
    file = tmp_path / f"replay{kind}"

    told = session.events_store.receive(channel, to_file=file)
    again = session.events_store.send(f"{channel}.again", rows=file)

    before = session.events_store.receive(channel)
    after = session.events_store.receive(f"{channel}.again")
    assert told["events"].tolist() == [len(rows)]
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


def test_a_queue_takes_the_rows_of_a_file_in_order(session, channel, tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"body": f"{n}"}) for n in range(PART + 5)))

    results = session.queues.send(channel, rows=tmp_path / "rows.jsonl")

    assert len(results) == PART + 5
    assert session.queues.peek(channel, count=3)["body"].tolist() == [b"0", b"1", b"2"]


def test_a_live_read_goes_to_no_file(session, channel, tmp_path):
    with pytest.raises(TypeError, match="to_file writes a replay"):
        session.events_store.receive(channel, live=True, to_file=tmp_path / "x.csv")
