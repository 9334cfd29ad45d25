import pytest

from tests.unit.broker.harness import Engine


@pytest.fixture
def engine():
    return Engine()
