from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb.messages import StartPosition
from kubemq_nb.session import positions
from kubemq_nb.session.positions import as_end, as_start

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "position"),
    [
        ("new", StartPosition("new")),
        ("first", StartPosition("first")),
        ("last", StartPosition("last")),
        ("seq:5", StartPosition("sequence", 5)),
        (NOON, StartPosition("time", int(NOON.timestamp()) * 10**9)),
        (600, StartPosition("ago", 600)),
        (timedelta(minutes=10), StartPosition("ago", 600)),
        (StartPosition.last(), StartPosition("last")),
    ],
)
def test_a_start_is_a_position(start, position):
    assert as_start(start) == position


@pytest.mark.rows("S-14")
@pytest.mark.parametrize("start", ["yesterday", "seq:", "seq:-1", "5", None, True, b"new"])
def test_a_bad_start_is_refused_with_the_valid_ones(start):
    with pytest.raises(ValueError, match="start is new, first, last, seq:N, a time"):
        as_start(start)


@pytest.mark.rows("S-14")
@pytest.mark.parametrize(
    "start",
    [
        *("seq:0", NOON.replace(tzinfo=None), 0.5, -3, 0),
        *(f"seq:{2**63}", NOON.replace(year=2300), 1e30, float("inf"), float("nan")),
    ],
)
def test_a_start_that_the_wire_cannot_carry_is_refused(start):
    with pytest.raises(ValueError, match="start"):
        as_start(start)


def test_an_end_is_a_sequence_or_an_instant():
    assert as_end("seq:9") == 9
    assert as_end(NOON) is NOON
    assert abs(as_end("now") - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("to", ["later", "seq:0", NOON.replace(tzinfo=None), 5])
def test_a_bad_end_is_refused_with_the_valid_ones(to):
    with pytest.raises(ValueError, match="to is seq:N"):
        as_end(to)


@pytest.mark.parametrize(
    ("choice", "text", "start"),
    [
        ("first", "", "first"),
        ("sequence", "1,200", "seq:1200"),
        ("time", "2013-01-31 23:59", datetime(2013, 1, 31, 23, 59, tzinfo=UTC)),
        ("ago", "10m", 600.0),
        ("ago", "-2h", 7200.0),
    ],
)
def test_what_a_picker_chose_is_a_start(choice, text, start):
    assert positions.chosen(choice, text) == start


@pytest.mark.parametrize(
    ("choice", "text", "wanted"),
    [
        ("sequence", "", "a whole number such as 1200, not nothing"),
        ("time", "noon", "2013-01-31 23:59"),
        ("ago", "long", "30s, 10m, 2h or 1d"),
    ],
)
def test_a_picked_text_that_is_no_start_says_what_is_wanted(choice, text, wanted):
    with pytest.raises(ValueError, match=wanted):
        positions.chosen(choice, text)


@pytest.mark.parametrize("start", ["new", "first", "last", "seq:7", datetime(2013, 1, 31, tzinfo=UTC), 600])
def test_a_picker_shows_a_start_so_that_it_can_be_chosen_again(start):
    position = positions.as_start(start)

    assert positions.as_start(positions.chosen(*positions.picked(position))) == position
