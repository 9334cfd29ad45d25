"""What is refused before anything is sent."""

import pytest

from kubemq_nb import errors, rules
from kubemq_nb.client import checks
from kubemq_nb.messages import Event, QueueMessage, Request


def message(**changed: object) -> QueueMessage:
    return QueueMessage(**{"channel": "orders", "body": b"x", "client_id": "me", **changed})


@pytest.mark.parametrize(
    ("channel", "number"),
    [
        ("", 102),
        ("a.", 119),
        ("a b", 108),
        ("a\tb", 108),
        ("a\nb", 108),
        ("a\x00b", 108),
        ("a.*", 107),
        (">", 107),
    ],
)
def test_a_bad_channel_of_events_is_refused_with_the_number_of_the_broker(channel, number):
    with pytest.raises(errors.InvalidChannel, match="Nothing was sent") as caught:
        checks.check_event(Event(channel=channel, body=b"x", client_id="me"))

    assert caught.value.number == number


@pytest.mark.parametrize("channel", ["", "a.", "a b", "a\tb", "a.*", ">"])
def test_a_bad_queue_is_refused_with_the_one_number_of_queues(channel):
    with pytest.raises(errors.InvalidChannel) as caught:
        checks.check_queue_message(message(channel=channel))

    assert caught.value.number == 120


def test_a_live_subscription_may_have_wildcards():
    checks.check_channel("a.*.>", wildcards=True)


@pytest.mark.rows("Q-16")
@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"expiration": -1}, 133),
        ({"expiration": rules.MAX_EXPIRATION + 1}, 133),
        ({"delay": -1}, 135),
        ({"delay": rules.MAX_DELAY + 1}, 135),
        ({"max_receive_count": -1}, 134),
        ({"max_receive_count": rules.MAX_RECEIVE_COUNT + 1}, 134),
        ({"dead_letter": "bad name"}, 120),
        ({"body": b""}, 110),
        ({"body": b"", "tags": {"only": "tags"}}, 110),
        ({"client_id": ""}, 101),
    ],
)
def test_a_bad_message_is_refused_with_the_number_of_the_broker(changed, number):
    with pytest.raises(errors.RequestRejected) as caught:
        checks.check_queue_message(message(**changed))

    assert caught.value.number == number


@pytest.mark.parametrize(
    "changed",
    [
        {"expiration": rules.MAX_EXPIRATION, "delay": rules.MAX_DELAY},
        {"max_receive_count": rules.MAX_RECEIVE_COUNT, "dead_letter": "dead"},
        {"body": b"", "metadata": "only metadata"},
        {"channel": "Ünïcode/$:;"},
    ],
)
def test_the_bounds_themselves_are_fine(changed):
    checks.check_queue_message(message(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"metadata": "\ud800"},
        {"id": "\ud800"},
        {"tags": {"a": "\ud800"}},
        {"channel": "\ud800"},
        {"client_id": "\ud800"},
    ],
)
def test_text_that_utf8_cannot_carry_is_refused(changed):
    with pytest.raises(errors.InvalidMessage, match="lone surrogate"):
        checks.check_queue_message(message(**changed))


def test_a_message_that_no_broker_passes_is_refused():
    with pytest.raises(errors.InvalidMessage, match="100 MiB"):
        checks.check_queue_message(message(body=bytes(rules.MAX_MESSAGE_BYTES + 1)))


@pytest.mark.rows("R-09")
@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"timeout": 0}, 109),
        ({"timeout": -1}, 109),
        ({"cache_key": "k"}, 116),
        ({"cache_key": "k", "cache_ttl": -1}, 116),
        ({"body": b""}, 115),
    ],
)
def test_a_bad_request_is_refused_with_the_number_of_the_broker(changed, number):
    asked = Request(**{"kind": "query", "channel": "a", "body": b"x", "client_id": "me", **changed})

    with pytest.raises(errors.InvalidMessage) as caught:
        checks.check_request(asked)

    assert caught.value.number == number


@pytest.mark.parametrize("visibility", [0, 0.5, -1, rules.MAX_VISIBILITY + 1])
def test_a_visibility_is_whole_seconds_within_bounds(visibility):
    with pytest.raises(errors.RequestRejected, match="whole seconds"):
        checks.whole_visibility("a", visibility)


@pytest.mark.parametrize(("count", "wait"), [(0, 1), (-1, 1), (1, -1), (1, rules.MAX_WAIT + 1)])
def test_counts_and_waits_have_bounds(count, wait):
    with pytest.raises(errors.RequestRejected):
        checks.check_bounds("a", count=count, wait=wait)


@pytest.mark.parametrize(("client_id", "group"), [("a.b", ""), ("a b", ""), ("a", "b:c"), ("a", "b c")])
def test_a_subscriber_that_an_events_store_refuses_is_refused_before(client_id, group):
    with pytest.raises(errors.RequestRejected):
        checks.check_subscriber(client_id, group, channel="a", store=True)
