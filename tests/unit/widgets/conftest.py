"""Feeds that a test fills by hand, and views of them."""

import json
import time

import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.session.feed import Feed
from kubemq_nb.session.responders import Responder
from kubemq_nb.widgets import LiveTable
from kubemq_nb.widgets.views import Views
from tests.unit.session.streams import FedStream, request


class Filled:
    """A feed over a stream that a test fills."""

    def __init__(self, *, kind="events", channel="gates", **options):
        self.stream = FedStream()
        self.feed = Feed(kind=kind, channel=channel, **options)
        self.feed.begin(self.stream.subscribe)
        self.sent = 0

    def put(self, *bodies, **fields):
        """Let events come, dicts as JSON, and wait until the feed has them."""
        for body in bodies:
            self.sent += 1
            raw = json.dumps(body).encode() if isinstance(body, dict) else body
            event = {"EventID": f"id-{self.sent}", "Channel": "gates", "Body": raw, "Sequence": self.sent}
            self.stream.put_payload(pb.EventReceive(**event | fields).SerializeToString())
        assert self.feed.wait(count=self.sent)


class Desk:
    """A responder that answers what a test asks."""

    def __init__(self, handler):
        self.stream = FedStream()
        self.responder = Responder(
            kind="queries", channel="prices", handler=handler, reply=lambda request, response: None
        )
        self.responder.begin(self.stream.subscribe)
        self.asked = 0

    def ask(self, *bodies):
        self.send(*bodies)
        assert self.responder.wait(count=self.asked)

    def send(self, *bodies):
        for body in bodies:
            self.asked += 1
            self.stream.put_payload(request(body))


@pytest.fixture
def filled():
    made = []

    def fill(**options):
        made.append(Filled(**options))
        return made[-1]

    yield fill
    for each in made:
        each.feed.stop()


@pytest.fixture
def desk():
    made = []

    def open(handler):
        made.append(Desk(handler))
        return made[-1]

    yield open
    for each in made:
        each.responder.stop()


@pytest.fixture
def view():
    made = []

    def show(source, **options):
        made.append(LiveTable(source, open_view=Views({}).of, **options))
        return made[-1]

    yield show
    for each in made:
        each.close()


def eventually(condition, seconds=30.0):
    """Whether a condition comes true before its deadline."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def shown(table, label):
    """The cells of one column of a view."""
    labels = [column["label"] for column in table.table["columns"]]
    return [row["cells"][labels.index(label)] for row in table.table["rows"]]


def counter(table, name):
    """One figure of a view's status line."""
    return dict(table.status["counts"])[name]
