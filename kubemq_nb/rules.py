"""What KubeMQ accepts: names, bounds, and the exact texts of its refusals, for both ends of the wire.

Source: docs/protocol.md, "Ground rules". The embedded broker answers with these texts; the client applies the
same rules before anything is sent, so that a bad name costs no round trip (and harms no real server).
"""

import unicodedata

MAX_MESSAGES = 1024  # per receive or peek
MAX_WAIT = 3600  # seconds
MAX_EXPIRATION = 43_200  # seconds
MAX_DELAY = 43_200  # seconds
MAX_RECEIVE_COUNT = 1024  # also the default
MAX_VISIBILITY = 43_200  # seconds
MAX_TIMEOUT = 2_147_483  # seconds of a request; the wire counts milliseconds in 32 bits
DEFAULT_VISIBILITY = 60  # seconds
MAX_MESSAGE_BYTES = 104_857_600  # a whole gRPC message, body and envelope
# What is sent must leave room for what a server adds: a larger one is stored, and nobody can ever receive it.
MAX_SENT_BYTES = MAX_MESSAGE_BYTES - 65_536

# In the answer of the embedded broker to what its disk refused and may hold all the same.
NOT_KNOWN = "whether it was stored all the same is not known"

TEXTS = {
    101: "invalid clientID value, cannot be empty",
    102: "invalid channel value, cannot be empty",
    107: "invalid channel value, no wildcards are allowed",
    108: "invalid channel value, no white spaces are allowed",
    109: "invalid set timeout value, cannot be 0 or negative",
    110: "invalid message, cannot be empty",
    111: "invalid subscription type, cannot be undefined or 0",
    112: "invalid subscription type start at sequence value, cannot by 0 or negative",
    113: "invalid subscription type start at time value, cannot by 0 or negative",
    114: "invalid subscription type start at time delta value, cannot by 0 or negative",
    115: "invalid request, cannot be empty",
    116: "invalid cache ttl value, cannot be 0 or negative",
    117: "invalid request id, cannot be empty",
    118: "event store parameters were set but subscribe type is not event store",
    119: "invalid channel value, cannot end with `.`",
    120: "invalid queue name value, cannot be empty, contains wildcards ,white spaces and end with dot",
    121: "cannot subscribe to a queue",
    122: "max messages should be between 1 and max message setting in kubemq config  ",
    124: "no active message to ack",
    125: "ack sequence cannot be 0 or negative",
    126: "no active message to send",
    127: "invalid visibility time, cannot be negative or exceed setting in kubemq config",
    128: "subscription to queue is already active",
    129: "current visibility timer expired",
    130: "error during send message to queue",
    131: "invalid queue message",
    132: "invalid stream queue messages request type",
    133: "invalid expiration seconds, exceed max expiration seconds setting in kubemq config",
    134: "invalid max received count, cannot be negative or exceed"
    " max receive count setting in kubemq config",
    135: "invalid delay seconds, exceed max delay seconds setting in kubemq config",
    136: "invalid wait timeout, value cannot be negative or exceed"
    " max wait timeout seconds setting in kubemq config",
    137: "no active message to reject",
    138: "no new message in queue, wait time expired",
    206: "invalid request type",
    207: "invalid subscribe type",
    301: "timeout for request message",
}


def text(number: int) -> str:
    """The text on the wire for an error number, as `Error 102: ...`."""
    return f"Error {number}: {TEXTS[number]}"


def has_white_space(channel: str) -> bool:
    """Whether a name holds white space or control characters of any kind.

    The real server refuses only U+0020; a tab or a line break kills a connection that its clients share
    (docs/protocol.md, S1), so both ends of this package refuse them all, with the text of 108 or 120.
    """
    if channel.isprintable() and " " not in channel:
        return False  # as of nearly all
    return any(c.isspace() or unicodedata.category(c) == "Cc" for c in channel)


def channel_error(channel: str, *, wildcards: bool = False) -> int | None:
    """The number of the first rule that a channel of events or requests breaks, or None."""
    if not channel:
        return 102
    if channel.endswith("."):
        return 119
    if has_white_space(channel):
        return 108
    if not wildcards and ("*" in channel or ">" in channel):
        return 107
    return None


def queue_error(channel: str) -> int | None:
    """120 if a queue name breaks any rule, or None."""
    return 120 if channel_error(channel) else None
