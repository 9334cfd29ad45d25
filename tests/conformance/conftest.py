"""Fixtures of the rows: every pattern in turn, a second session, a broker of one's own."""

from contextlib import closing

import pytest

import kubemq_nb
from kubemq_nb.client.connection import Connection
from tests.conformance.support import PATTERNS


@pytest.fixture(params=sorted(PATTERNS))
def through(request):
    """Sends one message through a pattern and gives what arrived."""
    return PATTERNS[request.param]


@pytest.fixture
def other(address, credentials):
    """A second session on the server under test, with a client id of its own."""
    with kubemq_nb.connect(address, name="other", **credentials) as session:
        yield session


@pytest.fixture
def own():
    """A session on an embedded broker of its own, which a test may kill."""
    with kubemq_nb.connect(name="own") as session:
        yield session


@pytest.fixture
def fill(session, channel):
    """Sends this many messages in order; their bodies."""

    def fill(count, *, to=channel, **fields):
        bodies = [f"m{number}" for number in range(count)]
        for body in bodies:
            session.queues.send(to, body, **fields)
        return bodies

    return fill


@pytest.fixture
def connect(address, credentials):
    """Opens client channels to the server under test."""
    token_file = credentials.get("token_file")
    token = token_file.read_text().strip() if token_file else None
    opened = []

    def connect(**options):
        opened.append(Connection(address, token=token, **options))
        return opened[-1]

    yield connect
    for channel in opened:
        channel.close()


@pytest.fixture(scope="module")
def both_ways(address, credentials):
    """A connection that uses the calls of our own broker, and one that is told that there are none."""
    token = credentials["token_file"].read_text().strip() if credentials else None
    with (
        closing(Connection(address, token=token)) as ours,
        closing(Connection(address, token=token)) as plain,
    ):
        plain.has_batches = plain.has_pages = plain.has_parts = plain.has_lines = False
        yield ours, plain


@pytest.fixture
def connection(connect):
    """A client channel to the server under test."""
    return connect()
