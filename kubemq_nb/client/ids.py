"""Ids that are made when the caller gives none."""

from uuid import uuid4

REPLAY_PREFIX = "kubemq-nb-"


def new_id() -> str:
    """An id for a message that has none."""
    return str(uuid4())


def fresh_client_id() -> str:
    """A client id that no events store has a position for; each leaves one small entry on a real server."""
    return REPLAY_PREFIX + uuid4().hex
