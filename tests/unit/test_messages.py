"""Records that travel."""

import pytest

from kubemq_nb.messages import Event, QueueMessage, Request, Response

RECORDS = [
    QueueMessage(channel="orders", body=b'{"caf\xc3\xa9": 1}'),
    Event(channel="orders", body=b'{"caf\xc3\xa9": 1}'),
    Request(kind="query", channel="orders", body=b'{"caf\xc3\xa9": 1}'),
    Response(executed=True, body=b'{"caf\xc3\xa9": 1}'),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_every_body_can_be_read_as_text_and_as_json(record):
    assert (record.text, record.json()) == ('{"caf\u00e9": 1}', {"caf\u00e9": 1})


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_has_no_room_for_misspelt_fields(record):
    with pytest.raises((AttributeError, TypeError)):
        record.boddy = b""
