"""Every example of README, docs, help and docstrings runs, and shows what its page says that it shows."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from functools import partial

import nbformat
import pytest
from cryptography import x509

import kubemq_nb
from kubemq_nb.magics.commands import COMMANDS
from tests.pages import Block, blocks, pages, run
from tests.security.authority import LOOPBACK, Authority
from tests.source import ROOT

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(300)]  # a page is long, and a machine busy

RECIPES = [page for page in pages() if page.startswith("docs/how-to/") and not page.endswith("README.md")]
TOKEN = "a-token-for-the-examples"
NEEDING = {  # what no test runs, and says so
    "docs/how-to/docker-kubernetes.md: docker run": "Docker",
    "docs/how-to/docker-kubernetes.md: kubectl": "a Kubernetes cluster",
}
ELSEWHERE = {  # what a block tells of, and who runs it
    "README.md: ./scripts/tour": "tests/test_notebooks.py",
    "README.md: pip install": "scripts/build and scripts/_environment",
    "CONTRIBUTING.md: ./scripts/test": ".ci/run",
    "docs/performance.md: ./scripts/bench": "tests/test_bench.py",
}
LISTINGS = {  # what is no example: signatures, and the server's error texts
    "docs/architecture.md": 3,
    "docs/protocol.md": 1,
}
OTHER_COMMANDS = "docs/commands.md"  # made from the commands, whose examples have a test below
WITH_OPENSSL = "docs/security.md"
SERVERS = ("localhost:50000", "teacher.local:50000", "kubemq.test:50000")
SECURE = "kubemq.example.com:50000"
BY_NUMBER = "10.0.0.7:50000"  # the same server, by an address that its certificate is not for


def started(words):
    """The row of a table whose words begin the name of a block."""
    return lambda block: next((known for known in words if block.name.startswith(known)), "")


in_need, elsewhere = started(NEEDING), started(ELSEWHERE)


def examples(page):
    """The blocks of a page that run here."""
    runnable = [block for block in blocks(page) if block.language in {"python", "sh"}]
    return [block for block in runnable if not block.needs and not elsewhere(block)]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder, "ca")
    authority.issue("server", names=[*LOOPBACK, x509.DNSName(SECURE.partition(":")[0])])
    authority.issue("me")
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def servers(certificates, tmp_path_factory):
    """What stands in for the servers that pages speak of: one in clear, one that wants TLS and a token."""
    secure = ["--cert", "server.pem", "--key", "server.key", "--token-file", "token"]
    begun = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "kubemq_nb",
                "broker",
                "--store",
                tmp_path_factory.mktemp("store"),
                *options,
            ],
            cwd=certificates,
            stdout=subprocess.PIPE,
            text=True,
        )
        for options in (["--address", "127.0.0.1:0", "--no-auth"], ["--address", "localhost:0", *secure])
    ]
    try:
        plain, tls = (json.loads(process.stdout.readline())["address"] for process in begun)
        yield dict.fromkeys(SERVERS, plain) | {SECURE: tls, BY_NUMBER: tls}
    finally:
        for process in begun:
            process.terminate()
            process.wait()
            process.stdout.close()


@pytest.fixture
def folder(tmp_path, certificates):
    """Where a page is followed: with the files that pages name, and a home with a token."""
    for name in ("ca.pem", "me.pem", "me.key"):
        shutil.copy(certificates / name, tmp_path)
    shutil.copy(certificates / "token", tmp_path / ".kubemq-token")
    return tmp_path


def notebook(page):
    """The cells of a page as the notebook that its shell lines run."""
    cells = [
        nbformat.v4.new_code_cell(block.source) for block in examples(page) if block.language == "python"
    ]
    for cell in cells:
        if cell.source.startswith("channel = "):
            cell.metadata["tags"] = ["parameters"]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


@pytest.fixture
def follow(folder, servers, certificates):
    """Runs examples in that folder, beside those servers."""
    return partial(run, folder=folder, servers=servers, token=TOKEN, trusted=certificates / "ca.pem")


@pytest.mark.parametrize("page", [each for each in pages() if examples(each) and each != WITH_OPENSSL])
def test_the_examples_of_a_page_do_what_it_says(page, follow, folder):
    if any("checkout.ipynb" in block.source for block in examples(page)):
        nbformat.write(notebook(page), folder / "checkout.ipynb")

    follow(examples(page))


@pytest.mark.may_skip
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
def test_the_examples_of_the_page_about_security_do_what_it_says(follow):
    follow(examples(WITH_OPENSSL))


@pytest.mark.parametrize("page", RECIPES)
def test_a_recipe_shows_a_result(page):
    assert any(block.expected for block in blocks(page))


def test_what_is_left_out_says_why_and_is_known():
    found = [block for page in pages() for block in blocks(page)]

    needing = [block for block in found if block.needs]
    others = [block for block in found if elsewhere(block)]

    assert {in_need(block): block.needs for block in needing} == NEEDING
    assert {elsewhere(block) for block in others} == set(ELSEWHERE)
    assert (len(needing), len(others)) == (2, 4)


def test_every_other_block_is_a_known_listing():
    left = [block for page in pages() for block in blocks(page) if block.language not in {"python", "sh"}]
    left = [block for block in left if block.page != OTHER_COMMANDS and block.language != "{eval-rst}"]

    assert Counter(block.page for block in left) == LISTINGS
    assert [block for block in left if re.search(r"^(%|kubemq-nb|\$)", block.source, re.MULTILINE)] == []


def test_lines_that_do_not_run_are_well_formed():
    for block in [block for page in pages() for block in blocks(page) if block.needs or elsewhere(block)]:
        subprocess.run(["sh", "-n"], input=block.source, text=True, check=True)


def test_every_recipe_is_listed():
    index = (ROOT / "docs" / "how-to" / "README.md").read_text(encoding="utf-8")

    assert [page for page in RECIPES if f"]({page.removeprefix('docs/how-to/')})" not in index] == []


HOLD = "%kubemq queues send orders 17 -q\n%kubemq queues transaction orders -q"
FEED = "%kubemq connect -q\n%kubemq events_store receive departures --live -q"  # job 1 of its session
ASKED = """
%kubemq queries respond delays.mean --manual -q
import threading
asking = {"target": kq.queries.send, "args": ["delays.mean", "B6"], "kwargs": {"id": "5d60bc1e"}}
threading.Thread(**asking, daemon=True).start()
assert kq.answers.wait()
"""
FIRST = {  # what a command's examples need to be there
    "close": "%kubemq connect --store lessons --name lessons -q",
    "broker start": "%kubemq broker stop -q",
    "queues receive": "%kubemq queues send orders 17 -q",
    "queues transaction": "%kubemq queues send orders 17 -q",
    "commands send": "%kubemq commands respond gates.assign --echo -q",
    "queries send": "%kubemq queries respond delays.mean --reply 9.5 -q",
    **dict.fromkeys((command.words for command in COMMANDS if command.noun == "tx"), HOLD),
    **dict.fromkeys(("answers reply", "answers refuse"), ASKED),
    **dict.fromkeys(("pause", "resume", "clear", "filter", "retry", "restart"), FEED),
}
BACK = "%kubemq connect -q"  # to a broker of its own, after examples that lead elsewhere


def test_the_examples_of_every_help_run(follow, folder, servers):
    settings = folder / ".config" / "kubemq-nb"
    settings.mkdir(parents=True)
    (settings / "profiles.toml").write_text(f'[production]\naddress = "{servers[SERVERS[0]]}"\n')
    cells = [f"import os\nos.environ['KUBEMQ_HOST'] = '{SERVERS[0]}'\n%load_ext kubemq_nb"]
    for command in COMMANDS:
        lines = [f"%kubemq {example}" for example in command.examples]
        back = [BACK] if command.words in {"connect", "use", "close"} else []
        cells += [*filter(None, [FIRST.get(command.words)]), *lines, *back]

    follow([Block("help", "python", cell) for cell in cells])


def test_the_example_of_the_package_runs(follow):
    found = re.findall(r"(?:^    .*\n)+", kubemq_nb.__doc__, re.MULTILINE)

    follow([Block("kubemq_nb", "python", textwrap.dedent(each)) for each in found])

    assert len(found) == 1
