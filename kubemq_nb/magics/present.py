"""How results are shown: formatters of the shell for what this package returns, and the options of a line."""

import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from IPython.display import display

from kubemq_nb import render
from kubemq_nb.errors import told_of
from kubemq_nb.magics.follow import follow, is_terminal
from kubemq_nb.messages import Acknowledged, Response, SendResult, ServerInfo, Settlement
from kubemq_nb.render import Look, Shown, Text, clean

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.lib.pretty import RepresentationPrinter

    from kubemq_nb.magics.grammar import Format
    from kubemq_nb.session import Feed

FRAMES = ("pandas.DataFrame", "pandas.core.frame.DataFrame")  # by name, so that pandas loads later; 3 and 2.2
RESULTS = (Acknowledged, SendResult, Response, Settlement, ServerInfo)
FEED = "kubemq_nb.session.feed.Feed"
SESSION = "kubemq_nb.session.connection.Session"
SHOWN: dict[str, Callable[[Any, Look], Shown]] = {  # by name, for the same reason
    SESSION: lambda session, look: render.frame(session.status(), look),
    "kubemq_nb.session.transactions.Transaction": render.transaction,
    **dict.fromkeys((FEED, "kubemq_nb.session.responders.Responder"), render.live),
    "kubemq_nb.session.dashboard.Dashboard": lambda view, look: render.dashboard(view.board(), look),
    "kubemq_nb.session.queue_browser.QueueBrowser": render.queue_browser,
    "kubemq_nb.session.scrub.Scrubber": render.scrubber,
    "kubemq_nb.session.form.SendForm": render.form,
    "kubemq_nb.session.answers.Answers": render.desk,
}
VIEWED = tuple(kind for kind in SHOWN if kind != SESSION)  # as widgets, where there is a kernel
KINDS: tuple[type | str, ...] = (*FRAMES, *RESULTS, *SHOWN)


def announce(text: str) -> None:
    """Show a line beside the result."""
    display(Text(text))  # type: ignore[no-untyped-call]


def shorten(error: BaseException) -> None:
    """Let IPython show one line of this error; in Python it stays what it is."""
    said = told_of(error)
    told = f"{type(error).__name__}: {said}" if said else type(error).__name__
    error._render_traceback_ = lambda: [told]  # type: ignore[attr-defined]


def shown(result: Any, look: Look) -> Shown | None:
    """Both forms of a result, or None for what shows itself."""
    try:
        return _shown(result, look)
    except KeyboardInterrupt as error:  # a session is asked how it is
        shorten(error)
        raise


def _shown(result: Any, look: Look) -> Shown | None:
    if type(result).__name__ == "DataFrame":
        return render.frame(result, look) if render.is_ours(result) else None
    if show := SHOWN.get(_name(result)):
        return show(result, look)
    return render.describe(result, look) if isinstance(result, RESULTS) else None


def _name(result: object) -> str:
    return f"{type(result).__module__}.{type(result).__qualname__}"


def presented(result: object, form: "Format", look: Look) -> object:
    """The result in the form that the line asked for."""
    if form == "table":
        return result
    if form == "plain":
        both = shown(result, look)
        return Text(both.text if both else str(result))
    return Text(render.as_json(result, lines=form == "jsonl"))


class Formatters:
    """Formatters of one shell; what was there before stands again after `remove`."""

    def __init__(self, shell: "InteractiveShell", look: Callable[[], Look]) -> None:
        assert shell.display_formatter
        self._shell = shell
        self._formatter = shell.display_formatter
        self._look = look
        self._before: list[tuple[Any, type | str, Any]] = []
        self._made: tuple[weakref.ref[object], Shown] | None = (
            None  # the text was shown, the HTML is asked next
        )
        self._end_views: Callable[[], None] | None = None

    def add(self) -> None:
        """Take over the display of this package's results, and of frames that it made."""
        formatters = self._formatter.formatters
        for kind in KINDS:
            self._set(formatters["text/plain"], kind, self._text)
            self._set(formatters["text/html"], kind, self._html)
        if getattr(self._shell, "kernel", None):
            for kind in VIEWED:
                self._set(self._formatter.mimebundle_formatter, kind, self._widget)

    def remove(self) -> None:
        """Put back what was there."""
        for formatter, kind, before in reversed(self._before):
            formatter.pop(kind, None)
            if before is not None:
                formatter.for_type(kind, before)
        self._before.clear()

    def let_go(self) -> None:
        """End what the views do in the background; they stay to be read."""
        if self._end_views:
            self._end_views()

    def _set(self, formatter: Any, kind: type | str, show: Callable[..., Any]) -> None:
        before = formatter.pop(kind, None)
        self._before.append((formatter, kind, before))
        formatter.for_type(kind, partial(show, before))

    # What was registered before, and failing that the object's own display, is for what is not ours to show.

    def _text(
        self,
        before: Callable[..., Any] | None,
        result: object,
        printer: "RepresentationPrinter",
        cycle: bool,  # noqa: FBT001  IPython's
    ) -> None:
        if _name(result) == FEED and is_terminal(self._shell):
            printer.text(follow(cast("Feed", result), sys.stdout.write))  # type: ignore[no-untyped-call]
        elif both := shown(result, self._look()):
            with suppress(TypeError):  # a small record takes no weak reference, and is shown quickly
                self._made = weakref.ref(result), both
            printer.text(both.text)  # type: ignore[no-untyped-call]
        elif before:
            before(result, printer, cycle)
        elif render.is_derived(result):
            printer.text(clean(repr(result)))  # type: ignore[no-untyped-call]
        else:
            printer.text(repr(result))  # type: ignore[no-untyped-call]

    def _html(self, before: Callable[..., Any] | None, result: Any) -> Any:
        made, self._made = self._made, None
        if both := made[1] if made and made[0]() is result else shown(result, self._look()):
            return both.html
        if before:
            return before(result)
        return result._repr_html_() if hasattr(result, "_repr_html_") else None

    def _widget(self, _before: Callable[..., Any] | None, result: object, **choice: Any) -> Any:
        """Load the widgets when the first one is shown; they take this place for themselves."""
        from kubemq_nb import widgets  # noqa: PLC0415  they cost a quarter of a second

        self._end_views = widgets.register(self._shell).let_go
        return self._formatter.mimebundle_formatter.for_type(type(result))(result, **choice)
