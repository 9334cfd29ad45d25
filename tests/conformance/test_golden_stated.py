"""What docs/protocol.md says and no recording shows: orders of checks, every field, two clients at once."""

from collections.abc import Iterator

import pytest

from tests.conformance.golden.run import Reports, spoken, spoken_around_restart
from tests.conformance.golden.scenarios import (
    Scenario,
    restart_scenarios,
    scenarios,
    stated_restart_scenarios,
    stated_scenarios,
)
from tests.conformance.golden.servers import WAYS, embedded_server

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def reports() -> Iterator[Reports]:
    with embedded_server() as server, spoken(stated_scenarios(), server.address) as reports:
        yield reports


@pytest.fixture(scope="module", params=WAYS)
def reports_around_restart(request: pytest.FixtureRequest) -> Iterator[Reports]:
    with embedded_server() as server:
        restart = WAYS[request.param].__get__(server)
        with spoken_around_restart(stated_restart_scenarios(), server.address, restart) as reports:
            yield reports


@pytest.mark.parametrize("scenario", stated_scenarios(), ids=lambda scenario: scenario.name)
def test_the_conversation_goes_as_the_page_says(scenario: Scenario, reports: Reports):
    if report := reports[scenario.name].result():
        pytest.fail(report, pytrace=False)


@pytest.mark.parametrize("scenario", stated_restart_scenarios(), ids=lambda scenario: scenario.name)
def test_the_conversation_goes_on_as_the_page_says(scenario: Scenario, reports_around_restart: Reports):
    if report := reports_around_restart[scenario.name].result():
        pytest.fail(report, pytrace=False)


def test_no_two_conversations_have_one_name():
    all = [*scenarios(), *restart_scenarios(), *stated_scenarios(), *stated_restart_scenarios()]
    names = [scenario.name for scenario in all]

    assert len(names) == len({*names})
