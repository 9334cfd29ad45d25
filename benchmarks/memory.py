"""What many rows cost in memory: sent from a file, and read back into one; see docs/performance.md.

    python -m benchmarks.memory [--rows N] [--size BYTES] [--kind jsonl|csv|parquet]...

Each kind of file in a process of its own, on an embedded broker of its own. A line tells the data, the memory
that the process had before (everything loaded, some rows sent and read), its peak beyond that while it sent
and while it read, and the same of the broker. Exits 1 where what came back is not what was sent.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import kubemq_nb
from kubemq_nb import frames

KINDS = ("jsonl", "csv", "parquet")
CHANNEL = "kubemq-nb-test.memory"
WARMING = 20_000  # rows that bring all to its usual size
TOGETHER = 4_000_000  # bytes that are written at once


@dataclass(frozen=True)
class Cost:
    """What was measured of one kind of file; memory in MB."""

    kind: str
    rows: int
    data: float  # bytes of all bodies
    before: float
    sending: float  # peak beyond `before`
    reading: float
    broker: float  # peak, all of it
    send_seconds: float
    read_seconds: float
    same: bool  # each row that came back is the row that was sent


def bodies(count: int, size: int, first: int = 0) -> Iterator[bytes]:
    """JSON bodies of about this size, no two alike; one in a thousand is binary."""
    for number in range(first, first + count):
        text = json.dumps({"number": number, "text": f"é{number:x}" * (size // 8)})
        body = text.encode()[:size]
        yield b"\xff" + body if number % 1000 == 999 else body  # noqa: PLR2004  the last of a thousand


def write(path: Path, count: int, size: int) -> None:
    """Make a file of so many rows, with tags and metadata, a part at a time."""
    dtypes = dict.fromkeys(("id", "metadata", "body", "tags"), "object")
    with frames.Writer(path) as writer:
        together = max(1, TOGETHER // size)
        for first in range(0, count, together):
            some = list(bodies(min(together, count - first), size, first))
            names = [f"{first + place:032x}" for place in range(len(some))]
            tags = [{"part": str(first)}] * len(some)
            writer.write(
                frames.table({"id": names, "metadata": ["m"] * len(some), "body": some, "tags": tags}, dtypes)
            )


def digest(path: Path) -> str:
    """What the rows of a file say, whatever its form."""
    found = hashlib.sha256()
    for part in frames.of_file(path):
        for row in frames.each(part):
            found.update(repr([row.get(name) for name in ("id", "metadata", "body", "tags")]).encode())
    return found.hexdigest()


def peak(pid: int | str = "self") -> float:
    """The most memory that a process had, in MB, since it began or was told to forget."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise ValueError(f"the system does not tell the memory of process {pid}")


def forget() -> None:
    """Let the peak of this process begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def measured(source: Path, target: Path) -> dict[str, float]:
    """Send a file and read it back; in a process that does nothing else."""
    with kubemq_nb.connect() as session:
        warming = source.with_name(f"warming{source.suffix}")
        session.events_store.send(f"{CHANNEL}.warming", rows=warming)
        session.events_store.receive(f"{CHANNEL}.warming", to_file=target)
        forget()
        before = peak()
        at = [time.monotonic()]
        session.events_store.send(CHANNEL, rows=source)
        at.append(time.monotonic())
        sending = peak()
        forget()
        session.events_store.receive(CHANNEL, to_file=target)
        at.append(time.monotonic())
        running = int(session.broker.start()["pid"].iloc[0])
        return {
            "before": before,
            "sending": max(0.0, sending - before),
            "reading": max(0.0, peak() - before),
            "broker": peak(running),
            "send_seconds": at[1] - at[0],
            "read_seconds": at[2] - at[1],
        }


def cost(kind: str, *, rows: int, size: int) -> Cost:
    """Measure one kind of file in a process of its own."""
    with TemporaryDirectory(prefix="kubemq-nb-memory-") as folder:
        source, target = Path(folder) / f"rows.{kind}", Path(folder) / f"again.{kind}"
        write(source, rows, size)
        write(source.with_name(f"warming.{kind}"), min(rows // 10, WARMING), size)
        child = [sys.executable, "-m", "benchmarks.memory", "--measure", str(source), str(target)]
        done = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True)
        same = digest(source) == digest(target)
        return Cost(kind, rows, rows * size / 1e6, same=same, **json.loads(done.stdout))


def main() -> int:
    """Measure what is asked for, a line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--size", type=int, default=200, help="bytes of a body")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measured(*chosen.measure)))
        return 0
    right = True
    for kind in chosen.kind or KINDS:
        found = cost(kind, rows=chosen.rows, size=chosen.size)
        right = right and found.same
        print(
            json.dumps(
                {name: round(v, 1) if isinstance(v, float) else v for name, v in asdict(found).items()}
            ),
            flush=True,
        )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
