"""Row 10: every single call to the disk fails once, or from then on for a while."""

import random
import tempfile
from pathlib import Path

import apsw

from kubemq_nb.broker.storage.base import StoreError
from tests.campaign.disk import Failing, connector, unsaid
from tests.campaign.outcome import Outcome, Property
from tests.campaign.power import MEMORY, looked_at
from tests.campaign.traffic import Ledger, Traffic, Verdict

STEPS = 8
LAST = 1 << 60  # a moment after all others
KINDS = (
    ("write", apsw.IOError, 0),
    ("write", apsw.FullError, 0),
    ("sync", apsw.IOError, 0),
    ("read", apsw.IOError, 0),
    ("write", apsw.IOError, 3),
    ("sync", apsw.IOError, 3),
)


def io_error_sweep(tries: int, seed: int) -> Outcome:
    """The n-th call of a session fails: nobody is told anything wrong, and the store is whole afterwards."""
    chance = random.Random(seed)
    points = [(kind, n) for kind in KINDS for n in range(1, calls_of(kind, seed) + 1)]
    repeated = points * (tries // len(points))
    chosen = repeated + chance.sample(points, tries - len(repeated))
    lost = duplicated = undetected = unfired = 0
    note = ""
    for kind, n in chosen:
        fired, verdict, wrong = attempted(kind, n, seed)
        unfired += not fired
        undetected += bool(wrong)
        if verdict is not None:
            lost += len(verdict.lost)
            duplicated += len(verdict.duplicated)
            verdict.gaps.clear()  # numbers of events that were refused may be missing
            undetected += len(verdict.broken())
        if not note and (wrong or not verdict.holds()):
            note = f"call {n} of {kind}: {wrong or vars(verdict)}"[:600]
    undetected += unfired  # a fault that did not happen shows nothing
    return Outcome(tries, lost, duplicated, undetected, note=note or f"{len(points)} calls in one session")


def calls_of(kind, seed):
    """How many calls of a kind a session makes."""
    verb, _, _ = kind
    disk = Failing(verbs=(verb,))
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        traffic = Traffic(Path(folder), connector(disk), random.Random(seed), Ledger())
        traffic.run(STEPS)
        return disk.calls  # what closing does comes after all answers


def attempted(kind, n, seed):
    """One session with one fault: whether it happened, what is there afterwards, and what went wrong."""
    verb, error, lasting = kind
    disk = Failing(n, error, (verb,), lasting)
    ledger = Ledger()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        try:
            with unsaid():
                wrong = lived_through(Path(folder), disk, ledger, seed)
        except Exception as unexpected:  # noqa: BLE001  a crash is what must not be
            return bool(disk.failed), None, repr(unexpected)
        found, unopened = looked_at(Path(folder))
        if found is None:
            return bool(disk.failed), None, unopened
        wrong = wrong or "; ".join(found.told)
        return bool(disk.failed), Verdict(ledger, found, LAST), wrong


def lived_through(folder, disk, ledger, seed):
    """Run a session over the fault, and see that the store does its work afterwards; what is wrong, or ""."""
    try:
        traffic = Traffic(folder, connector(disk), random.Random(seed), ledger)
    except StoreError:  # it says so and is started again
        traffic = restarted(folder, disk, seed, ledger)
    traffic.run(STEPS)
    before = len(ledger.sent)
    for _ in range(6):  # the last faults may come now; each of them is answered with an error
        traffic.clock.advance(2)
        traffic.send("orders")
        traffic.settle()
    traffic.close()
    return "" if len(ledger.sent) > before else f"sending does not work again: {ledger.errors[-1]}"


def restarted(folder, disk, seed, ledger):
    """A broker that could not open its store is started again until it can."""
    for _ in range(5):
        try:
            return Traffic(folder, connector(disk), random.Random(seed), ledger)
        except StoreError:
            continue
    raise AssertionError("the store does not open again")


PROPERTIES = (Property(10, "io-error-sweep", io_error_sweep, short=150, long=2_000),)
