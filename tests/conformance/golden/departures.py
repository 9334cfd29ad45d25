"""Where the embedded broker does otherwise than the recorded server, on purpose: departures.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("departures.toml")


class Departure(NamedTuple):
    """A scenario with a quirk that is not for us."""

    sentence: str  # what docs/compatibility.md says about it
    test: str  # path::name of the test that shows what happens instead


@cache
def departures() -> dict[str, Departure]:
    """All of them, by the scenario's name."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: Departure(**entry) for name, entry in table.items()}
