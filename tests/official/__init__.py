"""KubeMQ's own clients, each in an environment of its own: made on first use in .cache, then kept."""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = Path(__file__).parent / "drivers"
VERSIONS = ("4.1.5", "2.3.0")  # of the Python SDK: the newest of either interface
NAMES = (*(f"kubemq {version}" for version in VERSIONS), "kubemq-js 1.2.3")
NODE_LOCK = "package-lock.json"


@cache
def python_with(version: str) -> str:
    """The python of the environment that holds kubemq==version, together with this package."""
    pins = ".cache/constraints-official.txt"
    asked = f"--constraint {pins} --editable . kubemq=={version}"
    install = f". scripts/_environment && environment .cache/kubemq-{version} {asked}"
    with one_at_a_time():
        ours = (ROOT / "constraints.txt").read_text().splitlines(keepends=True)
        theirs = [line for line in ours if not line.startswith("protobuf==")]  # 4.1.5 needs an older one
        (ROOT / pins).write_text("".join(theirs))
        return installed(["sh", "-ec", install], ROOT, f"kubemq=={version}").strip()


@cache
def node_with_kubemq() -> Path:
    """The folder where kubemq-js is installed, in the version that the lock file beside its driver names."""
    folder = ROOT / ".cache" / "kubemq-js"
    lock = (DRIVERS / NODE_LOCK).read_text()
    done = folder / ".installed"
    with one_at_a_time():
        if not done.exists() or done.read_text() != lock:
            folder.mkdir(exist_ok=True)
            for name in ("package.json", NODE_LOCK):
                shutil.copy(DRIVERS / name, folder / name)
            installed(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "kubemq-js")
            done.write_text(lock)
    return folder


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let several runs of the tests share what is installed."""
    place = ROOT / ".cache"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(command: list[str], folder: Path, what: str) -> str:
    """What the installer prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} could not be installed: {done.stderr}")
    return done.stdout
