"""What every test stands on: a scrubbed environment, one embedded broker for the run, a channel of its own.

`--address HOST:PORT` is the only way to another server, and then every channel used starts with
`kubemq-nb-test.` (`--embedded` says that behind it is an embedded broker after all). Fixtures import the
package when they are first used.
"""

import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.browser.promised import Promised

if TYPE_CHECKING:
    from kubemq_nb.broker.launcher import RunningBroker
    from kubemq_nb.session import Session

FOLDERS = ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
MANY = 60  # channels of each kind; what lists them shows twenty
_home = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--address", metavar="HOST:PORT", help="run against this server, not the embedded one")
    parser.addoption("--embedded", action="store_true", help="the server at --address is an embedded broker")
    parser.addoption("--seed", type=int, help="of the campaign's short forms; a new one each run otherwise")
    golden = parser.getgroup("golden", "conversations recorded with a KubeMQ server")
    golden.addoption("--golden-jobs", type=int, default=8, metavar="N", help="so many at a time (8)")
    golden.addoption("--golden-delay", type=float, default=0, metavar="MS", help="hold every piece back")
    golden.addoption("--restart-cmd", metavar="COMMAND", help="restarts the server at --address and returns")


def pytest_configure(config: pytest.Config) -> None:
    home = config.stash[_home] = Path(tempfile.mkdtemp(prefix="kubemq-nb-test-"))
    keep_apart(home)
    hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
    hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
    hypothesis.settings.load_profile("unhurried")
    shares = hasattr(config, "workerinput")  # one of several processes, which sees a part of the run
    if os.environ.get("CI") and not config.getoption("--address") and not shares:
        config.pluginmanager.register(Promised())


def keep_apart(home: Path) -> None:
    """Keep the user's servers, stores and IPython profile out of the tests, and the tests out of them."""
    for name in [name for name in os.environ if name.startswith("KUBEMQ_")]:
        del os.environ[name]
    for name in FOLDERS:
        os.environ[name] = str(home / name.lower())
        Path(os.environ[name]).mkdir(mode=0o700)
    os.environ["IPYTHONDIR"] = str(home / "ipython")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_home], ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    address = config.getoption("--address")
    if not address or config.getoption("--embedded"):
        return
    reason = pytest.mark.skip(reason=f"shows what only the embedded broker does; this run is on {address}")
    for item in items:
        if item.get_closest_marker("embedded_only"):
            item.add_marker(reason)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from tests.sharing import ByFile

    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Where CI is set, a promised test that is skipped has failed."""
    report = yield
    promised = not item.get_closest_marker("may_skip") and not item.config.getoption("--address")
    if report.skipped and promised and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI skips nothing: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> "Iterator[RunningBroker]":
    """The embedded broker of this run, with token authentication; never with --address.

    It is as full as other tests leave it, so that none needs to be among the first.
    """
    if request.config.getoption("--address"):
        pytest.skip("needs the embedded broker")
    import kubemq_nb
    from kubemq_nb.broker import launcher

    running = launcher.launch()
    try:
        with kubemq_nb.connect(running.address, token_file=running.token_file, name="others") as others:
            for number in range(MANY):
                others.queues.send(f"kubemq-nb-test.0-others.{number}", "others")
                others.events_store.send(f"kubemq-nb-test.0-others.{number}", "others")
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def credentials(request: pytest.FixtureRequest) -> dict[str, object]:
    """What `connect` needs beside the address."""
    if request.config.getoption("--address"):
        return {}
    return {"token_file": request.getfixturevalue("broker").token_file}


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest) -> str:
    """Where the server under test listens."""
    return request.config.getoption("--address") or request.getfixturevalue("broker").address


@pytest.fixture(scope="module", autouse=True)
def no_connection_left() -> Iterator[None]:
    """No module leaves a connection open: it would be the current one of whatever test comes next."""
    yield
    registry = sys.modules.get("kubemq_nb.session.registry")
    assert not registry or registry.all() == []


@pytest.fixture
def session(address: str, credentials: dict[str, object]) -> "Iterator[Session]":
    """A session of its own on the server under test."""
    import kubemq_nb

    session = kubemq_nb.connect(address, **credentials)
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def nothing_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subscription stands when the server says so, or is refused, and not by a time that has gone by."""
    monkeypatch.setattr("kubemq_nb.client.subscription.SETTLE", 60.0)


@pytest.fixture(scope="session")
def official() -> Callable[[str], str]:
    """Python of an environment with the official SDK in a version; installing it may take a minute."""
    from tests.official import python_with

    return python_with


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> str:
    """A channel name that no other test and no earlier run has used."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:60].strip("-")
    return f"kubemq-nb-test.{words}.{uuid.uuid4().hex[:8]}"
