"""The columns and dtypes of each kind of frame."""

from types import MappingProxyType
from typing import Final

TIME: Final = "datetime64[ns, UTC]"

BASE = {
    "id": "object",
    "channel": "object",
    "metadata": "object",
    "body": "object",  # bytes, as they came
    "decoded": "object",  # the body as JSON, else as text, else None
    "tags": "object",  # a dict of text to text
    "client_id": "object",  # who sent it; of an event only what the sender's tag says, else None
    "timestamp": TIME,  # when the broker stored it; what it does not store: when it arrived here
}

QUEUE = {
    **BASE,
    "sequence": "int64",
    "md5_of_body": "object",  # computed here when the server leaves it empty
    "receive_count": "int64",
    "rerouted": "bool",
    "rerouted_from": "object",  # the queue that gave it up; None when never rerouted
    "expiration_at": TIME,
    "delayed_to": TIME,  # only a send result has it: a delivered message's delay is over
    "expiration": "int64",  # seconds, 0 for none; so is delay
    "delay": "int64",
    "max_receive_count": "int64",
    "dead_letter": "object",  # None when a spent message is dropped
}

EVENTS = {**BASE, "sequence": "Int64"}  # NA: nobody counts live events
EVENTS_STORE = {**BASE, "sequence": "int64"}

REQUESTS = {
    **BASE,
    "timeout": "float64",  # seconds that the asker waits
    "reply_channel": "object",
    "cache_key": "object",
    "cache_ttl": "int64",  # seconds
    "executed": "boolean",  # NA: it is being answered
    "answer": "object",  # the answer's body, decoded
    "error": "object",  # what the asker was told when it was not executed
    "elapsed": "float64",  # seconds from its arrival to its answer
    "line": "Int64",  # of the handler's source, where it raised
    "outcome": "object",  # answered, refused or unanswered (in time); None: it is being answered
    "by": "object",  # who answered: handler, hand or auto; None: nobody
}

DESK = {"kind": "object", **REQUESTS}  # a desk takes commands and queries

WAITING = {
    "kind": "object",  # command or query
    **BASE,
    "timeout": "float64",  # seconds that the asker waits, counted from the timestamp
    "left": "float64",  # seconds of them that were left when the frame was made
    "deadline": TIME,
    "reply_channel": "object",
    "cache_key": "object",
    "cache_ttl": "int64",  # seconds
}

RESULTS = {
    "id": "object",
    "channel": "object",
    "sent": "bool",
    "error": "object",  # the broker's text, None when it was taken
    "sent_at": TIME,
    "expiration_at": TIME,
    "delayed_to": TIME,
}

COLUMNS = MappingProxyType(
    {
        "queues": QUEUE,
        "events": EVENTS,
        "events_store": EVENTS_STORE,
        "commands": REQUESTS,
        "queries": REQUESTS,
        "desk": DESK,
        "waiting": WAITING,
        "results": RESULTS,
    }
)
"""Dtype by column, by kind of frame."""
