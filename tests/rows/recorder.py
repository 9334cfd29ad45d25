"""A pytest plugin that notes which rows each test carries and how it went."""

from collections import defaultdict

import pytest

SEVERITY = ["passed", "skipped", "failed"]


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """The rows that a test carries, from all its marks."""
    return tuple(dict.fromkeys(id for mark in item.iter_markers("rows") for id in mark.args))


class Recorder:
    """Runs the tests that carry one of `wanted` (all rows when empty) and keeps their results.

    Attributes:
        results: Row id to test id to "passed", "failed" or "skipped".
    """

    def __init__(self, wanted: set[str] = frozenset()) -> None:
        self.results: dict[str, dict[str, str]] = defaultdict(dict)
        self._wanted = wanted
        self._rows: dict[str, tuple[str, ...]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self._rows = {item.nodeid: ids for item in items if (ids := ids_of(item))}
        chosen = [item for item in items if self._is_wanted(self._rows.get(item.nodeid, ()))]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen

    def _is_wanted(self, ids: tuple[str, ...]) -> bool:
        return bool(self._wanted.intersection(ids) if self._wanted else ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of a test's set-up, call and tear-down."""
        for id in self._rows.get(report.nodeid, ()):
            known = self.results[id].get(report.nodeid, "passed")
            self.results[id][report.nodeid] = max(known, report.outcome, key=SEVERITY.index)

    def verdict(self, id: str) -> str:
        """Failed when one of its tests fails, passed when one passes, else skipped or "no test"."""
        outcomes = set(self.results.get(id, {}).values())
        for outcome in ("failed", "passed", "skipped"):
            if outcome in outcomes:
                return outcome
        return "no test"
