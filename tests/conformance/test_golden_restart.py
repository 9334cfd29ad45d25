"""Recorded conversations that go on after the server's restart: after a clean stop, and after kill -9."""

from collections.abc import Iterator

import pytest

from tests.conformance.golden.run import Reports, spoken_around_restart
from tests.conformance.golden.scenarios import Scenario, restart_scenarios
from tests.conformance.golden.servers import WAYS, embedded_server, restart_by


@pytest.fixture(scope="module", params=WAYS)
def reports(request: pytest.FixtureRequest) -> Iterator[Reports]:
    """What the scenarios came to around one restart, which all of them share."""
    options = request.config.getoption
    if address := options("--address"):
        if request.param != "clean stop" or not options("--restart-cmd"):
            pytest.skip("another server is restarted once, by --restart-cmd")
        with spoken_around_restart(
            restart_scenarios(), address, restart_by(options("--restart-cmd"))
        ) as reports:
            yield reports
        return
    with embedded_server() as server:
        restart = WAYS[request.param].__get__(server)
        with spoken_around_restart(restart_scenarios(), server.address, restart) as reports:
            yield reports


@pytest.mark.parametrize("scenario", restart_scenarios(), ids=lambda scenario: scenario.name)
def test_the_conversation_goes_on_as_recorded(scenario: Scenario, reports: Reports):
    if report := reports[scenario.name].result():
        pytest.fail(report, pytrace=False)
