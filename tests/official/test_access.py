"""Who is let in: without the token a broker answers Ping and nothing else."""

import contextlib

import pytest

from tests.official import NAMES
from tests.official.client import Refused

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]

CALLS = {
    "send_event": {"body": b"x", "metadata": ""},
    "receive": {"count": 1, "wait": 1},
    "peek": {"count": 1, "wait": 1},
    "ack_all": {"wait": 1},
    "ask": {"kind": "commands", "timeout": 1, "body": b"x", "metadata": ""},
}


@pytest.fixture(scope="module", params=NAMES)
def stranger(request, official_clients, broker):
    """An official client with the wrong token."""
    return official_clients(request.param, broker, "stranger", token="not the token")


def test_ping_needs_no_token(stranger):
    assert stranger.ping()["version"] == "2.4.0"


@pytest.mark.parametrize("call", CALLS)
def test_everything_else_needs_the_token(stranger, channel, call):
    with pytest.raises(Refused, match=r"(?i)unauthenticated"):
        getattr(stranger, call)(channel=channel, **CALLS[call])


@pytest.mark.parametrize("call", ["send_queue", "send_stored"])
def test_nothing_is_kept_that_came_without_the_token(stranger, ours, channel, call):
    with contextlib.suppress(Refused):  # the newest SDK reports a failed stream in other ways
        getattr(stranger, call)(channel=channel, body=b"x", metadata="")

    assert ours.queues.peek(channel, wait=0).empty
    assert ours.events_store.receive(channel, idle=0.1).empty


@pytest.mark.parametrize(
    ("call", "options"), [("subscribe_events", {}), ("subscribe_stored", {"start": "first"})]
)
def test_subscribing_needs_the_token(stranger, channel, call, options):
    subscription = stranger.subscribe(call, channel=channel, **options)

    assert "this broker wants its token" in subscription.next()["error"]
    subscription.end()
