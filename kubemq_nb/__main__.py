"""The command `kubemq-nb`: what can be done without a notebook."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from kubemq_nb import lab
from kubemq_nb.broker import command


class Program(Protocol):
    """What runs by itself, without a session."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what it understands."""

    def run(self, options: argparse.Namespace) -> int:
        """Run, and give the exit status."""


PROGRAMS: dict[str, Program] = {"broker": command, "lab": lab}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    program = PROGRAMS.get(given[0]) if given else None
    # A broker in the foreground takes options alone: `broker` with a word is a command of a session.
    if program is None or (program is command and given[1:2] and not given[1].startswith("-")):
        from kubemq_nb import command_line  # noqa: PLC0415  a broker needs neither pandas nor IPython

        return command_line.main(given)
    parser = argparse.ArgumentParser(prog=f"kubemq-nb {given[0]}", description=program.__doc__)
    program.add_arguments(parser)
    return program.run(parser.parse_args(given[1:]))


if __name__ == "__main__":
    sys.exit(main())
