"""The runner of the recorded conversations can tell right from wrong."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from tests.conformance.golden.matchers import differences, set_differences
from tests.conformance.golden.run import spoken
from tests.conformance.golden.scenarios import parse
from tests.conformance.golden.schema import plain, request
from tests.conformance.golden.servers import embedded_server
from tests.conformance.golden.slow_line import slow_line
from tests.conformance.golden.templates import Mismatch, Variables

FITS = [
    ("a", "a"),
    (False, None),
    ({}, None),
    ({"Error": ""}, {}),
    ({"Channel": "golden.{run}.q"}, {"Channel": "golden.token.q", "Body": ""}),
    ({"Tags": {"key": "value"}}, {"Tags": {"key": "value"}}),
    ({"$any": "int"}, 0),
    ({"$nonempty": "string"}, "x"),
    ({"$ge": 3}, 3),
    ({"$between": [1, {"$ref": "five"}]}, 5),
    ({"$ref": "five", "add": 2}, 7),
    ({"$regex": "^Error [0-9]+: "}, "Error 301: timeout"),
    ({"$contains": "{run}"}, "a token in it"),
    ({"$oneof": [1, 2]}, 2),
    ({"$all": [{"$gt": 1}, {"$lt": 3}]}, 2),
    ({"$not": 1}, 2),
    ({"$len": {"$ge": 2}}, [1, 2]),
    ({"$set": [1, {"$any": "int"}]}, [2, 1]),
    ({"$repeat_bytes": "YWI=", "times": 2}, "YWJhYg=="),
]
FITS_NOT = [
    ("a", "b"),
    (1, True),
    ("a", None),
    ({}, {"Error": "something"}),
    ({"Tags": {"key": "value"}}, {"Tags": {}}),
    ({"Tags": {}}, {"Tags": {"key": "value"}}),
    ({"Messages": [1, 2]}, {"Messages": [1]}),
    ([1, 2], [2, 1]),
    ({"$any": "int"}, True),
    ({"$any": "string"}, None),
    ({"$nonempty": "string"}, ""),
    ({"$gt": 3}, 3),
    ({"$lt": 3}, "2"),
    ({"$between": [1, 4]}, 5),
    ({"$now": [-60, 3]}, 1),
    ({"$ref": "five"}, 6),
    ({"$regex": "^Error"}, "no Error"),
    ({"$contains": "x"}, None),
    ({"$oneof": [1, 2]}, 3),
    ({"$all": [{"$gt": 1}, {"$lt": 3}]}, 3),
    ({"$not": 1}, 1),
    ({"$len": 2}, [1]),
    ({"$set": [1, 2]}, [1, 1]),
    ({"$set": [1]}, [1, 2]),
]


@pytest.fixture
def variables() -> Variables:
    variables = Variables("token")
    variables.capture("five", 5)
    return variables


@pytest.mark.parametrize(("expected", "got"), FITS)
def test_what_fits_has_no_differences(expected: Any, got: Any, variables: Variables):
    assert differences(expected, got, variables, "answer") == []


@pytest.mark.parametrize(("expected", "got"), FITS_NOT)
def test_what_does_not_fit_has_a_difference(expected: Any, got: Any, variables: Variables):
    assert differences(expected, got, variables, "answer")


def test_a_difference_names_the_place_what_was_expected_and_what_came(variables: Variables):
    (difference,) = differences(
        {"Messages": [{"Body": "YQ=="}]}, {"Messages": [{"Body": "Yg=="}]}, variables, "answer"
    )

    assert difference.split() == ["answer.Messages[0].Body", "expected", '"YQ=="', "got", '"Yg=="']


def test_what_is_captured_is_compared_later(variables: Variables):
    expected = [{"$capture": "first", "is": {"$ge": 1}}, {"$ref": "first", "add": 1}]

    assert differences(expected, [7, 8], variables, "sequences") == []
    assert differences(expected, [7, 9], variables, "sequences")


def test_what_does_not_fit_is_not_captured(variables: Variables):
    differences({"$capture": "first", "is": {"$ge": 1}}, 0, variables, "sequence")

    with pytest.raises(Mismatch, match="nothing was captured as first"):
        variables.captured("first")


def test_any_order_finds_the_pairing_where_the_first_choice_fails(variables: Variables):
    assert list(set_differences([{"$ge": 1}, 1], [1, 2], variables, "messages")) == []


@pytest.mark.parametrize(("digest", "count"), [(hashlib.md5(b"a").hexdigest(), 0), ("0" * 32, 1)])
def test_a_digest_may_be_there_when_it_is_true(digest: str, count: int, variables: Variables):
    message = {"Body": base64.b64encode(b"a").decode(), "Attributes": {"Sequence": 1, "MD5OfBody": digest}}

    found = differences({"Body": "YQ==", "Attributes": {"Sequence": 1}}, message, variables, "message")

    assert len(found) == count


def test_messages_become_plain_values_and_back():
    values = {"Channel": "c", "Body": "YQ==", "Tags": {"key": "value"}, "Policy": {"DelaySeconds": 3}}

    message = request("SendQueueMessage", values)
    back = plain(message)

    assert message == pb.QueueMessage(
        Channel="c", Body=b"a", Tags={"key": "value"}, Policy=pb.QueueMessagePolicy(DelaySeconds=3)
    )
    assert back["Tags"] == {"key": "value"}
    assert back["Policy"]["DelaySeconds"] == 3
    assert back["Attributes"] is None
    assert back["Metadata"] == ""
    assert back["Body"] == "YQ=="


def scenario(*steps: dict[str, Any], **more: Any) -> str:
    kept = {"name": "made_up", "about": "Made up.", "pattern": "queues", "recorded_from": "nobody"}
    return json.dumps({**kept, "steps": steps, **more})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (scenario({"cal": "Ping"}), "step 0 is of no known kind: ['cal']"),
        (scenario({"call": "Ping", "expct": {}}), "step 0 (call) holds unknown words: ['expct']"),
        (scenario({"parallel": [{"client": "a", "steps": [{"slep": 1}]}]}), "of no known kind: ['slep']"),
        (scenario({"call": "Ping", "expect": {"Host": {"$anny": "string"}}}), "no such matcher"),
        (scenario({"call": "Ping", "expect": {"Host": {"$any": "string", "if": 1}}}), "no such matcher"),
        (scenario(quirks="none"), "unexpected keyword argument 'quirks'"),
        (scenario({"restart": True}), "a scenario marked as one with a restart has one"),
    ],
)
def test_misspelt_words_are_refused(text: str, complaint: str):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse(text)


SEND = {
    "call": "SendQueueMessage",
    "request": {"Channel": "golden.{run}.q", "ClientID": "golden", "Body": "YQ=="},
}
SENT = {"MessageID": {"$any": "string"}, "SentAt": {"$any": "int"}}
POLL = {
    "RequestID": "get",
    "ClientID": "golden",
    "RequestTypeData": "Get",
    "Channel": "golden.{run}.q",
    "MaxItems": 1,
    "WaitTimeout": 1000,
}
LISTEN = {"SubscribeTypeData": "Events", "ClientID": "golden", "Channel": "golden.{run}.e"}
PUBLISH = {"EventID": "e", "ClientID": "golden", "Channel": "golden.{run}.e", "Body": "YQ=="}
PUBLISHED = {"EventID": "e", "Sent": True}
WRONG = {
    "an answer": ([{**SEND, "expect": {}}], "answer.MessageID"),
    "a status": ([{**SEND, "error": {"code": "INTERNAL"}}], 'got       "OK"'),
    "a time": ([{**SEND, "expect": SENT, "took": {"$ge": 60}}], "seconds"),
    "a message that does not come": (
        [
            {"open": "s", "rpc": "SubscribeToEvents", "request": LISTEN},
            {"recv": "s", "within": 0.1, "messages": [{}]},
        ],
        "expected 1 messages within 0.1 s, got 0",
    ),
    "a message that differs": (
        [
            {"open": "d", "rpc": "QueuesDownstream"},
            {"send": "d", "message": POLL},
            {"recv": "d", "messages": [{"RefRequestId": "other"}]},
        ],
        "messages[0].RefRequestId",
    ),
    "a message that should not come": (
        [
            {"open": "s", "rpc": "SubscribeToEvents", "request": LISTEN},
            {"call": "SendEvent", "request": PUBLISH, "expect": PUBLISHED},
        ],
        "stream s holds messages nobody expected",
    ),
    "no silence": (
        [
            {"open": "s", "rpc": "SubscribeToEvents", "request": LISTEN},
            {"call": "SendEvent", "request": PUBLISH, "expect": PUBLISHED},
            {"silence": "s", "for": 10},
        ],
        "stream s should stay silent",
    ),
    "no end": (
        [{"open": "s", "rpc": "SubscribeToEvents", "request": LISTEN}, {"end": "s", "within": 0.1}],
        "stream s did not end within 0.1 s",
    ),
    "another end": (
        [{"open": "s", "rpc": "SubscribeToEvents", "request": {}}, {"end": "s", "status": {"code": "OK"}}],
        'got       "INTERNAL"',
    ),
    "no answer in time": (
        [
            {"start": "c", "call": "SendRequest", "request": {**LISTEN, "SubscribeTypeData": 0}, "settle": 0},
            {"finish": "c", "within": 0, "expect": {}},
        ],
        "call c has not been answered within 0 s",
    ),
    "a branch": (
        [{"parallel": [{"client": "a", "steps": [{**SEND, "expect": {}}]}]}],
        "step 0: call SendQueueMessage",
    ),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with embedded_server() as server:
        yield server.address


@pytest.mark.parametrize(("steps", "complaint"), WRONG.values(), ids=WRONG)
def test_what_differs_is_reported_with_its_step(steps: list[dict[str, Any]], complaint: str, address: str):
    wrong = parse(scenario(*steps))

    with spoken([wrong], address) as reports:
        report = reports["made_up"].result(30)

    assert report.startswith("made_up: Made up.")
    assert complaint in report


def test_a_broken_scenario_is_no_report(address: str):
    broken = parse(scenario({"recv": "nothing", "messages": []}))

    with spoken([broken], address) as reports, pytest.raises(KeyError, match="nothing"):
        reports["made_up"].result(30)


def test_a_slow_line_keeps_order_and_is_late():
    late = 0.2
    sent = [bytes([number]) * 40_000 for number in range(5)]

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
        writer.close()

    async def there_and_back() -> tuple[bytes, float]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server, slow_line(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", late) as address:
            began = asyncio.get_running_loop().time()
            reader, writer = await asyncio.open_connection(*address.split(":"))
            writer.writelines(sent)
            writer.write_eof()
            got = await reader.read(-1)
            writer.close()
            await writer.wait_closed()
            return got, asyncio.get_running_loop().time() - began

    got, seconds = asyncio.run(there_and_back())

    assert got == b"".join(sent)
    assert seconds > late / 10
