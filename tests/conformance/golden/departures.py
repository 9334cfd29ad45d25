"""Where the embedded broker does otherwise than the recorded server, on purpose: departures.toml."""

import tomllib
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("departures.toml")


@cache
def departures() -> dict[str, str]:
    """What docs/compatibility.md says of each, by the scenario's name."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
