"""What official clients and ours live through when the broker restarts."""

import pytest

from tests.official.conftest import NAMES

pytestmark = [pytest.mark.timeout(300), pytest.mark.embedded_only]


@pytest.fixture(scope="module")
def mortal():
    """A broker of this module's own, to be restarted."""
    from kubemq_nb.broker import launcher

    running = launcher.launch()
    yield running
    running.stop()


@pytest.fixture(scope="module", params=NAMES)
def theirs(request, official_clients, mortal):
    return official_clients(request.param, mortal)


@pytest.fixture
def ours(mortal):
    import kubemq_nb

    with kubemq_nb.connect(mortal.address, token_file=mortal.token_file, name="beside restarts") as session:
        yield session
