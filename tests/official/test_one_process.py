"""KubeMQ's own SDKs beside this package in one process: each sends, the other reads, in every pattern."""

import json
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.official import VERSIONS

HERE = Path(__file__).parent
MESSAGE = {"body": '{"n": 1}', "metadata": "Grüße", "tags": {"k": "v"}}
ANSWER = 'answer to {"n": 1}'
WHAT_ARRIVES = {
    "queues: theirs to ours": MESSAGE,
    "queues: ours to theirs": MESSAGE,
    "events: theirs to ours": MESSAGE,
    "events: ours to theirs": MESSAGE,
    "events_store: theirs to ours": MESSAGE,
    "events_store: ours to theirs": MESSAGE,
    "commands: theirs to ours": MESSAGE | {"executed": True},
    "commands: ours to theirs": True,
    "queries: theirs to ours": ANSWER,
    "queries: ours to theirs": {"body": ANSWER, "metadata": "Grüße"},
}

pytestmark = [pytest.mark.timeout(600), pytest.mark.embedded_only]


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> str:
    return request.param


@pytest.fixture(scope="module", params=["ours first", "theirs first"])
def heard(request, version, official, broker) -> dict[str, object]:
    """What each side heard from the other in one process, imported in this order."""
    driver = f"kubemq_{version[0]}"
    channel = f"kubemq-nb-test.sdk.{uuid.uuid4().hex[:8]}"
    token = broker.token_file.read_text().strip()
    done = subprocess.run(
        [official(version), HERE / "one_process.py", driver, request.param, broker.address, channel],
        input=f"{token}\n{broker.token_file}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.rows("M-51")
@pytest.mark.parametrize("way", WHAT_ARRIVES)
def test_what_one_package_sends_the_other_reads(heard, way):
    assert heard[way] == WHAT_ARRIVES[way]
