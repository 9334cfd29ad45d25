"""Row 3 on a block device: what a file system had written when the power went, opened as a broker would."""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.campaign.outcome import Outcome, Property
from tests.campaign.power import looked_at

SIZE = "96M"
WRITER = """
import sys
from pathlib import Path
from kubemq_nb.broker.engine.plan import AddChannel, InsertMessages, Message
from kubemq_nb.broker.storage.sqlite import SqliteStore
from tests.campaign.traffic import content, digest
store = SqliteStore(Path(sys.argv[1]))
store.apply([[AddChannel(1, "queues", "orders")]])
for number in range(1, 1_000_000):
    id = f"m{number:06d}-{(40, 300, 5000)[number % 3]}"
    message = Message(1, number, content(id), digest(id), 1, 0, 0, 0, 1024, "", "")
    store.apply([[InsertMessages([message])]])
    print(id, flush=True)  # acknowledged
"""


def block_device_cut(tries: int, seed: int) -> Outcome:
    """A writer is frozen, its device copied and the copy mounted: what was acknowledged is there."""
    chance = random.Random(seed)
    lost = duplicated = undetected = sent = 0
    note = ""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    for _ in range(tries):
        with tempfile.TemporaryDirectory(dir=memory) as name:
            folder = Path(name)
            acked = written(folder, chance.uniform(0.2, 1.5))
            with mounted(folder / "copy.img", folder / "after") as disk:
                found, wrong = looked_at(disk / "store")
        sent += len(acked)
        if found is None:
            undetected, note = undetected + 1, note or wrong
            continue
        there = found.ids()
        lost += len(set(acked) - there.keys())
        duplicated += sum(times > 1 for times in there.values())
        undetected += there[""] + len(found.told)
    undetected += sent == 0  # nothing was tried
    return Outcome(tries, lost, duplicated, undetected, note=note or f"{sent} acknowledged before the cuts")


def written(folder, seconds):
    """Let a writer write for a while, then copy its device; the ids it had acknowledged before."""
    image = folder / "disk.img"
    subprocess.run(["truncate", "--size", SIZE, image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    with mounted(image, folder / "before") as disk:
        store = disk / "store"
        store.mkdir()
        writer = subprocess.Popen([sys.executable, "-c", WRITER, store], stdout=subprocess.PIPE, text=True)
        acked = []
        reader = threading.Thread(target=lambda: acked.extend(line.strip() for line in writer.stdout))
        reader.start()
        try:
            deadline = threading.Event()
            while not acked and writer.poll() is None:
                deadline.wait(0.01)
            deadline.wait(seconds)  # the random moment itself
            before = list(acked)
            writer.send_signal(signal.SIGSTOP)
            shutil.copy(image, folder / "copy.img")
        finally:
            writer.kill()
            writer.wait()
            reader.join()
            writer.stdout.close()
    return before


@contextlib.contextmanager
def mounted(image, place):
    """The file system in an image."""
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


PROPERTIES = (Property(3, "block-device-cut", block_device_cut, short=1, long=20, needs="root"),)
