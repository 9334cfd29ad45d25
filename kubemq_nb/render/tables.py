"""A table of texts, and its two forms."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from kubemq_nb.render.text import LIMIT, cut, displayed, fitted, padded, room
from kubemq_nb.visible import line

NARROWEST = 12  # columns that a text is not cut below
WIDEST_HTML = 200  # of a cell in HTML


class Look(NamedTuple):
    """What a user may choose of all displays."""

    max_rows: int = 20  # shown of a frame
    deterministic: bool = False  # leave out what differs from run to run: times, ids, ports


def as_of(at: datetime | None, look: Look) -> str:
    """When what is shown was so: a saved view grows old."""
    return f", as of {at:%Y-%m-%d %H:%M:%S} UTC" if at and not look.deterministic else ""


class Shown(NamedTuple):
    """The two forms of an object."""

    text: str
    html: str


@dataclass(frozen=True)
class Column:
    """One column: its heading and its texts."""

    name: str
    cells: Sequence[str]
    right: bool = False  # figures

    @cached_property
    def width(self) -> int:
        """Columns of text that it takes."""
        return max(displayed(text) for text in [self.name, *self.cells])

    def narrowed(self, width: int) -> "Column":
        """The same as lines that are safe to show, cut to a width."""
        return replace(self, name=line(self.name), cells=[fitted(line(text), width) for text in self.cells])


class Table(NamedTuple):
    """Columns between a caption and a note.

    Attributes:
        columns: In their order; a table that is too wide for text loses the last ones, and says so.
        caption: What it is about: a name, and what else there is to say.
        note: What was counted, and what did not change.
    """

    columns: Sequence[Column]
    caption: tuple[str, str] = ("", "")
    note: str = ""

    def shown(self) -> Shown:
        """Both forms."""
        return Shown(self.text(), self.html())

    def text(self) -> str:
        """Lines of columns two spaces apart, and the note."""
        width = room()
        fitting, absent = fit([column.narrowed(width) for column in self.columns], width)
        names = [padded(column.name, column.width, right=column.right) for column in fitting]
        rows, cut_off = within_limit(
            "  ".join(
                padded(c, column.width, right=column.right) for c, column in zip(row, fitting, strict=True)
            )
            for row in zip(*(column.cells for column in fitting), strict=True)
        )
        left_out = f"not shown: {', '.join(absent)}" if absent else ""
        note = textwrap.fill(line("; ".join(filter(None, [self.note, left_out, cut_off]))), width)
        head = ["  ".join(names)] if fitting else []
        return "\n".join(text.rstrip() for text in [*head, *rows, note] if text)

    def html(self) -> str:
        """A bare table: hosts strip styles, and a saved notebook has no script."""
        name, about = self.caption
        head = "".join(f'<th scope="col" align="{_side(c)}">{escaped(c.name)}</th>' for c in self.columns)
        rows, cut_off = within_limit(
            "<tr>" + "".join(map(_cell, row, self.columns)) + "</tr>"
            for row in zip(*(column.cells for column in self.columns), strict=True)
        )
        note = "; ".join(filter(None, [self.note, cut_off]))
        table = f'<table cellpadding="4"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        return "".join(
            [
                f"<p><b>{escaped(name)}</b>{escaped(about)}</p>" if name else "",
                table if self.columns else "",
                f"<p><small>{escaped(note)}</small></p>" if note else "",
            ]
        )


def within_limit(rows: Iterable[str]) -> tuple[list[str], str]:
    """As many rows as one display may hold, and what to say of the others."""
    kept: list[str] = []
    room = LIMIT
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            return kept, f"cut after {len(kept):,} rows: a display holds 4 MB"
        kept.append(row)
    return kept, ""


def fit(columns: Sequence[Column], width: int) -> tuple[list[Column], list[str]]:
    """Cut the widest texts, then leave out the last columns, until all fit; the names of those left out."""
    kept = list(columns)
    absent: list[str] = []
    while (excess := sum(column.width + 2 for column in kept) - 2 - width) > 0:
        widest = max(
            (column for column in kept if not column.right), key=lambda each: each.width, default=None
        )
        if widest and widest.width > (least := max(NARROWEST, displayed(widest.name))):
            target = max(least, widest.width - excess)
            kept[kept.index(widest)] = widest.narrowed(target)
        elif len(kept) > 1:
            absent.insert(0, kept.pop().name)
        else:
            break
    return kept, absent


def escaped(text: str) -> str:
    """Text as it may stand in one line of HTML, wherever it came from."""
    return escaped_lines(line(text))


def escaped_lines(text: str) -> str:
    """Text of several lines as it may stand in HTML."""
    import html  # noqa: PLC0415  2 ms for its table of entities, which a first result does without

    return html.escape(text)


def _cell(text: str, column: Column) -> str:
    return f'<td align="{_side(column)}">{escaped(cut(text, WIDEST_HTML))}</td>'


def _side(column: Column) -> str:
    return "right" if column.right else "left"
