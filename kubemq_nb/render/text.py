"""Text as a display has it: long values cut, columns aligned, sizes and times in words."""

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from IPython.lib.pretty import RepresentationPrinter

WIDTH = 110  # columns of text, where no terminal says how many there are
LIMIT = 4_000_000  # characters that one result puts into a notebook


def room() -> int:
    """Columns that there are for text: those of the terminal, if it is written to one."""
    return shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH


def cut(text: str, width: int) -> str:
    """Cut text to a width, with an ellipsis in place of the rest."""
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def fitted(text: str, width: int) -> str:
    """Cut text to the columns that it takes in a terminal, where some characters take two."""
    if text.isascii() or displayed(text) <= width:
        return cut(text, width)
    taken = accumulate(map(_width, text))
    return f"{text[: sum(1 for columns in taken if columns < width)]}…"


def limited(text: str) -> str:
    """Cut what is too long for a notebook, and say so."""
    if len(text) <= LIMIT:
        return text
    return f"{text[:LIMIT]}…\n(cut: {len(text):,} characters in all; the object has them)"


def size(length: int) -> str:
    """Write a number of bytes, in decimal units."""
    if length < 1000:  # noqa: PLR2004
        return f"{length} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6)):
        if length < scale * 1000:
            return f"{length / scale:.3g} {unit}"
    return f"{length / 1e9:.3g} GB"


def count(number: int | None) -> str:
    """1205 as "1,205"; a dash for what is not told."""
    return "–" if number is None else f"{number:,}"  # noqa: RUF001  an en dash


def counted(number: int, noun: str) -> str:
    """1 as "1 row", 1205 as "1,205 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def rate(each_second: float) -> str:
    """How many in a second, with a fraction below a thousand."""
    return f"{each_second:,.1f}" if each_second < 1000 else f"{each_second:,.0f}"  # noqa: PLR2004


def span(seconds: float) -> str:
    """Write a span of time: 3.1 ms, 51 ms, 8.2 s, 1 m 12 s, 14 h, 61 d."""
    if not seconds:
        return "0 s"
    if seconds < 1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"  # noqa: PLR2004
    for unit, larger, length in (("s", "m", 60), ("m", "h", 3600), ("h", "d", 86_400)):
        if seconds < length:
            return _span(seconds, unit, larger)
    return f"{seconds / 86_400:.0f} d"


def _span(seconds: float, unit: str, larger: str) -> str:
    if unit == "s":
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    if unit == "m":
        whole, rest = divmod(int(seconds), 60)
        return f"{whole} m {rest} s" if rest else f"{whole} m"
    return f"{seconds / 3600:.0f} {unit}" if larger else ""


def clock(time: datetime) -> str:
    """Write the time of day, to the second."""
    return f"{time:%H:%M:%S}"


def columns(rows: Sequence[Sequence[str]], *, width: int = WIDTH) -> list[str]:
    """Lines of aligned columns, two spaces apart; the last column wraps below itself."""
    if not rows:
        return []
    widths = [max(displayed(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    indent = " " * (sum(widths) + 2 * len(widths))
    lines: list[str] = []
    for row in rows:
        head = "".join(padded(cell, width) + "  " for cell, width in zip(row, widths, strict=False))
        lines += textwrap.wrap(
            row[-1], width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
        ) or [head.rstrip()]
    return lines


def displayed(text: str) -> int:
    """How many columns text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Pad text to a width."""
    space = " " * max(0, width - displayed(text))
    return space + text if right else text + space


class Text(str):
    """Text that shows as it is, without quotes."""

    __slots__ = ()

    def _repr_pretty_(self, printer: "RepresentationPrinter", cycle: bool) -> None:  # noqa: ARG002, FBT001  IPython's
        printer.text(str(self))  # type: ignore[no-untyped-call]


class Page(Text):
    """Text that has a Markdown form as well."""

    __slots__ = ("markdown",)
    markdown: str

    def __new__(cls, text: str, markdown: str) -> Self:
        """Make a page of both its forms."""
        page = super().__new__(cls, text)
        page.markdown = markdown
        return page

    def _repr_markdown_(self) -> str:
        return self.markdown
