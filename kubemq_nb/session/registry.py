"""The open sessions of this process, by name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubemq_nb.session.connection import Session


def current() -> "Session":
    """The session that is in use: the last one connected or chosen.

    Raises:
        SessionClosed: None is open.
    """
    raise NotImplementedError


def get(name: str) -> "Session":
    """The open session of this name.

    Raises:
        SessionClosed: There is none.
    """
    raise NotImplementedError


def use(name: str) -> "Session":
    """Make the open session of this name the current one."""
    raise NotImplementedError


def all() -> "list[Session]":
    """The open sessions, in the order of their connecting."""
    raise NotImplementedError
