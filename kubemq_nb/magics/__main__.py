"""`python -m kubemq_nb.magics` writes the command reference, docs/commands.md."""

import sys

from kubemq_nb.magics import reference
from kubemq_nb.magics.commands import COMMANDS

if __name__ == "__main__":
    sys.stdout.write(reference.whole(COMMANDS))
