"""Decoders: what they read, what they leave as None and tell, and what no body can make them do."""

import base64
import gzip
import json
import os
import pickle
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgpack
import pytest
import zstandard
from google.protobuf import descriptor_pb2, timestamp_pb2

from kubemq_nb.frames import protobuf, selecting
from kubemq_nb.frames.build import events
from kubemq_nb.frames.decoders import NAMES, decode_with, decoder
from kubemq_nb.frames.expanding import Budget
from kubemq_nb.render import frame as rendered
from tests.unit.test_frames import event_payload

ORDER = {"id": 17, "items": ["a", "b"]}
JSON = json.dumps(ORDER).encode()
EVENT = {"specversion": "1.0", "id": "7", "source": "/orders", "type": "order.placed"}


def read(name, *bodies):
    return decode_with(decoder(name, Budget()), bodies)


@pytest.mark.parametrize(
    ("name", "body", "value"),
    [
        ("text", b"caf\xc3\xa9", "café"),
        ("json", JSON, ORDER),
        ("hex", b"\x00\xff", "00ff"),
        ("base64", base64.b64encode(JSON), ORDER),
        ("base64", base64.urlsafe_b64encode(b"\xff\xfe\xfd\xfc").rstrip(b"="), b"\xff\xfe\xfd\xfc"),
        ("cloudevents", json.dumps(EVENT | {"data": ORDER}).encode(), EVENT | {"data": ORDER}),
        (
            "cloudevents",
            json.dumps(EVENT | {"data_base64": base64.b64encode(b"\xff").decode()}).encode(),
            EVENT | {"data": b"\xff"},
        ),
        ("cloudevents", json.dumps(EVENT).encode(), EVENT),
        ("msgpack", msgpack.packb(ORDER), ORDER),
        ("gzip", gzip.compress(JSON, mtime=0), ORDER),
        ("gzip", gzip.compress(b"two ", mtime=0) + gzip.compress(b"members", mtime=0), "two members"),
        ("gzip", gzip.compress(b"\xff", mtime=0), b"\xff"),
        ("zstd", zstandard.compress(JSON), ORDER),
        ("auto", JSON, ORDER),
        ("auto", b"text", "text"),
        ("auto", gzip.compress(JSON, mtime=0), ORDER),
        ("auto", zstandard.compress(b"text"), "text"),
        ("auto", msgpack.packb(ORDER | {"n": 255}), ORDER | {"n": 255}),
        ("auto", b"\xff\x00", None),
        ("json", b"", None),
        (
            "protobuf",
            bytes.fromhex("089601120774657374696e671a03089601"),
            {"1": 150, "2": "testing", "3": {"1": 150}},
        ),
        ("protobuf", bytes.fromhex("080108020803"), {"1": [1, 2, 3]}),
    ],
)
@pytest.mark.rows("M-12")
def test_a_decoder_reads_its_form(name, body, value):
    found, failures = read(name, body)

    assert found == [value]
    assert not failures


@pytest.mark.parametrize("name", ["text", "json", "base64", "msgpack", "gzip", "zstd", "protobuf"])
def test_what_is_in_another_form_is_none_and_counted(name):
    found, failures = read(name, b"\xc1\xff\xff!", b"\xff\xff\xff")

    assert found == [None, None]
    assert failures.total() == 2
    assert all(reason.startswith("not ") for reason in failures)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([1], "no JSON object"),
        ({"id": "7", "data": 1}, "no specversion, source, type"),
        (EVENT | {"id": 7}, "no id"),
        (EVENT | {"data_base64": 5}, "data_base64 is text"),
        (EVENT | {"data_base64": "", "data": 1}, "data_base64 is text, in place of data"),
        (EVENT | {"data_base64": "!"}, "not base64"),
    ],
)
def test_what_is_no_cloudevent_says_why(body, told):
    found, failures = read("cloudevents", json.dumps(body).encode())

    assert found == [None]
    (reason,) = failures
    assert told in reason


def test_a_function_is_a_decoder_and_its_errors_cost_one_row():
    found, failures = read(lambda body: 10 // int(body), b"5", b"0", b"2")

    assert found == [2, None, 5]
    assert failures.total() == 1


@pytest.mark.parametrize("name", ["yaml", "pickle", "protobuf:x", "protobuf::", ""])
def test_an_unknown_decoder_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match="decode wants"):
        decoder(name, Budget())


@pytest.mark.parametrize(("name", "module"), [("msgpack", "msgpack"), ("zstd", "zstandard")])
def test_a_decoder_whose_package_is_absent_says_what_to_install(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ImportError, match=rf"needs {module}.*kubemq-nb\[decode\]"):
        decoder(name, Budget())


# Schemas


