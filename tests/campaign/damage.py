"""Rows 11 and 12: flipped bits, zeroed and cut files, in the database, log and mark of a killed broker."""

import random
import shutil
import sqlite3
import tempfile
from pathlib import Path

from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.mark import SUFFIX as MARK_SUFFIX
from kubemq_nb.broker.storage.opening import FILE_NAME, connect
from kubemq_nb.broker.storage.repair import repair
from tests.campaign.outcome import Outcome, Property
from tests.campaign.power import MEMORY, told_of
from tests.campaign.traffic import Found, Ledger, Traffic

STEPS = 40
LOG = f"{FILE_NAME}-wal"
MARK = FILE_NAME + MARK_SUFFIX
PAGE = 4096


def left_behind(folder, seed):
    """What is on the disk when a broker is killed, and what it would have found there undamaged."""
    chance = random.Random(seed)
    session = folder / "session"
    session.mkdir()
    traffic = Traffic(session, connect, chance, Ledger())
    traffic.committer._store._connection.execute(f"PRAGMA wal_autocheckpoint={chance.choice((20, 60, 1000))}")
    traffic.run(STEPS)
    files = {name: (session / name).read_bytes() for name in (FILE_NAME, LOG, MARK)}
    traffic.close()
    return files, Found(session)


def store_damage(tries: int, seed: int) -> Outcome:
    """Each damage is harmless or told; nothing wrong is delivered, and what is not damaged is served."""
    chance = random.Random(seed)
    lost = duplicated = undetected = refused = 0
    note = ""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        for number in range(tries):
            if number % 100 == 0:
                shutil.rmtree(folder / "session", ignore_errors=True)
                files, whole = left_behind(folder, seed + number)
            broken, what = damaged(files, chance)
            case = folder / "case"
            shutil.rmtree(case, ignore_errors=True)
            case.mkdir()
            for file, content in broken.items():
                (case / file).write_bytes(content)
            result = Case(case, whole)
            refused += result.refused
            lost += len(result.lost)
            duplicated += len(result.duplicated)
            undetected += len(result.wrong)
            if not note and (result.lost or result.duplicated or result.wrong):
                note = f"try {number}, {what}: {result}"[:600]
    return Outcome(tries, lost, duplicated, undetected, note=note or f"{refused} were refused and repaired")


def damaged(files, chance):
    """The files with one damage, and that in words."""
    files = dict(files)
    name = chance.choice([FILE_NAME] * 4 + [LOG] * 4 + [MARK])
    content = bytearray(files[name])
    at = chance.randrange(len(content))
    kind = chance.choice(("bit", "bit", "bit", "bit", "zeros", "cut", "gone", "noise"))
    if kind == "bit":
        content[at] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        at -= at % 512
        content[at : at + 512] = bytes(len(content[at : at + 512]))
    elif kind == "noise":
        at -= at % PAGE
        content[at : at + PAGE] = chance.randbytes(len(content[at : at + PAGE]))
    elif kind == "cut":
        del content[at:]
    if kind == "gone":
        del files[name]
    else:
        files[name] = bytes(content)
    return files, f"{kind} at {at} of {name}"


class Case:
    """What became of one damaged store.

    Attributes:
        refused: Whether it had to be repaired before it opened.
        lost: What is not there although nobody said so.
        wrong: What is wrong beside that, in words.
    """

    def __init__(self, folder, whole):
        self.refused = False
        self.lost = self.duplicated = set()
        self.wrong = []
        try:
            found = self._opened(folder)
        except (StoreError, sqlite3.Error, OSError) as error:
            self.wrong = [f"it does not open: {error!r}"]
            return
        except Exception as error:  # noqa: BLE001  a crash is what must not be
            self.wrong = [f"it crashes: {error!r}"]
            return
        self._compare(found, whole, told_of(folder))

    def __str__(self):
        return str(vars(self))

    def _opened(self, folder):
        try:
            return Found(folder)
        except StoreError as error:
            if f"kubemq-nb broker --store {folder} --repair" not in str(error):
                raise
        self.refused = True
        before = {path.name: path.read_bytes() for path in folder.glob(f"{FILE_NAME}*")}
        repair(folder)
        kept = [path.read_bytes() for path in folder.glob(f"{FILE_NAME}.damaged-*")]
        if not all(content in kept for content in before.values()):
            self.wrong.append("the damaged files are not kept")
        return Found(folder)

    def _compare(self, found, whole, told):
        there, before = found.ids() + found.events(), whole.ids() + whole.events()
        if there[""]:
            self.wrong.append("what is delivered is not what was sent")
        everything = self.refused or any(not line["channel"] and not line["sequence"] for line in told)
        if everything:  # the whole store was said to be damaged, and that moved messages may be there twice
            return
        self.duplicated = {id for id, times in there.items() if times > 1}
        missing = before.keys() - there.keys()
        named = {(line["channel"], line["sequence"]) for line in told}
        self.lost = {id for id in missing if not is_named(id, whole, named)}
        if there.keys() - before.keys():
            self.wrong.append("what was acknowledged has come back")


def is_named(id, whole, named):
    """Whether a missing message or event is one that was said to be damaged."""
    return whole.places[id] in named


PROPERTIES = (Property(11, "store-damage", store_damage, short=200, long=1_000),)
