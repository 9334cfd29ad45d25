"""What the views of a model have in common: one look at it when it changed, and calls that do not block.

State is in synced traits, so that a page loaded again and a second view show the same. What a person does
comes as a message with the name of an action. A choice is taken at once; a call of the broker runs in a
thread, one at a time, and what came of it comes back as state.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Generic, TypeVar

from anywidget import AnyWidget
from traitlets import Dict, Unicode

from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import background
from kubemq_nb.visible import line
from kubemq_nb.widgets.handover import Variables
from kubemq_nb.widgets.ticker import Ticker

_STATIC = files("kubemq_nb.widgets") / "static"
M = TypeVar("M")

Message = Mapping[str, Any]
"""What the browser sent: `do` names the action."""

Action = Callable[[Message], object]


def module(*names: str) -> str:
    """One module out of several files: the browser gets it as text, and could import nothing from there."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ("frame.js", *names))


def style() -> str:
    """The style sheet of every view."""
    return (_STATIC / "tokens.css").read_text(encoding="utf-8")


class ModelView(AnyWidget, Generic[M]):
    """A view of a model of the session.

    Attributes:
        source: The model; None once it was let go.
    """

    _css = style()

    about = Dict().tag(sync=True)  # what stays the same
    foot = Dict().tag(sync=True)  # the line of code, and what is held
    said = Dict().tag(sync=True)  # what the last action came to, empty when there is nothing to say
    busy = Unicode().tag(sync=True)  # the call that waits for the broker, empty when none does
    heard = Unicode().tag(sync=True)  # the last turn of a hand: what is said of its choices is no older

    def __init__(self, source: M, *, variables: Variables | None = None) -> None:
        super().__init__()
        _hear_where_it_was_said(self.comm)
        self.source: M | None = source
        self._variables: Variables = {} if variables is None else variables
        self._guard = threading.RLock()  # of the traits: ticker, worker and main thread change them
        self._version: object = None
        self._heard = ""
        self.on_msg(lambda _widget, content, _buffers: self.act(content))
        self.refresh()
        self._watch()

    def __repr__(self) -> str:
        return f"<{self.about['label']}>"

    @property
    def ended(self) -> bool:
        """Whether it may let go of what it shows."""
        return self.source is None or self.over(self.source)

    def close(self) -> None:
        """End this view; the model goes on."""
        self._ticker.stop()
        super().close()

    def let_go(self) -> None:
        """Stand still as it is and let go of the model, so that its rows can be freed."""
        with self._guard:
            self._ticker.stop()
            self.source = None
            self._say("info", "The kernel no longer holds this.", "Run the cell to see it live.")

    def refresh(self) -> None:
        """Show the model as it is now."""
        with self._guard:
            if self.source is None:
                return
            self._version = self.version(self.source)
            with self.hold_sync():
                self.show(self.source)
                self.heard = self._heard

    def version(self, source: M) -> object:
        """Another after each change of the model."""
        raise NotImplementedError

    def show(self, source: M) -> None:
        """Write the model into the traits."""
        raise NotImplementedError

    def over(self, source: M) -> bool:
        """Whether the model changes no more, and nothing can be done with it."""
        raise NotImplementedError

    def at_once(self) -> Mapping[str, Action]:
        """Actions that are done at once, by name."""
        return {}

    def calls(self) -> Mapping[str, Action]:
        """Actions that ask the broker, by name."""
        return {}

    def act(self, message: Message) -> None:
        """Do what a person asked for in the browser: `do` names it, `turn` says whose doing it was."""
        name = str(message.get("do"))
        if self.source is None:
            return
        if choice := {"dismiss": self._dismiss, **self.at_once()}.get(name):
            with self._guard, self._telling():
                self._heard = str(message.get("turn", self._heard))
                choice(message)
            self.refresh()
        elif (call := self.calls().get(name)) and self._takes(name):
            background.spawn(f"view:{name}", lambda: self._carry_out(call, message))

    def _takes(self, name: str) -> bool:
        """Whether this call is the one under way now: there is one at a time."""
        with self._guard:
            free = not self.busy
            if free:
                self.busy = name
            return free

    def _carry_out(self, call: Action, message: Message) -> None:
        try:
            with self._telling():
                call(message)
        finally:
            with self._guard:
                self.refresh()
                self.busy = ""
                if not self._ticker.running:
                    self._watch()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say in the view what went wrong."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  the edge to the browser
            ours = isinstance(error, KubeMQError | ValueError)
            self._say("bad", *sentences(str(error) if ours else f"{type(error).__name__}: {error}"))

    def _say(self, tone: str, head: str, rest: str = "", *, code: str = "") -> None:
        self.said = {"tone": tone, "icon": tone, "head": head, "rest": rest, "code": code}

    def _dismiss(self, _message: Message) -> None:
        self.said = {}

    def _watch(self) -> None:
        self._ticker = Ticker(self._tick, name=self.about["label"])
        self._ticker.start()

    def _tick(self) -> bool:
        """Look at the model if it changed; whether it may change again."""
        with self._guard:
            if self.source is None:
                return False
            over = self.over(self.source)  # asked first: what ends during this look is shown by the next one
            if self.version(self.source) != self._version:
                with self._telling():
                    self.refresh()
            return not over


def _hear_where_it_was_said(comm: object) -> None:
    """Let a comm take a message of the page in the subshell that the page chose for it.

    ipykernel 7.4 takes it where the comm last published from instead: in a busy main shell it would wait for
    the cell, and in the subshell of a page that was closed it would be lost.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen  # noqa: SLF001  there is no public name


def sentences(text: str) -> tuple[str, str]:
    """The first sentence, with a capital, and the others."""
    head, stop, rest = line(text).partition(". ")
    return head[:1].upper() + head[1:] + stop.strip(), rest
