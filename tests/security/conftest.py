"""Brokers in the foreground with certificates and tokens of a test's own, and a shell that speaks to them."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from cryptography import x509
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension
from kubemq_nb.session import registry
from tests.security.authority import Authority


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Certificates: of an authority, of another one, and of whom they signed."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, other = Authority(folder, "ours"), Authority(folder, "other")
    return SimpleNamespace(
        folder=folder,
        ca=ours.ca,
        other_ca=other.ca,
        server=ours.issue("server"),
        expired=ours.issue("expired", days=-1),
        elsewhere=ours.issue("elsewhere", names=[x509.DNSName("elsewhere.example")]),
        client=ours.issue("client"),
        stranger=other.issue("stranger"),
    )


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Starts a broker by its command line; what it says when it is ready. All end with the run."""
    running = []

    def start(*options):
        store = tmp_path_factory.mktemp("store")
        process = subprocess.Popen(
            [sys.executable, "-m", "kubemq_nb", "broker", "--store", store, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return SimpleNamespace(**json.loads(line), process=process)

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.communicate()


@pytest.fixture(scope="session")
def servers(files, serve):
    """The addresses of one broker of each kind."""

    def speaking(pair, *options):
        return serve("--no-auth", "--cert", pair.cert, "--key", pair.key, *options).address

    return SimpleNamespace(
        tls=speaking(files.server),
        mutual=speaking(files.server, "--ca", files.ca),
        expired=speaking(files.expired),
        elsewhere=speaking(files.elsewhere),
        plain=serve("--no-auth").address,
    )


@pytest.fixture
def shell(tmp_path):
    """A shell with the magics that keeps its history on disk, and closes what it opened."""
    config = Config()
    config.HistoryManager.hist_file = str(tmp_path / "history.sqlite")
    shell = InteractiveShell.instance(config=config)
    load_ipython_extension(shell)
    yield shell
    unload_ipython_extension(shell)
    shell._atexit_once()
    InteractiveShell.clear_instance()


@pytest.fixture
def closing():
    """Closes whatever sessions a test leaves open."""
    yield
    for session in registry.all():
        session.close()
