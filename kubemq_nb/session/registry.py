"""The open sessions of this process, by name."""

import atexit
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kubemq_nb.errors import SessionClosed

if TYPE_CHECKING:
    from kubemq_nb.session.connection import Session

_lock = threading.RLock()
_sessions: "dict[str, Session]" = {}
_in_use: "list[Session]" = []  # most recently connected or chosen last


def current() -> "Session":
    """The session that is in use: the last one connected or chosen.

    Raises:
        SessionClosed: None is open.
    """
    with _lock:
        if not _in_use:
            raise SessionClosed("no connection is open; `connect` opens one")
        return _in_use[-1]


def get(name: str) -> "Session":
    """The open session of this name.

    Raises:
        SessionClosed: There is none.
    """
    with _lock:
        if name not in _sessions:
            known = ", ".join(_sessions) or "none"
            raise SessionClosed(f"no connection {name} is open (open: {known})")
        return _sessions[name]


def use(name: str) -> "Session":
    """Make the open session of this name the current one."""
    with _lock:
        session = get(name)
        _in_use.remove(session)
        _in_use.append(session)
        return session


def all() -> "list[Session]":
    """The open sessions, in the order of their connecting."""
    with _lock:
        return list(_sessions.values())


def add(session: "Session") -> "Session | None":
    """Make a new session the current one; the session whose name it takes over, if there is one."""
    # Anew, because what was registered last runs first: sessions end before the embedded brokers under them.
    atexit.unregister(close_all)
    atexit.register(close_all)
    with _lock:
        former = _sessions.pop(session.name, None)
        if former:
            _in_use.remove(former)
        _sessions[session.name] = session
        _in_use.append(session)
        return former


def remove(session: "Session") -> None:
    """Forget a closed session, unless another has its name by now."""
    with _lock:
        if _sessions.get(session.name) is session:
            del _sessions[session.name]
            _in_use.remove(session)


def close_all() -> None:
    """Close every open session, each whatever becomes of the others."""
    with ExitStack() as closes:
        for session in reversed(all()):
            closes.callback(session.close)
