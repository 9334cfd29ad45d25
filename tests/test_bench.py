"""The bench runs, and no wrong answer counts; no test here asks how fast anything is."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks import __main__ as command
from benchmarks import axes, curves
from benchmarks.place import TINY, Place, server
from benchmarks.publishing import publish
from benchmarks.rows import ROWS
from benchmarks.run import measure
from benchmarks.samples import Goal, Measured, Sample, Sides, turns
from tests.rows.lies import Lie
from tests.rows.proxy import Proxy

pytestmark = pytest.mark.timeout(600)  # the first one may install an environment

BY_NAME = {row.name: row for row in ROWS}
LIES = {
    "peek": Lie("ReceiveQueueMessages", "response", "swap", ("-",), "Messages"),
    "short-peek": Lie("ReceiveQueueMessages", "response", "lose", ("-",), "Messages"),
    "first": Lie("ReceiveQueueMessages", "response", "truncate", ("-",), "Messages[].Body"),
    "receive": Lie("QueuesDownstream", "response", "double", ("-",), "Messages"),
    "replay": Lie("SubscribeToEvents", "response", "drop", ("-",), "Tags"),
    "batch": Lie("SendQueueMessagesBatch", "request", "swap", ("-",), "Messages"),
    "query-p50": Lie("SendRequest", "response", "truncate", ("-",), "Body"),
    "query-p99": Lie("SendRequest", "request", "truncate", ("-",), "Body"),
}


@pytest.fixture(scope="module")
def place(broker) -> Iterator[Place]:
    token = broker.token()
    place = Place(broker.address, TINY, token=token, token_file=broker.token_file, pid=broker.pid)
    with place.opened:
        yield place


@pytest.fixture(scope="module")
def proxy(broker) -> Iterator[Proxy]:
    with Proxy(broker.address, broker.token()).running() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def behind_proxy(proxy) -> Iterator[Place]:
    with server(proxy.address, TINY, None) as place:
        yield place


@pytest.mark.parametrize("name", BY_NAME)
def test_a_row_has_both_sides_and_right_answers(place, name):
    measured = measure(place, BY_NAME[name])

    assert measured.problems == []
    assert measured.ours
    assert measured.other


@pytest.mark.parametrize("name", LIES)
def test_through_an_honest_proxy_the_same_rows_are_right(behind_proxy, name):
    assert measure(behind_proxy, BY_NAME[name]).problems == []


@pytest.mark.parametrize("name", LIES)
def test_a_wrong_answer_counts_as_wrong_however_fast(proxy, behind_proxy, name):
    proxy.lie = LIES[name]
    try:
        measured = measure(behind_proxy, BY_NAME[name])
    finally:
        proxy.lie = None

    assert measured.verdict == "wrong"
    assert measured.problems


def test_every_row_of_a_real_server_is_lied_about():
    assert set(LIES) == {row.name for row in ROWS if "real" in row.goals}


@pytest.mark.parametrize(
    ("goal", "ours", "other", "verdict"),
    [
        (Goal("least", 2), 20, 10, "met"),
        (Goal("least", 2), 19, 10, "missed"),
        (Goal("most", 0.5), 5, 10, "met"),
        (Goal("most", 0.5), 6, 10, "missed"),
        (Goal("least", 50, "ours"), 50, 1000, "met"),
        (Goal("most", 5, "difference"), 16, 10, "missed"),
    ],
)
def test_a_goal_is_met_from_its_bound_on(goal, ours, other, verdict):
    assert Measured(goal, [Sample(ours)], [Sample(other)]).verdict == verdict


def test_a_row_with_one_side_is_wrong():
    assert Measured(Goal("least", 1), [Sample(10)], []).verdict == "wrong"


def test_sides_take_turns_and_the_first_of_a_round_changes():
    order = []
    sides = Sides(lambda: Sample(order.append("ours") or 1), lambda: Sample(order.append("other") or 1))

    kept = [name for name, _ in turns(sides, 2)]

    assert order == ["other", "ours", "ours", "other", "other", "ours"]
    assert kept == ["ours", "other", "other", "ours"]


def test_a_problem_of_the_turn_that_warms_up_counts():
    sides = Sides(lambda: Sample(1), lambda: Sample(1, ("wrong",)))

    assert [sample.problems for _, sample in turns(sides, 0)] == [("wrong",)]


def test_the_command_fails_when_a_row_is_not_met(monkeypatch, capsys):
    never = Goal("least", 1e9)
    monkeypatch.setattr(command, "ROWS", [replace(BY_NAME["peek"], goals={"embedded": never})])
    monkeypatch.setattr(command, "QUICK", TINY)
    monkeypatch.setattr("sys.argv", ["bench", "--quick"])

    assert command.main() == 1
    assert "0 of 1 rows met; not: peek" in capsys.readouterr().out


@pytest.mark.parametrize("axis", axes.AXES)
def test_growth_is_measured_along_every_axis_with_right_answers(axis):
    found = axes.grow(axes.TINY, [axis], lambda *_: None)

    assert [curve.line for _, curve in found if curves.wrong(curve)] == []
    assert all(point.samples for _, curve in found for point in curve.points)


def test_a_wrong_answer_spoils_the_curve(proxy, behind_proxy):
    proxy.lie = LIES["peek"]
    try:
        curve = curves.curve("peek", "us/row", [(100, axes.Bodies(behind_proxy, 100).peek)])
        curves.measure([curve], 0)
    finally:
        proxy.lie = None

    assert curves.wrong(curve)
    assert "what came is not what was sent" in curves.line("bodies", curve)


def test_a_side_that_fails_spoils_the_curve():
    def fail():
        raise ValueError("no such channel")

    curve = curves.curve("peek", "us/row", [(1, lambda: Sample(1)), (10, fail)])
    curves.measure([curve], 1)

    assert curves.wrong(curve)
    assert "at 10: no such channel" in curves.line("channels", curve)


@pytest.fixture
def page(tmp_path):
    (tmp_path / "images").mkdir()
    page = tmp_path / "performance.md"
    page.write_text("Before.\n<!-- bench:growth --><!-- /bench -->\nAfter.\n")
    return page


def grown(*values):
    points = [{"at": at, "values": list(values), "problems": []} for at in (1, 64)]
    return {
        "at": "2026-01-02T03:04:05",
        "python": "3.13.0",
        "cores": 8,
        "load": [0.5, 0, 0],
        "curves": [
            {"axis": "clients", "line": "send", "unit": "us/row", "points": points},
            {"axis": "clients", "line": "start", "unit": "ms", "points": points},
        ],
    }


def test_growth_is_published_as_a_picture_and_its_figures(page):
    publish(grown(10, 30, 20), page)

    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "| send | 20.0 us | 20.0 us |" in text
    assert "](images/growth-clients.svg)" in text
    assert "<svg" in (page.parent / "images/growth-clients.svg").read_text()


def test_the_same_figures_are_published_as_the_same_files(page):
    publish(grown(1), page)
    before = page.read_text(), (page.parent / "images/growth-clients.svg").read_text()

    publish(grown(1), page)

    assert (page.read_text(), (page.parent / "images/growth-clients.svg").read_text()) == before


def test_rows_are_published_where_the_page_has_a_place_for_them(page, monkeypatch, capsys):
    row = replace(BY_NAME["grown-memory"], sides=lambda _: Sides(lambda: Sample(50), lambda: Sample(100)))
    written = page.parent / "figures.json"
    monkeypatch.setattr(command, "ROWS", [row])
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--json", str(written)])
    command.main()
    page.write_text("<!-- bench:rows-embedded --><!-- /bench -->")

    publish(json.loads(written.read_text()), page)

    assert "| 50 MB | 100 MB | 0.50 | <= 100 | yes |" in page.read_text()
    assert "1 of 1 rows met" in capsys.readouterr().out


def test_a_page_without_a_place_is_left_alone(page):
    page.write_text("Nothing here.\n")

    with pytest.raises(ValueError, match="bench:growth"):
        publish(grown(1), page)

    assert page.read_text() == "Nothing here.\n"
