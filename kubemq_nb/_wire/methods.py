"""The fifteen methods of the service, by name and shape, and the calls of our own broker."""

from typing import NamedTuple

SERVICE = "kubemq.kubemq"


class Shape(NamedTuple):
    """Which sides of a method are streams."""

    client_streaming: bool
    server_streaming: bool


UNARY = Shape(client_streaming=False, server_streaming=False)
SERVER_STREAM = Shape(client_streaming=False, server_streaming=True)
TWO_WAY = Shape(client_streaming=True, server_streaming=True)

METHODS = {
    "Ping": UNARY,
    "SendEvent": UNARY,
    "SendEventsStream": TWO_WAY,
    "SubscribeToEvents": SERVER_STREAM,
    "SendRequest": UNARY,
    "SendResponse": UNARY,
    "SubscribeToRequests": SERVER_STREAM,
    "SendQueueMessage": UNARY,
    "SendQueueMessagesBatch": UNARY,
    "ReceiveQueueMessages": UNARY,
    "AckAllQueueMessages": UNARY,
    "StreamQueueMessage": TWO_WAY,
    "QueuesUpstream": TWO_WAY,
    "QueuesDownstream": TWO_WAY,
    "QueuesInfo": UNARY,
}


OWN_SERVICE = "kubemq_nb.broker"
# Other servers do not know them.
EVENTS_PAGE = "ReadEventsPage"
EVENTS_BATCH = "SendEventsBatch"
EVENTS_IN_BATCHES = "SubscribeToEventsInBatches"
QUEUE_IN_PARTS = "ReadQueueInParts"
PARTS_ARRIVED = "AcknowledgeParts"
REQUESTS_BY_LINE = "SendRequestsByLine"
RESPONSES_BY_LINE = "SendResponsesByLine"
OWN = {
    EVENTS_PAGE: UNARY,
    EVENTS_BATCH: UNARY,
    EVENTS_IN_BATCHES: SERVER_STREAM,
    QUEUE_IN_PARTS: SERVER_STREAM,
    PARTS_ARRIVED: UNARY,
    REQUESTS_BY_LINE: TWO_WAY,
    RESPONSES_BY_LINE: TWO_WAY,
}


def path(method: str) -> str:
    """The path of a method on the wire."""
    return f"/{OWN_SERVICE if method in OWN else SERVICE}/{method}"
