"""Views that open another view inside them: what a button opens, and how it ends with its pane."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from ipywidgets import Widget, widget_serialization
from traitlets import Dict, Instance

from kubemq_nb.session import Feed, Responder, Scrubber, registry
from kubemq_nb.widgets.handover import Variables
from kubemq_nb.widgets.model_view import Message, ModelView

M = TypeVar("M")

OpenView = Callable[[object], Widget]
"""Gives the view of a model."""


class Host(ModelView[M]):
    """A view with a pane for one other view."""

    child = Instance(Widget, allow_none=True).tag(sync=True, **widget_serialization)
    pane = Dict().tag(sync=True)  # what stands over the child

    def __init__(self, source: M, *, open_view: OpenView, variables: Variables | None = None) -> None:
        self._open_view = open_view
        self._opened: object = None
        self._begun: list[Responder] = []  # for the pane
        super().__init__(source, variables=variables)

    def host(self, model: object, title: str, *, begun: Iterable[Responder] = ()) -> None:
        """Show another model in the pane, in place of the one before.

        Args:
            model: What to show.
            title: What stands over it.
            begun: Responders that were begun for it, and end with it.
        """
        if model is not self._opened:
            self.end_child()
        view = self._open_view(model)
        with self.hold_sync():
            self._opened, self.pane, self.child = model, {"title": title}, view
        self._begun += begun

    def end_child(self, _message: Message | None = None) -> None:
        """Close the pane; what was begun for it in the background ends."""
        model, self._opened = self._opened, None
        self.child, self.pane = None, {}
        if isinstance(model, Feed | Scrubber):  # what else a pane shows, others may show as well
            model.stop()
        begun, self._begun = self._begun, []
        for responder in begun:
            responder.stop()

    def close(self) -> None:
        """End this view, and what it opened."""
        self.end_child()
        super().close()


def can_send(connection: str) -> bool:
    """Whether a connection of this name is open, and lets somebody send."""
    return any(each.name == connection and not each.read_only for each in registry.all())
