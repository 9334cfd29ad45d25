"""What the tests of the client share: messages in short, and calls that must not wait."""

import contextlib
import time

from kubemq_nb._wire import codec
from kubemq_nb.messages import Event, QueueMessage

ME = "tester"
LONG = 60.0  # seconds; a call that ends before half of it did not wait


def message(channel, body, **fields):
    body = body if isinstance(body, bytes) else str(body).encode()
    return QueueMessage(channel=channel, body=body, client_id=ME, **fields)


def event(channel, body, **fields):
    return Event(channel=channel, body=str(body).encode(), client_id=ME, **fields)


def bodies(payloads):
    return [codec.decode_queue_message(payload).body.decode() for payload in payloads]


def event_bodies(payloads):
    return [codec.decode_event(payload).body.decode() for payload in payloads]


def sequences(payloads):
    return [codec.event_position(payload)[0] for payload in payloads]


def numbered(count):
    """This many bodies that differ."""
    return [str(number).encode() for number in range(count)]


@contextlib.contextmanager
def not_waiting(wait=LONG):
    """The block ends long before this wait would."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < wait / 2
