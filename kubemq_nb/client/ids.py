"""Ids that are made when the caller gives none."""

from os import urandom

REPLAY_PREFIX = "kubemq-nb-"


def new_id() -> str:
    """An id for a message that has none: a random UUID, made without the object, which takes longer."""
    digits = urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def fresh_client_id() -> str:
    """A client id that no events store has a position for; each leaves one small entry on a real server."""
    return REPLAY_PREFIX + urandom(16).hex()
