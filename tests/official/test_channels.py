"""Channels that an official client creates, lists and deletes."""

import pytest

from tests.official.client import Refused

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

KINDS = ["queues", "events", "events_store", "commands", "queries"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_that_they_create_is_listed_to_them_and_to_us_until_they_delete_it(
    newest, ours, channel, kind
):
    assert newest.create_channel(kind=kind, channel=channel)

    listed = [(found["name"], found["type"]) for found in newest.list_channels(kind=kind, search=channel)]
    seen_by_us = ours.channels.list(filter=channel)
    assert newest.delete_channel(kind=kind, channel=channel)

    assert listed == [(channel, kind)]
    assert seen_by_us["kind"].tolist() == [kind]
    assert newest.list_channels(kind=kind, search=channel) == []


def test_deleting_a_queue_removes_its_messages(newest, ours, channel):
    ours.queues.send(channel, "x")

    newest.delete_channel(kind="queues", channel=channel)

    assert ours.queues.peek(channel, wait=0).empty


def test_a_queue_is_listed_with_what_went_in_and_out(newest, ours, channel):
    ours.queues.send(channel, rows=["a", "b", "c"])
    newest.receive(channel=channel, count=1, wait=5)

    (found,) = newest.list_channels(kind="queues", search=channel)

    assert found["incoming"]["messages"] == 3
    assert found["outgoing"]["messages"] == 1
    assert found["incoming"]["waiting"] == 2


def test_a_channel_that_cannot_be_is_refused_with_the_reason(newest):
    with pytest.raises(Refused, match="KubeMQChannelError"):
        newest.create_channel(kind="queues", channel="kubemq-nb-test.official.with space")
