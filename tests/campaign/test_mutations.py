"""The patches that break the product on purpose still fit it; `scripts/campaign --prove` sees them caught."""

import subprocess

import pytest

from tests.campaign.discovery import properties
from tests.campaign.mutations import HERE, mutations
from tests.source import ROOT

MUTATIONS = mutations()


def test_every_patch_is_listed_once_and_says_what_must_catch_it():
    assert sorted(each.patch for each in MUTATIONS) == sorted(path.name for path in HERE.glob("*.patch"))
    names = {each.name for each in properties()}
    assert [each.name for each in MUTATIONS if "::" not in each.test and each.test not in names] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_patch_applies(mutation):
    command = ["patch", "--dry-run", "--strip=1", "--fuzz=0", "--batch", "--input", HERE / mutation.patch]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
