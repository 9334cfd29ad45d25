from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb.messages import StartPosition
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
@pytest.mark.parametrize("start", ["seq:0", NOON.replace(tzinfo=None), 0.5, -3, 0])
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
