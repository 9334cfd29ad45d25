"""Which view shows which feed: one each, and only so many of feeds that have ended."""

from kubemq_nb.widgets.handover import Variables
from kubemq_nb.widgets.live_table import LiveTable
from kubemq_nb.widgets.tail import Source

ENDED = 8
"""Views of ended feeds that keep their rows: a cell that is run again and again does not fill the memory."""


class Views:
    """Views by the feed that they show."""

    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self._views: dict[int, LiveTable] = {}  # by the id of the feed, which is its own while it is held

    def of(self, source: Source) -> LiveTable:
        """The view of a feed; a second display of the feed is a second window on the same view."""
        view = self._views.pop(id(source), None) or LiveTable(source, variables=self._variables)
        self._views[id(source)] = view
        self._let_go_of_ended()
        return view

    def _let_go_of_ended(self) -> None:
        ended = [place for place, view in self._views.items() if not view.ticking]
        for place in ended[:-ENDED]:
            self._views.pop(place).let_go()
