"""The command: see scripts/bench."""

import argparse
import json
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import axes, curves, report
from benchmarks.place import FULL, QUICK, Place, Sizes, embedded, server
from benchmarks.publishing import publish
from benchmarks.rows import ROWS
from benchmarks.run import run


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in about two minutes")
    parser.add_argument("--address", metavar="HOST:PORT", help="a server, in place of an embedded broker")
    parser.add_argument("--token-env", metavar="NAME", help="environment variable with its token")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--growth", action="store_true", help="how costs grow, in place of the rows")
    parser.add_argument(
        "--along", action="append", choices=list(axes.AXES), metavar="AXIS", help=", ".join(axes.AXES)
    )
    parser.add_argument(
        "--publish", type=Path, metavar="FILE", help="what --json wrote, into docs/performance.md"
    )
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=names, metavar="ROW", help=", ".join(names))
    return parser.parse_args(arguments)


def at_hand(chosen: argparse.Namespace, sizes: Sizes) -> AbstractContextManager[Place]:
    """The server to measure."""
    if chosen.address:
        token = os.environ[chosen.token_env] if chosen.token_env else None
        return server(chosen.address, sizes, token)
    return embedded(sizes)


def save(chosen: argparse.Namespace, document: dict[str, Any]) -> None:
    """Write what was measured, if that is asked for."""
    if chosen.json:
        chosen.json.write_text(json.dumps(document, indent=1))


def growth(chosen: argparse.Namespace) -> int:
    """Measure how costs grow; 0 when every answer was right."""
    reach = axes.QUICK if chosen.quick else axes.WIDE
    tell = lambda axis, curve: print(curves.line(axis, curve), flush=True)  # noqa: E731
    found = axes.grow(reach, chosen.along or list(axes.AXES), tell)
    save(chosen, curves.document(found))
    return 1 if any(curves.wrong(curve) for _, curve in found) else 0


def main() -> int:
    """Do what is asked for."""
    chosen = parsed()
    if chosen.publish:
        publish(json.loads(chosen.publish.read_text()))
        return 0
    return growth(chosen) if chosen.growth else compare(chosen)


def compare(chosen: argparse.Namespace) -> int:
    """Measure, print, save; 0 when all rows of this server are met."""
    rows = [row for row in ROWS if not chosen.only or row.name in chosen.only]
    with at_hand(chosen, QUICK if chosen.quick else FULL) as place:
        print(f"{place.kind} server at {place.address}\n{report.HEAD}", flush=True)
        found = run(place, rows, lambda row, measured: print(report.line(row, measured), flush=True))
        save(chosen, report.document(place, found))
    left_out = [row.name for row in rows if place.kind not in row.goals]
    if left_out:
        print(f"not for this server: {', '.join(left_out)}")
    if place.kind == "embedded":
        print("the goals for a real server are tried with --address only")
    not_met = [row.name for row, measured in found if measured.verdict != "met"]
    print(f"{len(found) - len(not_met)} of {len(found)} rows met; not: {', '.join(not_met) or 'none'}")
    return 1 if not_met or not found else 0


if __name__ == "__main__":
    sys.exit(main())
