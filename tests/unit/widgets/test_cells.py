import pytest

from kubemq_nb.widgets import cells


@pytest.mark.parametrize(
    ("value", "text"),
    [("UA", "UA"), (-6, "-6"), (None, "null"), (True, "true"), ([1, {"a": "b"}], '[1,{"a":"b"}]')],
)
def test_a_field_is_shown_as_it_is(value, text):
    assert cells.value(value) == text


def test_a_long_text_is_cut_and_says_so():
    shown = cells.value("x" * 1_000_000)

    assert len(shown) == cells.CUT
    assert shown.endswith("x…")


def test_a_large_value_is_not_written_out_to_be_thrown_away():
    class Endless(list):
        def __iter__(self):
            yield from range(1000)
            raise AssertionError("the whole value was written")

    assert cells.value(Endless([0])).startswith("[0,1,2")


def test_control_and_direction_characters_are_made_visible():
    assert cells.value("a\nb\x1b[31m\u202ec") == "a\\nb\\x1b[31m\\u202ec"


def test_bytes_that_are_no_text_are_shown_in_hexadecimal():
    assert cells.body(b"\x89PNG", None) == "89 50 4e 47"


def test_tags_stand_in_one_order():
    assert cells.tags({"gate": "B11", "day": "1"}) == [["day", "1"], ["gate", "B11"]]
