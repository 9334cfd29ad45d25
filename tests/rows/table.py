"""docs/rows.md as data."""

import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "docs" / "rows.md"
LINE = re.compile(r"^\| ([A-Z]-\d\d) \| (★?) *\| (.*?) \| *(later)? *\|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One promise: its id, whether every KubeMQ server keeps it, its words, whether it is still to come."""

    id: str
    everywhere: bool
    text: str
    later: bool


def rows() -> list[Row]:
    """Every row, in the order of the page."""
    found = LINE.findall(TABLE.read_text())
    return [Row(id, bool(star), text, bool(later)) for id, star, text, later in found]
