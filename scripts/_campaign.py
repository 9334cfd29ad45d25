"""The long form of every property, the mutations, and the soak; see scripts/campaign."""

import argparse
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign import mutations
from tests.campaign.discovery import lacking, properties
from tests.campaign.outcome import Outcome, Property
from tests.conftest import keep_apart

HEADS = ("row", "property", "tries", "lost", "duplicated", "undetected", "worst", "seed", "took", "")
WIDTHS = (3, 34, 9, 6, 10, 10, 9, 10, 6, 0)


def main() -> int:
    """1 when a row is not zero or below its tries, or a mutation is not caught."""
    parser = argparse.ArgumentParser(prog="scripts/campaign")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="rows that begin like this"
    )
    parser.add_argument("--seed", type=int, help="of all rows; a new one for each otherwise")
    parser.add_argument("--tries", type=int, help="at most so many a row; a row below its own tries is red")
    parser.add_argument("--address", metavar="HOST:PORT", help="rows that need no broker of their own")
    parser.add_argument("--prove", action="store_true", help="break a copy of the product, see it caught")
    parser.add_argument(
        "--soak", type=float, nargs="?", const=15.0, metavar="MINUTES", help="mixed load (15)"
    )
    chosen = parser.parse_args()
    logging.getLogger("kubemq_nb").addHandler(
        logging.NullHandler()
    )  # damage is done on purpose: the table tells
    with tempfile.TemporaryDirectory(prefix="kubemq-nb-campaign-") as home:
        keep_apart(Path(home))
        if chosen.prove:
            return mutations.prove(chosen.only, say)
        if chosen.soak is not None:
            return soaked(chosen.soak, chosen.seed)
        return campaign(chosen)


def campaign(chosen: argparse.Namespace) -> int:
    """Try each property and print its row as it ends."""
    wanted = [each for each in properties() if not chosen.only or each.name.startswith(tuple(chosen.only))]
    if chosen.address:
        wanted = [each for each in wanted if each.against]
    if not wanted:
        raise SystemExit("no property has that name")
    row(HEADS)
    red = [each.name for each in wanted if not held(each, chosen)]
    say(f"\n{len(wanted) - len(red)} of {len(wanted)} properties hold")
    if red:
        say(f"red: {', '.join(red)}")
    return 1 if red else 0


def held(wanted: Property, chosen: argparse.Namespace) -> bool:
    """Try one property; whether its row is as it must be, or cannot be tried on this machine."""
    if missing := lacking(wanted):
        row((wanted.row, wanted.name, "-", "", "", "", "", "", "", f"not tried: needs {missing}"))
        return True
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    tries = min(wanted.long, chosen.tries or wanted.long)
    began = time.monotonic()
    outcome = attempted(wanted, tries, seed, chosen.address)
    took = f"{time.monotonic() - began:.0f} s"
    worst = "" if outcome.worst is None else f"{outcome.worst * 1000:,.0f} ms"
    counts = (f"{outcome.tries:,}", outcome.lost, outcome.duplicated, outcome.undetected)
    row((wanted.row, wanted.name, *counts, worst, seed, took, outcome.note))
    return outcome.holds and outcome.tries >= wanted.long


def attempted(wanted: Property, tries: int, seed: int, address: str | None) -> Outcome:
    """What came of it; an error is a row that does not hold, and the rows after it are tried too."""
    try:
        if address and wanted.against:
            return wanted.against(tries, seed, address)
        return wanted.run(tries, seed)
    except Exception as error:  # noqa: BLE001
        return Outcome(tries=0, undetected=1, note=f"{type(error).__name__}: {error}".partition("\n")[0])


def soaked(minutes: float, seed: int | None) -> int:
    """Run the soak for so long."""
    from tests.campaign.soak import soak  # noqa: PLC0415

    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    outcome = soak(minutes * 60, seed, say)
    say(f"\n{outcome.note}\nseed {seed}, {outcome.tries:,} kills, lost {outcome.lost}, ", end="")
    say(f"duplicated {outcome.duplicated}, grown {outcome.undetected}")
    return 0 if outcome.holds else 1


def row(cells: tuple[object, ...]) -> None:
    """One line of the table."""
    texts = [
        f"{cell:<{width}}" if place in (1, 9) else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    say("  ".join(texts).rstrip())


def say(text: str, end: str = "\n") -> None:
    """To standard output, at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
