import pytest

from kubemq_nb.magics import load_ipython_extension, progress, unload_ipython_extension


class Clock:
    """Time that moves when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def painted():
    return []


@pytest.fixture
def bar(clock, painted):
    return progress.Bar(lambda *counts: painted.append(counts), clock=clock)


def test_what_takes_less_than_a_second_shows_nothing(bar, clock, painted):
    for done in range(10):
        clock.now += 0.09
        bar(done, 10)
    bar.close()

    assert painted == []


def test_a_long_send_is_painted_not_more_than_four_times_a_second(bar, clock, painted):
    for done in range(300):
        clock.now += 0.01
        bar(done, 300)

    assert 7 <= len(painted) <= 9


def test_nothing_is_left_when_it_is_over(bar, clock, painted):
    clock.now = 5
    bar(1, 2)
    bar.close()

    assert painted == [(1, 2), (0, 0)]


class Kernel:
    """A shell in a kernel, whose front end may or may not ask its user."""

    kernel = True

    def __init__(self, *, watched):
        self.watched = watched

    def get_parent(self):
        return {"content": {"allow_stdin": self.watched}}


def test_a_notebook_that_nobody_watches_shows_nothing():
    assert progress.painter(Kernel(watched=False)) is None
    assert progress.painter(Kernel(watched=True)) is not None


def test_a_pipe_shows_nothing(shell):
    assert progress.painter(shell) is None


def test_a_terminal_shows_a_line_that_is_taken_away(shell, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    paint = progress.painter(shell)
    paint(5, 10)
    paint(0, 0)

    assert capsys.readouterr().err == f"\r\033[K[{'#' * 20}{' ' * 20}] 5 of 10 sent\r\033[K"


def test_a_notebook_shows_one_bar_that_is_replaced(shell, capsys):
    outputs = []
    shell.display_pub.publish = lambda data, **more: outputs.append((data, more.get("update", False)))

    bar = progress.Notebook()
    bar.paint(5, 10)
    bar.paint(0, 0)

    assert outputs == [
        (
            {
                "text/plain": "5 of 10 sent",
                "text/html": '<progress value="5" max="10"></progress> 5 of 10 sent',
            },
            False,
        ),
        ({"text/plain": "", "text/html": ""}, True),
    ]


def test_a_replay_tells_how_much_is_read(session, channel, monkeypatch, shell):
    painted = []
    monkeypatch.setattr(progress, "QUIET", 0.0)
    monkeypatch.setattr(progress, "TICK", 0.0)
    monkeypatch.setattr(progress, "painter", lambda _, done: lambda *counts: painted.append((done, *counts)))
    session.events_store.send(channel, rows=["x"] * 1500)
    load_ipython_extension(shell)

    shell.run_line_magic("kubemq", f"events_store receive {channel} -q")

    unload_ipython_extension(shell)
    assert ("read", 1500, 0) in painted
    assert painted[-1] == ("read", 0, 0)


class Session:
    progress = None


def test_a_session_is_listened_to_only_inside_the_block(monkeypatch, shell):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    session = Session()

    with progress.shown(session, shell):
        listening = session.progress
    assert isinstance(listening, progress.Bar)
    assert session.progress is None
