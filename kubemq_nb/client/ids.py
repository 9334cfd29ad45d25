"""Ids that are made when the caller gives none."""

from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from kubemq_nb.messages import Event, QueueMessage, Request

M = TypeVar("M", QueueMessage, Event, Request)

REPLAY_PREFIX = "kubemq-nb-"


def with_id(message: M) -> M:
    """The message itself, or one with a new id."""
    return message if message.id else replace(message, id=str(uuid4()))


def fresh_client_id() -> str:
    """A client id that no events store has a position for; each leaves one small entry on a real server."""
    return REPLAY_PREFIX + uuid4().hex
