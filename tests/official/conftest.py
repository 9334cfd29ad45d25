"""Official clients of every kind on one embedded broker, beside a session of our own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.official import NAMES
from tests.official.client import Client

if TYPE_CHECKING:
    from kubemq_nb.broker.launcher import RunningBroker
    from kubemq_nb.session import Session

MakeClient = Callable[..., Client]


@pytest.fixture(scope="session")
def official_clients() -> Iterator[MakeClient]:
    """Makes official clients: on a broker of the launcher with its token, or at an address without one."""
    with ExitStack() as opened:

        def make(
            name: str,
            broker: "RunningBroker | str",
            client_id: str = "theirs",
            *,
            token: str | None = None,
            tls: dict[str, str] | None = None,
        ) -> Client:
            missing = [tool for tool in ("node", "npm") if not shutil.which(tool)]
            if "js" in name and missing:
                pytest.skip(f"{name} needs {' and '.join(missing)}, which this machine has not")
            if isinstance(broker, str):
                return opened.enter_context(closing(Client(name, broker, token, client_id, tls)))
            token = broker.token() if token is None else token
            return opened.enter_context(closing(Client(name, broker.address, token, client_id)))

        yield make


@pytest.fixture(scope="session", params=NAMES)
def theirs(request: pytest.FixtureRequest, official_clients: MakeClient, broker: "RunningBroker") -> Client:
    """Each official client in turn, on the broker of the run."""
    return official_clients(request.param, broker)


@pytest.fixture(scope="session")
def newest(official_clients: MakeClient, broker: "RunningBroker") -> Client:
    """The newest official client alone, for what the others do not offer."""
    return official_clients(NAMES[0], broker, "newest")


@pytest.fixture(scope="module")
def ours(broker: "RunningBroker") -> "Iterator[Session]":
    """A session of our own on the broker of the run."""
    import kubemq_nb

    with kubemq_nb.connect(
        broker.address, token_file=broker.token_file, client_id="ours", name="beside official clients"
    ) as session:
        yield session
