"""Fields of bodies that never go back, by whose values events are found."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.session.body_fields import LARGEST, MOST, BodyFields
from kubemq_nb.session.recording import Recording


def payloads(*bodies):
    raw = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    events = enumerate(raw, 1)
    return [pb.EventReceive(Body=body, Sequence=n, Timestamp=n).SerializeToString() for n, body in events]


def found(*bodies):
    fields = BodyFields()
    for payload in payloads(*bodies):
        fields.add([payload])
    return {name: list(values.numbers) for name, values in fields.grown().items()}


def test_numbers_and_times_that_never_go_back_are_found():
    rows = [
        {"hour": "2013-01-01T05:00", "miles": 1.5, "flight": 1545, "to": "IAH"},
        {"hour": "2013-01-01T05:00", "miles": 2, "flight": 1714, "to": "MIA"},
        {"hour": "2013-01-01T06:00:00Z", "miles": 2, "flight": 1141, "to": "BQN"},
    ]
    five = int(datetime(2013, 1, 1, 5, tzinfo=UTC).timestamp()) * 10**9

    assert found(*rows) == {"hour": [five, five, five + 3600 * 10**9], "miles": [1.5, 2.0, 2.0]}


@pytest.mark.parametrize(
    "bodies",
    [
        [{"n": 1}, {"n": 2}, {}],
        [{"n": 1}, {"n": 2}, {"n": None}],
        [{"n": 1}, {"n": 2}, {"n": "2013-01-01"}],
        [{"n": 1}, {"n": 2}, {"n": True}],
        [{"n": 1}, {"n": 3}, {"n": 2}],
        [{"n": 1}, {"n": 1}],
        [{"n": 1}, {"n": 10**400}],
        [{"n": "2013-01-01"}, {"n": "2013-01-02"}, {"n": "2013-01-1"}],
        [{"n": "20130101"}, {"n": "20130102"}],
        [{"n": "0001-01-01T00:00+14:00"}, {"n": "2013-01-02"}, {"n": "2013-01-01"}],
        [{"n": 1}, {"n": 2}, b"no JSON"],
        [{"n": 1}, {"n": 2}, [3]],
        [{"n": 1}, {"n": 2}, {"n": 3, "more": "x" * LARGEST}],
        [b"", {"n": 1}, {"n": 2}],
    ],
    ids=str,
)
def test_a_field_that_one_event_lacks_or_that_goes_back_or_stands_still_is_none(bodies):
    assert found(*bodies) == {}


def test_so_many_fields_of_the_first_body_are_followed():
    rows = [{f"f{field}": number for field in range(20)} for number in range(3)]

    assert list(found(*rows)) == [f"f{field}" for field in range(MOST)]


def test_events_are_counted_along_a_field_of_fractions():
    recording = Recording(lambda first, last: [])
    recording.append(payloads(*({"part": number / 1000} for number in range(100))))

    assert recording.counts(10, "body.part") == [10] * 10
    assert recording.up_to(0.0495, "body.part") == 50


def test_bars_and_places_along_a_field_of_times():
    recording = Recording(lambda first, last: [])
    hours = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=number // 3) for number in range(72)]
    recording.append(payloads(*({"hour": hour.isoformat()} for hour in hours)))

    assert recording.counts(4, "body.hour") == [18] * 4
    assert recording.up_to(int(hours[10].timestamp()) * 10**9, "body.hour") == 12
