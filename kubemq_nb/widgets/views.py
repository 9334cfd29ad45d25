"""Which view shows which model: one each, and only so many of models that no longer change."""

from collections.abc import Mapping
from typing import Any, Protocol

from kubemq_nb.session import (
    Answers,
    Dashboard,
    Feed,
    QueueBrowser,
    Responder,
    Scrubber,
    SendForm,
    Transaction,
)
from kubemq_nb.widgets.answers import AnswersView
from kubemq_nb.widgets.dashboard import DashboardView
from kubemq_nb.widgets.handover import Variables, variable_of
from kubemq_nb.widgets.host import Host
from kubemq_nb.widgets.live_table import LiveTable
from kubemq_nb.widgets.queue_browser import QueueBrowserView
from kubemq_nb.widgets.scrubber import ScrubberView
from kubemq_nb.widgets.send_form import SendFormView
from kubemq_nb.widgets.transaction import TransactionView

ENDED = 8
"""Views of ended models of one kind that keep their rows, beside those that a variable of the user's holds: a
cell run again and again fills no memory."""


class View(Protocol):
    """What is needed of a widget, whatever it shows."""

    model_id: str
    source: object

    @property
    def ended(self) -> bool:
        """Whether it may let go of what it shows."""
        ...

    def refresh(self) -> None:
        """Show the model as it is now."""
        ...

    def let_go(self) -> None:
        """Stand still and let go of the model."""
        ...


MAKE: Mapping[type, type] = {
    Feed: LiveTable,
    Responder: LiveTable,
    Dashboard: DashboardView,
    QueueBrowser: QueueBrowserView,
    Transaction: TransactionView,
    Scrubber: ScrubberView,
    Answers: AnswersView,
    SendForm: SendFormView,
}
"""The widget of each kind of model."""


class Views:
    """Views by the model that they show."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self._views: dict[int, View] = {}  # by the id of the model, which is its own while it is held

    def of(self, source: object) -> Any:
        """The view of a model; a second display of the model is a second window on the same view."""
        make = next((make for kind, make in MAKE.items() if isinstance(source, kind)), None)
        if make is None:
            raise ValueError(f"There is no view of a {type(source).__name__}; a cell shows it as text.")
        view = self._views.pop(id(source), None) or self._made(make, source)
        self._views[id(source)] = view
        self._let_go_of_ended(make)
        return view

    def let_go(self) -> None:
        """Let all of them stand still as their models are now, and let go of these; their threads end."""
        for view in self._views.values():
            view.refresh()
            view.let_go()
        self._views.clear()

    def _made(self, make: type, source: object) -> View:
        opening = {"open_view": self.of} if issubclass(make, Host) else {}
        view: View = make(source, variables=self._variables, **opening)
        return view

    def _let_go_of_ended(self, make: type) -> None:
        # By the class that was called: a widget's own is another, made for its traits.
        ended = [place for place, view in self._views.items() if isinstance(view, make) and view.ended]
        for place in ended[:-ENDED]:
            if variable_of(self._views[place].source, self._variables) is None:
                self._views.pop(place).let_go()
