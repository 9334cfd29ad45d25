"""How often a view looks at its model."""

from kubemq_nb.widgets import ticker as module
from kubemq_nb.widgets.ticker import PERIOD, Ticker


class Rests:
    """Notes how long a ticker would rest, and ends it."""

    def __init__(self, count):
        self.noted = []
        self._count = count

    def wait(self, rest):
        self.noted.append(rest)
        return len(self.noted) == self._count


def test_a_look_that_works_long_is_followed_by_a_longer_rest_and_one_that_waits_is_not(monkeypatch):
    ticker = Ticker(lambda: True, name="gates")
    ticker._ended = Rests(4)
    worked = iter([10.0, 10.01, 20.0, 20.5, 30.0, 30.0])  # processor time before and after each look
    monkeypatch.setattr(module.time, "thread_time", lambda: next(worked))
    waited = iter(range(0, 1000, 10))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(waited))

    ticker._run()

    assert ticker._ended.noted == [PERIOD, PERIOD, 2.0, PERIOD]
