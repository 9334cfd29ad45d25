import pytest

from kubemq_nb.session import json_text
from kubemq_nb.session.json_text import NotJSON


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '{\n  "carrier": "MQ",\n  "flight":  4401\n  "origin": "LGA"\n}',
            'Line 3, column 18: a comma is missing before "origin".',
        ),
        ('{"a" 1}', "Line 1, column 5: a colon is missing before 1."),
        ('{"a": 1,}', "Line 1, column 8: a comma too many."),
        ("[1, 2, ]", "Line 1, column 6: a comma too many."),
        ("[1,, 2]", "Line 1, column 4: a value is missing."),
        ('{"a": 1', "Line 1, column 8: the closing bracket is missing at the end."),
        ('{"a": [1}', "Line 1, column 9: } does not close what is open here."),
        ('{"a": }', "Line 1, column 7: a value is missing before }."),
        ('{"a":', "Line 1, column 6: a value is missing at the end."),
        ("{'a': 1}", "Line 1, column 2: text stands in double quotes, not in single ones."),
        ('{"a": None}', "Line 1, column 7: None is no JSON value; null is."),
        ('{"a": NaN}', "Line 1, column 7: NaN is no JSON value; null is."),
        ('["NaN", -Infinity]', "Line 1, column 9: -Infinity is no JSON value; null is."),
        ('{"a": gate}', "Line 1, column 7: gate is no JSON value; text stands in quotes."),
        ("{gate: 1}", "Line 1, column 2: a name in double quotes is wanted, not gate."),
        ('{"a": 1} x', "Line 1, column 10: the value has ended before x."),
        ('{"a": "x', "Line 1, column 7: the text that begins here has no closing quote."),
        ("", "Line 1, column 1: there is nothing."),
        (
            '{"a": "two\nlines"}',
            "Line 1, column 11: a line break or control character stands inside a text; write \\n for one.",
        ),
        ('{"a": "C:\\gates"}', "Line 1, column 10: a backslash begins no escape here; write two for one."),
        ("[" * 100_000, "Line 1, column 1: it is nested too deeply."),
    ],
)
def test_what_is_no_json_is_refused_with_place_and_remedy(text, sentence):
    with pytest.raises(NotJSON) as refused:
        json_text.read(text)

    assert str(refused.value) == sentence


def test_json_is_read():
    assert json_text.read(' {"a": [1, 2.5, null, "ü"]}\n') == {"a": [1, 2.5, None, "ü"]}


def test_a_long_token_is_cut():
    with pytest.raises(NotJSON, match=r"a comma is missing before \"x{22}…\.$"):
        json_text.read('{"a": 1 "' + "x" * 1000 + '": 2}')


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"a":1e5,"b":[1.50,{}],"c":[]}', '{\n  "a": 1e5,\n  "b": [\n    1.50,\n    {}\n  ],\n  "c": []\n}'),
        (' "one, {two}: \\" " ', '"one, {two}: \\" "'),
        ('{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'),
    ],
)
def test_indenting_changes_nothing_but_spaces(text, written):
    assert json_text.indented(text) == written
    assert json_text.indented(written) == written
