"""KubeMQ's own Python SDKs, each in an environment of its own together with this package."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("4.1.5", "2.3.0")


@cache
def python_with(version: str) -> str:
    """The python of the environment that holds kubemq==version; made on first use, then kept in .cache."""
    install = f". scripts/_environment && environment .cache/kubemq-{version} --editable . kubemq=={version}"
    done = subprocess.run(["sh", "-ec", install], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"kubemq=={version} could not be installed: {done.stderr}")
    return done.stdout.strip()
