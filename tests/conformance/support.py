"""What the tests of the rows share: waiting, and each pattern as "send one, and see what arrives"."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

PATIENCE = 15.0  # seconds for something that comes at once unless it never comes


def eventually(condition: Callable[[], Any], *, within: float = PATIENCE) -> Any:
    """What the condition says when it holds; an AssertionError when it does not in time."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within:g} s"
        threading.Event().wait(0.02)
    return value


@contextlib.contextmanager
def interrupted():
    """Interrupts the block as a kernel does, half a second after it began; it must end soon after."""
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:  # what ended it otherwise must not be followed by an interrupt of the next test
        timer.cancel()
        timer.join()
    assert time.monotonic() - began < PATIENCE


@contextlib.contextmanager
def counting(send: Callable[[str], Any]):
    """Sends 1, 2, 3 and so on while the block runs, to whoever gets only what comes after it has begun."""
    over = threading.Event()

    def go_on():
        number = 0
        while not over.wait(0.1):
            number += 1
            send(str(number))

    sender = threading.Thread(target=go_on)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def pass_time(seconds: float) -> None:
    """Let the broker's clock run: for what is defined by time alone."""
    threading.Event().wait(seconds)


@dataclass(frozen=True)
class Arrived:
    """One message sent: what the sender was told, and the row of it at its receiver."""

    result: Any
    row: Any


def through_queues(session, channel, body, **fields):
    result = session.queues.send(channel, body, **fields)
    return Arrived(result, session.queues.receive(channel, wait=10).iloc[0])


def through_events(session, channel, body, **fields):
    with contextlib.closing(Stopping(session.events.receive(channel, live=True))) as feed:
        result = session.events.send(channel, body, **fields)
        assert feed.wait(count=1, timeout=PATIENCE)
        return Arrived(result, feed.df.iloc[0])


def through_events_store(session, channel, body, **fields):
    result = session.events_store.send(channel, body, **fields)
    stored = eventually(lambda: [row for _, row in session.events_store.receive(channel).iterrows()])
    return Arrived(result, stored[0])


def through_commands(session, channel, body, **fields):
    return _answered(session, session.commands, channel, body, fields)


def through_queries(session, channel, body, **fields):
    return _answered(session, session.queries, channel, body, fields)


def _answered(session, pattern, channel, body, fields):
    with contextlib.closing(Stopping(pattern.respond(channel, reply="seen"))) as responder:
        result = pattern.send(channel, body, **fields)
        assert responder.wait(count=1, timeout=PATIENCE)
        return Arrived(result, responder.df.iloc[0])


class Stopping:
    """A job that `closing` can stop."""

    def __init__(self, job):
        self._job = job

    def __getattr__(self, name):
        return getattr(self._job, name)

    def close(self):
        self._job.stop()


PATTERNS = {
    "queues": through_queues,
    "events": through_events,
    "events_store": through_events_store,
    "commands": through_commands,
    "queries": through_queries,
}
