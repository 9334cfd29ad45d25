"""scripts/matrix: which combinations it knows, what it makes of a run, and a run on this Python."""

import importlib.util
import subprocess
import sys

import pytest

from tests.source import ROOT

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.fixture(scope="module")
def matrix():
    spec = importlib.util.spec_from_file_location("_matrix", ROOT / "scripts" / "_matrix.py")
    module = sys.modules["_matrix"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["_matrix"]


def test_every_python_that_the_package_names_has_a_combination(matrix):
    named = [each.rpartition(" ")[2] for each in matrix.PROJECT["classifiers"] if ":: 3." in each]

    assert {each.python for each in matrix.COMBINATIONS} == set(named)


def test_the_lowest_combination_holds_every_library_at_its_floor(matrix):
    lowest = next(each for each in matrix.COMBINATIONS if each.name == "3.11-lowest")
    required = {each.partition(">=")[0] for each in matrix.PROJECT["dependencies"]}

    assert required <= {each.partition("==")[0] for each in lowest.pins}
    assert all("==" in each for each in lowest.pins)


def test_the_list_names_each_combination_and_its_python():
    listed = subprocess.run(
        [ROOT / "scripts" / "matrix", "--list"], capture_output=True, text=True, check=True
    )

    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "3.11-lowest",
        "3.11-newest",
        "3.12-pandas-2",
        "3.13-newest",
    ]


def test_a_python_of_another_version_or_none_is_not_taken(matrix, tmp_path):
    silent = tmp_path / "python"
    silent.write_text("#!/bin/sh\nexit 127\n")
    silent.chmod(0o755)
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"

    assert matrix.is_python(sys.executable, ours)
    assert not matrix.is_python(sys.executable, "3.1")
    assert not matrix.is_python(str(silent), ours)
    assert not matrix.is_python(str(tmp_path / "nowhere"), ours)


@pytest.mark.parametrize(
    ("counts", "good"),
    [((5, 0, 0, 1), True), ((5, 1, 0, 0), False), ((5, 0, 1, 0), False), ((5, 0, 0, 5), False)],
)
def test_a_combination_is_good_when_tests_ran_and_none_failed(matrix, tmp_path, counts, good):
    (tmp_path / "report.xml").write_text(REPORT.format(*counts))

    result = matrix.Result("any", ("3.11.0",), *matrix.counted(tmp_path / "report.xml"))

    assert result.good is good


def test_a_run_that_leaves_no_report_has_failed(matrix, tmp_path):
    assert not matrix.Result("any", (), *matrix.counted(tmp_path / "none.xml")).good


def test_the_whole_suite_is_run_unless_a_place_is_named(matrix):
    assert matrix.selection(["-x"]) == [*matrix.SUITE, "-x"]
    assert matrix.selection(["tests/unit/wire::test", "-x"]) == ["tests/unit/wire::test", "-x"]


def test_the_table_is_as_wide_as_it_must_be(matrix):
    assert matrix.table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"


def test_tests_are_run_and_counted_with_the_versions_at_hand(matrix, monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(matrix, "PLACE", tmp_path)

    result = matrix.run(
        matrix.Combination("here", "any"), sys.executable, ["tests/unit/wire/test_columns.py"]
    )

    assert result.good
    assert result.row()[:2] == ["here", sys.version.split()[0]]
    assert "passed" in capfd.readouterr().out
