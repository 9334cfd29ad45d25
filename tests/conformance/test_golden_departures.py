"""Where the embedded broker departs from the recorded server: what it does instead, and what the docs say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.golden.departures import departures
from tests.conformance.golden.run import Reports, spoken
from tests.conformance.golden.scenarios import Scenario, instead_scenarios, scenarios
from tests.conformance.golden.servers import embedded_server
from tests.source import ROOT

COMPATIBILITY = ROOT / "docs" / "compatibility.md"
USUAL = "tests/conformance/test_better.py"  # where the page's tests are when it names no file


@pytest.fixture(scope="module")
def reports() -> Iterator[Reports]:
    with embedded_server() as server, spoken(instead_scenarios(), server.address) as reports:
        yield reports


@pytest.mark.embedded_only
@pytest.mark.parametrize("scenario", instead_scenarios(), ids=lambda scenario: scenario.name)
def test_this_happens_instead(scenario: Scenario, reports: Reports):
    if report := reports[scenario.name].result():
        pytest.fail(report, pytrace=False)


def test_only_quirks_of_the_recorded_server_are_departed_from():
    quirks = {scenario.name for scenario in scenarios() if scenario.quirk}

    assert departures().keys() <= quirks


def test_every_departure_has_a_conversation_that_shows_it():
    assert {scenario.name for scenario in instead_scenarios()} == departures().keys()


@pytest.mark.parametrize("name", departures())
def test_every_departure_is_told_to_users(name: str):
    page = " ".join(COMPATIBILITY.read_text(encoding="utf-8").split())

    assert " ".join(departures()[name].split()) in page


def named_tests() -> Iterator[tuple[Path, str]]:
    """Each test that a row of the page names, with the file it is said to be in."""
    for row in COMPATIBILITY.read_text(encoding="utf-8").splitlines():
        file = next(iter(re.findall(r"`(tests/\S+\.py)`", row)), USUAL)
        for name in re.findall(r"`(test_\w+)`", row):
            yield ROOT / file, name


def test_every_test_that_the_page_names_is_there():
    named = list(named_tests())

    assert named
    assert [name for file, name in named if f"def {name}(" not in file.read_text(encoding="utf-8")] == []
