"""Daemon threads, and the event loop on which coroutine handlers run; never the kernel's."""

import asyncio
import inspect
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

F = TypeVar("F")


def spawn(name: str, work: Callable[[], None]) -> threading.Thread:
    """Start a named thread that does not keep the interpreter from ending."""
    thread = threading.Thread(target=work, name=f"kubemq-nb:{name}", daemon=True)
    thread.start()
    return thread


def call(function: Callable[[Any], object], argument: object) -> object:
    """Call a function, and if it is a coroutine function wait for its result, computed on our own loop."""
    result = function(argument)
    if not inspect.iscoroutine(result):
        return result
    return asyncio.run_coroutine_threadsafe(result, _loop(os.getpid())).result()


def checked(handler: F, what: str = "a handler is a function of one message", *, takes: int = 1) -> F:
    """The handler, if it can be called with so many arguments; `what` says what it should be.

    Raises:
        TypeError: It cannot.
    """
    if not callable(handler):
        raise TypeError(f"{what}, not {type(handler).__name__}")
    try:
        signature = inspect.signature(handler)
    except ValueError:  # some that are built in do not tell
        return handler
    try:
        signature.bind(*[None] * takes)
    except TypeError as error:
        name = getattr(handler, "__name__", type(handler).__name__)
        raise TypeError(f"{what}; {name}{signature} cannot be called so: {error}") from None
    return handler


def on_handler_loop() -> bool:
    """Whether this is the thread that coroutine handlers run in."""
    return threading.current_thread().name == "kubemq-nb:handlers"


@cache
def _loop(_: int) -> asyncio.AbstractEventLoop:
    """The loop of a process: in a fork the thread of its parent's is missing."""
    loop = asyncio.new_event_loop()
    spawn("handlers", loop.run_forever)
    return loop
