"""Row 3: a power cut at any moment, with what was not flushed dropped or torn."""

import json
import random
import tempfile
from pathlib import Path

from kubemq_nb.broker.storage.damage import FILE_NAME as DAMAGE_NAME
from kubemq_nb.broker.storage.mark import SUFFIX as MARK_SUFFIX
from kubemq_nb.broker.storage.opening import FILE_NAME
from kubemq_nb.broker.storage.space import FILE_NAME as RESERVE_NAME
from tests.campaign.disk import Recording, Replay, any_moment, connector
from tests.campaign.outcome import Outcome, Property
from tests.campaign.traffic import Found, Ledger, Traffic, Verdict

STEPS = 60
STATES = 500  # of one recording
MARK = FILE_NAME + MARK_SUFFIX
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # the cut is played; no real disk is needed


def recorded(folder, seed):
    """A session of the broker's engine and store: what it did to its files, and what it acknowledged when."""
    disk = Recording()
    ledger = Ledger(lambda: len(disk.done))
    marks = []

    def remember():
        marks.append((len(disk.done), (folder / MARK).read_bytes()))

    traffic = Traffic(folder, connector(disk), random.Random(seed), ledger)
    remember()
    for _ in range(STEPS):
        traffic.run(1)
        remember()
    end = len(disk.done)
    traffic.close()
    return disk.done[:end], marks, ledger


def power_cut(tries: int, seed: int) -> Outcome:
    """Any moment of a session may be the last: what was acknowledged before is there, and nothing else."""
    chance = random.Random(seed)
    lost = duplicated = undetected = 0
    note = ""
    for number in range(0, tries, STATES):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            session, cut = Path(folder, "session"), Path(folder, "cut")
            session.mkdir()
            done, marks, ledger = recorded(session, seed + number)
            replay = Replay(done)
            for moment in any_moment(chance, len(done), min(STATES, tries - number)):
                replay.forward(moment)
                put(cut, replay.left(chance), left_of(marks, moment, chance))
                found, wrong = looked_at(cut)
                if found is None:
                    undetected += 1
                    note = note or f"after {moment} of {len(done)} steps: {wrong}"
                    continue
                verdict = Verdict(ledger, found, moment)
                lost += len(verdict.lost)
                duplicated += len(verdict.duplicated)
                undetected += len(verdict.broken()) + len(found.told)
                if not note and (not verdict.holds() or found.told):
                    note = f"after {moment} of {len(done)} steps: {vars(verdict)} {found.told}"[:1000]
    return Outcome(tries, lost, duplicated, undetected, note=note)


def left_of(marks, moment, chance):
    """What the mark may hold: it is never flushed, so anything it held before."""
    before = [mark for at, mark in marks if at <= moment]
    if not before:
        return b""
    return before[-1] if chance.random() < 0.5 else chance.choice([b"", *before])


def put(folder, files, mark):
    """Make a folder hold these files of a database and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name != RESERVE_NAME:  # the same each time, and slow to make
            path.unlink()
    for name, content in (files | {MARK: mark}).items():
        (folder / name).write_bytes(content)


def looked_at(folder):
    """What the store says it holds, or why it does not open."""
    try:
        return Found(folder), ""
    except Exception as error:  # noqa: BLE001  whatever it is, it is counted and shown
        return None, repr(error)


def told_of(folder):
    """What a store said is damaged."""
    path = folder / DAMAGE_NAME
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


PROPERTIES = (Property(3, "power-cut", power_cut, short=1_000, long=10_000),)
