"""The command `kubemq-nb`: what can be done without a notebook."""

import argparse
import sys
from collections.abc import Sequence

from kubemq_nb import lab
from kubemq_nb.broker import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status."""
    parser = argparse.ArgumentParser(prog="kubemq-nb", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    broker = commands.add_parser("broker", help="run a broker in the foreground", description=command.__doc__)
    command.add_arguments(broker)
    broker.set_defaults(run=command.run)
    jupyter = commands.add_parser("lab", help="open JupyterLab", description=lab.__doc__)
    lab.add_arguments(jupyter)
    jupyter.set_defaults(run=lab.run)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
