"""The short form of every property; `scripts/campaign` runs the long one."""

import random

import pytest

from tests.campaign.discovery import lacking, properties
from tests.campaign.outcome import Property

PROPERTIES = properties()


def test_properties_have_names_of_their_own():
    names = [each.name for each in PROPERTIES]

    assert len(set(names)) == len(names)
    assert all(each.short <= each.long for each in PROPERTIES)


def marked(wanted: Property) -> object:
    marks = [pytest.mark.may_skip] if wanted.needs else []
    return pytest.param(wanted, id=wanted.name, marks=marks)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", [marked(each) for each in PROPERTIES])
def test_a_property_holds(wanted: Property, request: pytest.FixtureRequest):
    if missing := lacking(wanted):
        pytest.skip(f"{wanted.name} needs {missing}")
    address = request.config.getoption("--address")
    if address and wanted.against is None:
        pytest.skip(f"{wanted.name} needs a broker of its own")
    seed = request.config.getoption("--seed")
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    print(f"{wanted.name}: --seed {seed}")  # noqa: T201  shown when it fails

    outcome = wanted.against(wanted.short, seed, address) if address else wanted.run(wanted.short, seed)

    assert outcome.holds, outcome
    assert outcome.tries >= wanted.short, outcome
