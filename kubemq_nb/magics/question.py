"""`%kubemq queues peek?` asks for help, as `?` does everywhere in IPython."""

import re
from collections.abc import Callable, Iterable

from kubemq_nb.magics.declaration import NOUNS, Command

_asked = re.compile(r"\s*%kubemq +(\w+)(?: +(\w+))? *\?\??\s*")


def transformer(commands: Iterable[Command]) -> Callable[[list[str]], list[str]]:
    """An input transformer: a cell that is one command's name and a question mark becomes its help.

    A question mark after a channel or body stays IPython's, as everywhere.
    """

    def kubemq_question(lines: list[str]) -> list[str]:
        found = _asked.fullmatch("".join(lines))
        if found:
            words = [word for word in (NOUNS.get(found[1], found[1]), found[2]) if word]
            if " ".join(words) in {name for each in commands for name in (each.words, each.noun)}:
                return [f"%kubemq help {' '.join(words)}\n"]
        return lines

    return kubemq_question
