"""All official clients and ours at once on the same channels."""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from tests.official import NAMES
from tests.official.client import PROBE
from tests.official.exchange import bodies, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

LARGE = bytes(range(256)) * 4 * 1024 * 3  # 3 MiB: the newest SDK takes 4 MiB at most unless told otherwise


@pytest.fixture(scope="module")
def everyone(official_clients, broker):
    """An official client of each kind."""
    return [official_clients(name, broker, f"everyone-{number}") for number, name in enumerate(NAMES)]


@pytest.mark.rows("Q-01", "C-09")
def test_what_each_sends_each_of_the_others_receives(everyone, ours, channel):
    """One queue, passed on from hand to hand: 4.1.5 to 2.3.0 to JavaScript to us and back."""
    sends = [
        *(client.send_queue for client in everyone),
        ours.queues.send,
    ]
    takes = [
        *(
            lambda channel, client=client: client.receive(channel=channel, count=1, wait=5)
            for client in everyone
        ),
        lambda channel: ours.queues.receive(channel, count=1, wait=5),
    ]

    for number, send in enumerate(sends):
        send(channel=channel, body=LARGE)
        assert bodies(takes[(number + 1) % len(takes)](channel)) == [LARGE]


@pytest.mark.rows("Q-02")
def test_each_message_goes_to_one_of_all(everyone, ours, channel):
    sent = [f"{number}" for number in range(400)]
    ours.queues.send(channel, rows=sent[:100])
    for client, first in zip(everyone, (100, 200, 300), strict=True):
        client.send_batch(
            messages=[{"channel": channel, "body": text.encode()} for text in sent[first : first + 100]]
        )

    with ThreadPoolExecutor() as pool:
        takers = [pool.submit(all_of, client, channel) for client in everyone]
        taken_by_us = bodies(ours.queues.receive(channel, count=60, wait=5))
        taken = [taker.result() for taker in takers]

    everything = sum(taken, taken_by_us)
    assert sorted(everything, key=int) == [text.encode() for text in sent]
    assert all(taken), "somebody took nothing"


@pytest.mark.rows("C-13")
def test_the_members_of_a_group_share_its_events_whoever_they_are(everyone, ours, channel):
    members = [
        client.subscribe("subscribe_events", channel=channel, group="all").live(
            lambda: ours.events.send(channel, metadata=PROBE)
        )
        for client in everyone
    ]
    feed = ours.events.receive(channel, group="all", live=True)

    for number, client in zip(range(200), cycle(everyone), strict=False):
        client.send_event(channel=channel, body=b"%d" % number, metadata="")

    def heard():
        return [item["body"] for member in members for item in member.heard()]

    wait_until(lambda: len(heard()) + feed.status().received >= 200)
    assert sorted(heard() + bodies(feed.df), key=int) == [b"%d" % number for number in range(200)]
    assert all(member.heard() for member in members)
    for member in members:
        member.end()
    feed.stop()


@pytest.mark.rows("R-11")
def test_a_question_of_anybody_is_answered_by_one_of_a_group_of_all(everyone, ours, channel):
    """But 2.3.0 does not ask: it fails on answers of the newest SDK, taking nanoseconds for seconds."""
    members = []
    for number, client in enumerate(everyone):
        reply = {"executed": True, "body": b"%d" % number, "metadata": "m"}
        members.append(client.subscribe("respond", kind="queries", channel=channel, group="all", reply=reply))
    responder = ours.queries.respond(channel, reply="ours", group="all")

    answers = set()
    wait_until(lambda: answers.add(ours.queries.send(channel, "?").body) or len(answers) == 4)
    readers = [client for client in everyone if client.name != "kubemq 2.3.0"]
    asked_by_them = {
        client.ask(kind="queries", channel=channel, timeout=10, body=b"?", metadata="")["body"]
        for client in readers * 5
    }

    assert answers == {b"0", b"1", b"2", b"ours"}
    assert asked_by_them <= answers
    for member in members:
        member.end()
    responder.stop()


def all_of(client, channel):
    """What a client takes, a few at a time, until nothing is left."""
    taken = []
    while messages := client.receive(channel=channel, count=10, wait=1):
        taken += bodies(messages)
    return taken