@pytest.fixture
def descriptors(tmp_path):
    """A descriptor set with shop.Order, which uses a type of another file."""
    file = descriptor_pb2.FileDescriptorProto(
        name="shop.proto", package="shop", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    order = file.message_type.add(name="Order")
    order.field.add(name="order_id", number=1, type=3, label=1)
    order.field.add(name="at", number=2, type=11, label=1, type_name=".google.protobuf.Timestamp")
    order.field.add(name="empty", number=3, type=11, label=3, type_name=".shop.Order")
    known = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(known)
    path = tmp_path / "shop.desc"
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[known, file]).SerializeToString())
    return path


def test_protobuf_is_read_by_the_schema_of_a_file(descriptors):
    found, failures = read(
        f"protobuf:{descriptors}:shop.Order", bytes.fromhex("0811120208 01".replace(" ", ""))
    )

    assert found == [{"order_id": "17", "at": "1970-01-01T00:00:01Z"}]
    assert not failures


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda path: f"protobuf:{path}:shop.Odrer", "has no message type shop.Odrer"),
        (lambda path: f"protobuf:{path}.nowhere:shop.Order", "there is no file"),
    ],
)
def test_a_schema_that_is_not_there_is_refused(descriptors, make, answer):
    with pytest.raises(ValueError, match=answer):
        decoder(make(descriptors), Budget())


@pytest.mark.parametrize("content", [b"not a set", b"\x0a\x03abc"])
def test_a_file_that_is_no_descriptor_set_is_refused(tmp_path, content):
    path = tmp_path / "x.desc"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"x\.desc"):
        decoder(f"protobuf:{path}:a.B", Budget())


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "x.proto"
    path.write_text('syntax = "proto3"; message Note { string text = 1; }')
    return path


def test_a_proto_needs_a_compiler_and_says_so(note, monkeypatch):
    monkeypatch.setattr(protobuf, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(note.parent))

    with pytest.raises(
        ValueError, match=r"x\.proto has to be compiled first: pip install grpcio-tools, or give"
    ):
        decoder(f"protobuf:{note}:Note", Budget())


@pytest.fixture
def protoc(tmp_path, monkeypatch):
    """The compiler of scripts/stubs, or any that is there, as `protoc` on the path."""
    tools = Path(__file__).parents[3] / ".tools/stubs/bin/python"
    compilers = [tools, *([sys.executable] if find_spec("grpc_tools") else [])]
    at_hand = [python for python in compilers if Path(python).exists()]
    if not at_hand and not shutil.which("protoc"):
        pytest.skip("neither grpcio-tools nor protoc is here")
    if at_hand:
        script = tmp_path / "bin" / "protoc"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\nexec "{at_hand[0]}" -m grpc_tools.protoc "$@"\n')
        script.chmod(0o700)
        monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(protobuf, "find_spec", lambda _: None)


@pytest.mark.may_skip
@pytest.mark.usefixtures("protoc")
def test_a_proto_is_compiled_with_what_it_imports(note):
    whole = note.with_name("whole.proto")
    whole.write_text(
        'syntax = "proto3"; package shop; import "x.proto"; import "google/protobuf/timestamp.proto";\n'
        "message Whole { Note note = 1; google.protobuf.Timestamp at = 2; }"
    )

    found, failures = read(
        f"protobuf:{whole}:shop.Whole", bytes.fromhex("0a040a026869") + b"\x12\x02\x08\x01"
    )

    assert found == [{"note": {"text": "hi"}, "at": "1970-01-01T00:00:01Z"}]
    assert not failures


@pytest.mark.may_skip
@pytest.mark.usefixtures("protoc")
def test_a_proto_with_an_error_is_told_in_one_line(note):
    note.write_text('syntax = "proto3"; message Note { strin text = 1; }')

    with pytest.raises(
        ValueError, match=r'^x\.proto cannot be compiled: x\.proto:1:\d+: "strin" is not defined\.$'
    ):
        decoder(f"protobuf:{note}:Note", Budget())


# Bombs


BOMBS = {
    "gzip of zeros": ("gzip", lambda: gzip.compress(b"0" * 200_000_000, 1)),
    "gzip of zeros in auto": ("auto", lambda: gzip.compress(b"0" * 200_000_000, 1)),
    "gzip of empty lists": ("gzip", lambda: gzip.compress(b"[" + b"[]," * 2_000_000)),
    "gzip of nesting": ("gzip", lambda: gzip.compress(b"[" * 5_000_000)),
    "zstd of zeros": ("zstd", lambda: zstandard.compress(b"0" * 200_000_000)),
    "zstd of nesting in auto": ("auto", lambda: zstandard.compress(b'{"a":' * 1_000_000)),
    "nested JSON": ("json", lambda: b"[" * 200_000),
    "many parts": ("json", lambda: b"[" + b"{}," * 1_000_000 + b"{}]"),
    "many parts of a CloudEvent": ("cloudevents", lambda: b'{"data": [' + b"{}," * 1_000_000 + b"{}]}"),
    "a long number": ("json", lambda: b"9" * 100_000),
    "msgpack that claims a long list": ("msgpack", lambda: b"\xdd\xff\xff\xff\xff"),
    "msgpack that claims long lists in each other": ("msgpack", lambda: b"\xdd\x00\x03\xd0\x90" * 60_000),
    "nested msgpack": ("msgpack", lambda: b"\x91" * 3_000_000),
    "many empty lists": ("msgpack", lambda: b"\xdc\xff\xff" * 4 + b"\x90" * 3_000_000),
    "many numbers in protobuf": ("protobuf", lambda: b"\x08\x01" * 2_000_000),
    "many empty messages": ("protobuf", lambda: b"\x0a\x00" * 2_000_000),
}


