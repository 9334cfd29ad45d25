"""A pytest plugin that runs the tests of some rows again and again, once honestly and once for each lie."""

from collections import defaultdict
from collections.abc import Callable

import pytest

from tests.rows.lies import Lie
from tests.rows.proxy import Proxy
from tests.rows.recorder import ids_of


class Liar:
    """Collects once, then runs each lie's tests with the proxy telling it.

    Attributes:
        honest: Tests that fail although nobody lies.
        told: Lies that were told.
        ran: How many tests there are.
        believed: Lies, each with the rows that passed although they must fail.
    """

    def __init__(self, proxy: Proxy, lies: list[Lie], *, say: Callable[[str], None]) -> None:
        self.honest: list[str] = []
        self.told: list[Lie] = []
        self.ran = 0
        self.believed: list[tuple[Lie, list[str]]] = []
        self._proxy = proxy
        self._lies = lies
        self._say = say
        self._tests: dict[str, list[pytest.Item]] = defaultdict(list)
        self._failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave only the tests of rows that some lie names."""
        named = {id for lie in self._lies for id in lie.rows}
        for item in items:
            for id in named.intersection(ids_of(item)):
                self._tests[id].append(item)
        items[:] = [item for item in items if named.intersection(ids_of(item))]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of one pass over the tests: an honest one, then one for each lie."""
        self.ran = len(session.items)
        self.honest = sorted(self._run(session.items))
        for lie in self._lies:
            self._proxy.lie = lie
            self._judge(lie)
            self._proxy.lie = None
            self.told.append(lie)
        return True

    def _judge(self, lie: Lie) -> None:
        believed = [id for id in lie.rows if not self._run(self._tests[id], until_failed=True)]
        if believed:
            self.believed.append((lie, believed))
        caught = [id for id in lie.rows if id not in believed]
        self._say(f"{'BELIEVED' if believed else 'caught'}  {lie.name}: {' '.join(caught)} fail")

    def _run(self, tests: list[pytest.Item], *, until_failed: bool = False) -> set[str]:
        self._failed = set()
        for test in tests:
            # The session stands for "any other test": what is the run's stays, the rest is taken down.
            test.ihook.pytest_runtest_protocol(item=test, nextitem=test.session)
            if until_failed and self._failed:
                break
        return self._failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
