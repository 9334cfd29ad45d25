"""Rows of a view handed over to the notebook: a name for a frame, found or made."""

import builtins
import keyword
import re
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

Variables = MutableMapping[str, object]
"""The user's namespace."""


def variable_of(value: object, variables: Variables) -> str | None:
    """The name that a user gave to this very object, or None; names that IPython made do not count."""
    names = (name for name, found in list(variables.items()) if found is value and not name.startswith("_"))
    return next(names, None)


def hand_over(frame: "DataFrame", channel: str, variables: Variables, *, name: str = "") -> str:
    """Bind a frame to a variable named after the channel, and return the name.

    A variable that is somebody else's is never overwritten: `name`, the one bound before, is used again, else
    the first that is free of `flights_cancelled`, `flights_cancelled_2` ...
    """
    chosen = name or _free(_identifier(channel), variables)
    variables[chosen] = frame
    return chosen


def _identifier(channel: str) -> str:
    words = re.sub(r"\W+", "_", channel).strip("_")
    usable = words.isidentifier() and not keyword.iskeyword(words) and not hasattr(builtins, words)
    return words if usable else f"rows_{words}".rstrip("_")


def _free(name: str, variables: Variables) -> str:
    number, candidate = 1, name
    while candidate in variables:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
