"""Views in the browser, one for each model of the session. Views know models, never the reverse.

`register` tells a shell with a kernel to show the models so; text and static HTML are `render`'s.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubemq_nb.widgets.live_table import LiveTable
from kubemq_nb.widgets.views import MAKE, Views

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MAKE", "LiveTable", "register"]

VIEW = "application/vnd.jupyter.widget-view+json"


def register(ip: "InteractiveShell") -> Views:
    """Show models of this shell as widgets; each has one, however often it is displayed."""
    assert ip.display_formatter
    views = Views(ip.user_ns)
    show = _shown_by(views)
    for kind in MAKE:
        ip.display_formatter.mimebundle_formatter.for_type(kind, show)
    return views


def _shown_by(views: Views) -> Callable[..., dict[str, Any]]:
    def show(source: object, **_choice: object) -> dict[str, Any]:
        # Text and HTML are the business of the shell's other formatters: they outlive the kernel.
        return {VIEW: {"version_major": 2, "version_minor": 0, "model_id": views.of(source).model_id}}

    return show
