"""Print every row of docs/rows.md with the tests that carry it and their result; see scripts/rows."""

import sys

import pytest

from tests.rows.recorder import Recorder
from tests.rows.table import Row, rows


def show(row: Row, recorder: Recorder) -> None:
    """One line for the row, one for each of its tests."""
    star = "★" if row.everywhere else " "
    print(f"\n{row.id} {star} {recorder.verdict(row.id):8} {row.text}")
    for test, outcome in sorted(recorder.results.get(row.id, {}).items()):
        print(f"         {outcome:8} {test}")


def main(arguments: list[str]) -> int:
    """Run the tests that carry rows; 1 when a row that is not for later has no passing test."""
    recorder = Recorder()
    pytest.main(["-q", "--no-header", "--tb=short", "tests", *arguments], plugins=[recorder])
    table = rows()
    for row in table:
        show(row, recorder)
    open_rows = [row.id for row in table if not row.later and recorder.verdict(row.id) != "passed"]
    later = [row.id for row in table if row.later and recorder.verdict(row.id) != "passed"]
    passed = sum(recorder.verdict(row.id) == "passed" for row in table)
    unknown = sorted(set(recorder.results) - {row.id for row in table})
    print(f"\n{passed} of {len(table)} rows pass; later: {', '.join(later) or 'none'}")
    for what, ids in (("without a passing test", open_rows), ("in tests, not in docs/rows.md", unknown)):
        if ids:
            print(f"{what}: {', '.join(ids)}")
    return 1 if open_rows or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
