"""docs/security.md says what the product says; tests/test_howto.py follows it from top to bottom."""

import ast
import re

import pytest

from tests.campaign.mutations import mutations
from tests.security.test_tls import FAILURES
from tests.source import ROOT, functions

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("failure", FAILURES)
def test_the_page_has_each_failure_of_tls(failure):
    told = FAILURES[failure][2].partition(". ")[0].rstrip(".")

    assert f"`{told}. ...`" in PAGE


def test_each_promise_names_its_test():
    promises = re.findall(r"^\| (?!promise|---|what|`|\d)(.+?)\. \| (.+) \|$", PAGE, re.MULTILINE)

    assert len(promises) == 12
    assert all(
        re.fullmatch(r"\[test_\w+\.py\]\(\.\./tests/[a-z/]+/test_\w+\.py\)", test) for _, test in promises
    )


THREATS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def names_of_all_tests():
    """The names of all tests."""
    files = (path for path in (ROOT / "tests").rglob("test_*.py"))
    return {
        function.name
        for path in files
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if function.name.startswith("test_")
    }


def test_each_of_the_fourteen_threats_names_tests_that_exist():
    """First seen red with a test renamed and its line left as it was."""
    known = names_of_all_tests()
    named = {number: re.findall(r"`(test_\w+)`", held) for number, _, _, held in THREATS}

    assert list(named) == [str(number) for number in range(1, 15)]
    assert [number for number, tests in named.items() if not tests] == []
    assert [test for tests in named.values() for test in tests if test not in known] == []


def test_each_threat_says_what_is_done_about_it():
    assert all(len(threat) > 20 and done.endswith((".", ")")) for _, threat, done, _ in THREATS)


def test_ten_of_them_are_broken_on_purpose():
    named = {test for *_, held in THREATS for test in re.findall(r"`(test_\w+)`", held)}
    broken = [each for each in mutations() if each.test.rpartition("::")[2] in named]

    assert len(broken) >= 10
