"""Messages to protobuf and back: total, pure, and the only place that knows units and spellings of the wire."""

from kubemq_nb.messages import Event, QueueMessage, Request


def decode_queue_message(payload: bytes) -> QueueMessage:
    """Read one message of a queue. A damaged one is read with escapes in its text (see columns)."""
    raise NotImplementedError


def decode_event(payload: bytes) -> Event:
    """Read one event, live or stored."""
    raise NotImplementedError


def decode_request(payload: bytes) -> Request:
    """Read one command or query as its responder sees it."""
    raise NotImplementedError
