"""docs/security.md says what the product says; tests/test_howto.py follows it from top to bottom."""

import re

import pytest

from tests.security.test_tls import FAILURES
from tests.source import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("failure", FAILURES)
def test_the_page_has_each_failure_of_tls(failure):
    told = FAILURES[failure][2].partition(". ")[0].rstrip(".")

    assert f"`{told}. ...`" in PAGE


def test_each_promise_names_its_test():
    promises = re.findall(r"^\| (?!promise|---|what|`)(.+?)\. \| (.+) \|$", PAGE, re.MULTILINE)

    assert len(promises) == 11
    assert all(
        re.fullmatch(r"\[test_\w+\.py\]\(\.\./tests/[a-z/]+/test_\w+\.py\)", test) for _, test in promises
    )
