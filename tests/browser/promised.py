"""How many browser tests there are, module by module: where CI is set, so many have to pass.

A test that is skipped has failed there already (see tests/conftest.py). This is for those that are not even
collected: a folder left out, a module that cannot be imported, an option that chooses others.
"""

from collections import Counter
from pathlib import Path

import pytest

PROMISED = {
    "test_answers.py": 9,
    "test_dashboard.py": 9,
    "test_life.py": 1,
    "test_live_table.py": 19,
    "test_notebook_7.py": 1,
    "test_queue_browser.py": 12,
    "test_responder.py": 1,
    "test_scrubber.py": 5,
    "test_send_form.py": 9,
    "test_tour.py": 1,
}
FOLDER = Path(__file__).parent


class Promised:
    """Counts the browser tests that pass, and fails a run in which they are not as many as promised."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test of this folder that passed."""
        module = Path(report.location[0])
        if report.when == "call" and report.passed and module.parts[:2] == ("tests", "browser"):
            self.passed[module.name] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run of everything, or of this folder, that does not keep the promise."""
        if self.passed != PROMISED and session.exitstatus == pytest.ExitCode.OK and _is_about(session.config):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what is missing, or what was not promised."""
        if self.passed == PROMISED or not _is_about(terminalreporter.config):
            return
        for module in sorted({*PROMISED, *self.passed}):
            if self.passed[module] != PROMISED.get(module, 0):
                counts = f"{self.passed[module]} passed, {PROMISED.get(module, 0)} promised"
                terminalreporter.write_line(
                    f"tests/browser/{module}: {counts} in tests/browser/promised.py", red=True
                )


def _is_about(config: pytest.Config) -> bool:
    """Whether the run was to have all browser tests in it: it chose no other path and no words."""
    chosen = config.args_source is config.ArgsSource.ARGS
    paths = [Path(argument).resolve() for argument in config.args] if chosen else [FOLDER]
    return not config.option.keyword and any(FOLDER.is_relative_to(path) for path in paths)
