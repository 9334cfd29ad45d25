"""Channels whose requests come to a desk, asked on by a test."""

from kubemq_nb.session import automatic
from kubemq_nb.session.responders import Responder
from tests.unit.session.streams import FedStream, request

COMMAND = {"RequestTypeData": 1, "Channel": "gates"}


class Line:
    """A channel whose requests come to a desk, with what was replied on it."""

    def __init__(self, desk, kind="queries", channel="prices", *, keep=10_000):
        self.stream = FedStream()
        self.replies = []
        self.broken = None  # what sending raises
        self.responder = Responder(
            kind=kind, channel=channel, handler=automatic.echo, reply=self.reply, client_id="c", keep=keep
        )
        desk.add(self.responder, lambda: None)
        self.responder.begin(self.stream.subscribe, workers=2)

    def reply(self, request, response):
        if self.broken:
            raise self.broken
        self.replies.append((request.id, response))

    def ask(self, id, body="ask", **fields):
        fields = {"RequestID": id, "ReplyChannel": f"inbox-{id}", "Timeout": 10_000} | fields
        self.stream.put_payload(request(body, **fields))
