"""KubeMQ's own clients, each in an environment of its own: made on first use in .cache, then kept."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = Path(__file__).parent / "drivers"
VERSIONS = ("4.1.5", "2.3.0")  # of the Python SDK: the newest of either interface
NODE_LOCK = "package-lock.json"


@cache
def python_with(version: str) -> str:
    """The python of the environment that holds kubemq==version, together with this package."""
    install = f". scripts/_environment && environment .cache/kubemq-{version} --editable . kubemq=={version}"
    return _installed(["sh", "-ec", install], ROOT, f"kubemq=={version}").strip()


@cache
def node_with_kubemq() -> Path:
    """The folder where kubemq-js is installed, in the version that the lock file beside its driver names."""
    folder = ROOT / ".cache" / "kubemq-js"
    lock = (DRIVERS / NODE_LOCK).read_text()
    done = folder / ".installed"
    if not done.exists() or done.read_text() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", NODE_LOCK):
            shutil.copy(DRIVERS / name, folder / name)
        _installed(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, "kubemq-js")
        done.write_text(lock)
    return folder


def _installed(command: list[str], folder: Path, what: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} could not be installed: {done.stderr}")
    return done.stdout
