"""What results look like: text and HTML of one object from one source, all data of others made harmless.

HTML is bare tables and paragraphs, because hosts strip styles and a saved notebook has no kernel. Text is
columns two spaces apart, figures at the right, as wide as the terminal that shows them; elsewhere at most 110
columns. The last line says what was counted and what did not change.
"""

from kubemq_nb.render.desk import desk
from kubemq_nb.render.form import form, outcome
from kubemq_nb.render.frames import frame, is_derived, is_ours
from kubemq_nb.render.live import lines, live, transaction
from kubemq_nb.render.records import as_json
from kubemq_nb.render.results import describe
from kubemq_nb.render.scrub import scrubber
from kubemq_nb.render.tables import Column, Look, Shown, Table
from kubemq_nb.render.text import LIMIT, WIDTH, Page, Text, columns, count, counted, cut, rate, size, span
from kubemq_nb.render.views import dashboard, queue_browser
from kubemq_nb.visible import clean

__all__ = [
    "LIMIT",
    "WIDTH",
    "Column",
    "Look",
    "Page",
    "Shown",
    "Table",
    "Text",
    "as_json",
    "clean",
    "columns",
    "count",
    "counted",
    "cut",
    "dashboard",
    "describe",
    "desk",
    "form",
    "frame",
    "is_derived",
    "is_ours",
    "lines",
    "live",
    "outcome",
    "queue_browser",
    "rate",
    "scrubber",
    "size",
    "span",
    "transaction",
]
