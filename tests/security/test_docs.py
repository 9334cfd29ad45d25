"""docs/security.md is followed from top to bottom, and says what the product says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.test_tls import FAILURES
from tests.source import ROOT

pytestmark = pytest.mark.embedded_only

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in sys.stdin.read().split("\\0"):
    if not shell.run_cell(cell, store_history=True).success:
        sys.exit(f"this cell fails:\\n{cell}")
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.may_skip
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
def test_what_the_page_says_to_do_works(tmp_path):
    make, start = blocks("sh")
    subprocess.run(["sh", "-e", "-c", make], cwd=tmp_path, check=True, capture_output=True)
    tools = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = f"exec {start.strip()}".replace("localhost:50443", "localhost:0")
    with subprocess.Popen(
        ["sh", "-c", command], cwd=tmp_path, env=os.environ | tools, stdout=subprocess.PIPE, text=True
    ) as broker:
        port = re.search(r"localhost:(\d+)", broker.stdout.readline())[1]
        cells = [cell.replace("50443", port) for cell in blocks("python")]

        done = subprocess.run(
            [sys.executable, "-c", RUN],
            input="\0".join(cells),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        broker.terminate()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 message; taken from the queue" in done.stdout


@pytest.mark.parametrize("failure", FAILURES)
def test_the_page_has_each_failure_of_tls(failure):
    told = FAILURES[failure][2].partition(". ")[0].rstrip(".")

    assert f"`{told}. ...`" in PAGE


def test_each_promise_names_its_test():
    promises = re.findall(r"^\| (?!promise|---|what|`)(.+?)\. \| (.+) \|$", PAGE, re.MULTILINE)

    assert len(promises) == 11
    assert all(
        re.fullmatch(r"\[test_\w+\.py\]\(\.\./tests/[a-z/]+/test_\w+\.py\)", test) for _, test in promises
    )