RUN = """
import pickle, resource, sys, time
from kubemq_nb.frames.decoders import decode_with, decoder
from kubemq_nb.frames.expanding import Budget, gunzip, optional
import json, msgpack, zstandard, google.protobuf.message
name, body = pickle.load(sys.stdin.buffer)
read = decoder(name, Budget())
decode_with(read, [b"x"])
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
found, failures = decode_with(read, [body])
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(grown // 1024, round(time.monotonic() - began, 2), found == [None], *failures)
"""


@pytest.mark.parametrize("bomb", sorted(BOMBS))
@pytest.mark.rows("M-12")
def test_a_bomb_costs_little_and_is_told_in_a_line(bomb):
    name, make = BOMBS[bomb]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=pickle.dumps((name, make())),
        capture_output=True,
        check=True,
        timeout=60,
    )

    megabytes, seconds, refused, why = done.stdout.decode().split(maxsplit=3)
    assert int(megabytes) < 50
    assert float(seconds) < 10
    assert refused == "True"
    assert why.strip()
    assert "\n" not in why.strip()


def test_what_the_bodies_of_a_read_may_expand_to_is_bounded_in_all():
    body = gzip.compress(b"0" * 7_000_000)

    found, failures = read("gzip", *[body] * 12)

    assert sum(value is not None for value in found) == 9
    assert "for what is left for this read" in next(iter(failures))


def test_no_body_runs_code(tmp_path):
    canary = tmp_path / "canary"
    body = b"cos\nsystem\n(S'touch " + os.fsencode(canary) + b"'\ntR."

    for name in NAMES[:-1]:
        read(name, body, b"!!python/object/apply:os.system ['touch " + os.fsencode(canary) + b"']")

    assert not canary.exists()


# In frames


def test_a_frame_keeps_its_bodies_and_tells_what_was_not_decoded():
    frame = selecting.of(None, None, "json").apply(
        events([event_payload(JSON), event_payload(b"no")], "events", arrived=[1, 2])
    )

    assert frame["body"].tolist() == [JSON, b"no"]
    assert frame["decoded"].tolist() == [ORDER, None]
    assert frame.attrs["undecoded"] == 1
    assert "1 not decoded: not JSON" in rendered(frame).text.replace("\n", " ")


def test_conditions_and_fields_see_what_was_decoded():
    payloads = [event_payload(gzip.compress(json.dumps({"n": n}).encode())) for n in range(3)]

    frame = selecting.of("body.n > 0", "n", "gzip").apply(events(payloads, "events", arrived=[1, 2, 3]))

    assert frame["n"].tolist() == [1, 2]
    assert str(frame["n"].dtype) == "Int64"
    assert (frame.attrs["count"], frame.attrs["read"]) == (2, 3)
    assert "2 of 3 match" in rendered(frame).text


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, None], "Int64"),
        ([1, 2.5, None], "float64"),
        (["a", 1], "object"),
        ([10**400, 1.5], "object"),
        ([], "object"),
    ],
)
def test_a_field_has_numbers_as_numbers(values, dtype):
    payloads = [event_payload(json.dumps({"x": value}).encode()) for value in values]

    frame = selecting.of(None, "x", None).apply(events(payloads, "events", arrived=[1] * len(values)))

    assert str(frame["x"].dtype) == dtype


@pytest.mark.parametrize("name", ["id", "size", "a,tags"])
def test_a_field_that_is_a_column_already_is_refused(name):
    with pytest.raises(ValueError, match="is a column already"):
        selecting.of(None, name, None)


def test_fields_are_split_at_commas_outside_of_quotes():
    payload = event_payload(b'{"a,b": 1, "c": 2}')

    frame = selecting.of(None, '["a,b"], c', None).apply(events([payload], "events", arrived=[1]))

    assert list(frame.columns[-2:]) == ['["a,b"]', "c"]
    assert frame.iloc[0, -2:].tolist() == [1, 2]


def test_nothing_asked_for_is_nothing_done():
    assert selecting.of(None, None, None) is None
