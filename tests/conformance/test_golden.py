"""Recorded conversations with a KubeMQ server, spoken to the broker: each must go as it was recorded.

`--golden-jobs N` says how many go on at a time, `--golden-delay MS` makes the line between late.
"""

from collections.abc import Iterator

import pytest

from tests.conformance.golden.departures import departures
from tests.conformance.golden.run import Reports, spoken
from tests.conformance.golden.scenarios import Scenario, scenarios
from tests.conformance.golden.servers import embedded_server

# The first test waits for the server to start, and every test for its turn.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the server under test listens."""
    if address := request.config.getoption("--address"):
        yield address
        return
    with embedded_server() as embedded:
        yield embedded.address


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest, server: str) -> Iterator[Reports]:
    """What the selected scenarios come to; they are under way together while the tests ask one by one."""
    selected = {
        item.callspec.params["scenario"].name: item.callspec.params["scenario"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    }
    options = request.config.getoption
    delay = options("--golden-delay") / 1000
    with spoken(list(selected.values()), server, jobs=options("--golden-jobs"), delay=delay) as reports:
        yield reports


@pytest.fixture
def is_embedded(request: pytest.FixtureRequest) -> bool:
    options = request.config.getoption
    return bool(options("--embedded") or not options("--address"))


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_conversation_goes_as_recorded(scenario: Scenario, reports: Reports, *, is_embedded: bool):
    report = reports[scenario.name].result()

    if is_embedded and scenario.name in departures():
        assert report, f"{scenario.name} goes as recorded: take it out of departures.toml"
    elif report and scenario.quirk and not is_embedded:
        pytest.xfail(f"{scenario.quirk}\n{report}")
    elif report:
        pytest.fail(report, pytrace=False)


def test_sixteen_at_a_time_over_a_slow_line_go_as_recorded(server: str, *, is_embedded: bool):
    chosen = [scenario for scenario in scenarios() if not scenario.quirk or is_embedded]

    with spoken(chosen, server, jobs=16, delay=0.05) as reports:
        found = {name: report.result() for name, report in reports.items()}

    differing = {name: report for name, report in found.items() if report and name not in departures()}
    assert not differing, "\n\n".join(differing.values())
