from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb.magics import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5), ("2m", 120), ("1h30m", 5400), ("1.5s", 1.5), ("1d2h3m4s5ms", 93784.005)],
)
def test_durations_are_seconds(text, seconds):
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "5x", "s", "5m1h", "5s5s", "-5s", "", "1e3s", "5 s"])
def test_a_duration_without_a_unit_or_order_is_refused(text):
    with pytest.raises(values.Unreadable):
        values.duration(text)


def test_a_bare_number_is_told_its_units():
    assert values.duration("0") == 0.0
    with pytest.raises(values.Unreadable, match="wants a unit: 5s, 5ms, 5m or 5h"):
        values.duration("5")


@pytest.mark.parametrize("text", ["new", "first", "last", "seq:5"])
def test_named_positions_stay_text(text):
    assert values.start(text) == text


def test_a_duration_as_a_start_means_that_long_ago():
    assert values.start("10m") == timedelta(minutes=10)


def test_a_time_is_read_with_its_zone():
    assert values.start("2013-01-31T23:59+01:00") == datetime(2013, 1, 31, 22, 59, tzinfo=UTC)
    assert values.end("2013-01-31T23:59:00Z") == datetime(2013, 1, 31, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2013-01-31", "2013-01-31T23:59", "2013-01-31 23:59"])
def test_a_time_without_a_zone_is_told_with_one_that_is_read(text):
    with pytest.raises(values.Unreadable) as refused:
        values.instant(text)

    told = str(refused.value).removeprefix("wants a time with its zone: ").split(" or ")
    assert [values.instant(each).tzinfo for each in told] == [UTC, UTC]


@pytest.mark.parametrize("read", [values.start, values.end])
@pytest.mark.parametrize(
    "text",
    [
        "5",
        "yesterday",
        "2013-01-31",
        "2013-01-31+01:00",
        "2013-01-31T23:59",
        "2013-99-01T00:00Z",
        "seq:x",
        "",
    ],
)
def test_other_positions_are_refused(read, text):
    with pytest.raises(values.Unreadable, match="wants"):
        read(text)


def test_a_bare_number_as_a_start_names_both_that_it_could_be():
    with pytest.raises(values.Unreadable, match=r"seq:5 for a sequence, or 5s"):
        values.start("5")


def test_now_ends_a_read_and_starts_one():
    assert values.end("now") == "now"
    assert isinstance(values.start("now"), datetime)


def test_a_tag_splits_at_its_first_equals_sign():
    assert values.tag("a=b=c") == ("a", "b=c")


@pytest.mark.parametrize("text", ["a", "=b", ""])
def test_a_tag_wants_a_key_and_an_equals_sign(text):
    with pytest.raises(values.Unreadable, match="key=value"):
        values.tag(text)


@pytest.mark.parametrize("text", ["1.5", "x", "", "1_000"])
def test_a_count_is_a_whole_number(text):
    with pytest.raises(values.Unreadable, match="whole number"):
        values.whole(text)
