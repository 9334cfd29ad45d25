"""Conditions: what they mean, what they refuse, and that nothing in them runs."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb.frames.where import NAMES, Unclear, Where, path

ROW = {
    "id": "m-17",
    "channel": "orders",
    "metadata": "late order",
    "client_id": None,
    "tags": {"day": "1", "a b": "z"},
    "body": {"total": 12, "items": [{"sku": "A-1"}], "a b": 3, "name": "Bob", "ok": True, "none": None},
    "raw": b'{"total": 12, "name": "Bob"}',
    "size": 28,
    "sequence": 5,
    "timestamp": datetime(2013, 1, 31, 12, tzinfo=UTC),
    "receive_count": 2,
}


def asked(text, row=ROW):
    return Where(text).of([row])[0]


@pytest.mark.parametrize(
    "text",
    [
        "body.total > 10",
        "10 < body.total <= 12",
        'body["a b"] == 3',
        'body.items[0].sku == "A-1"',
        'body.items[-1].sku.lower().startswith("a-")',
        "len(body.items) == 1",
        "body.total * 2 - 4 == 20",
        "-body.total < 0",
        'tags.day == "1" and tags["a b"] in ("y", "z")',
        '"late" in metadata',
        'not "early" in metadata',
        "body.ok == true and body.none is None",
        "body.nowhere.at.all is null",
        'timestamp > "2013-01-31"',
        'timestamp < "2013-01-31T14:00+01:00"',
        "sequence == 5 or receive_count > 9",
        "size < 100",
        r'matches(body.items[0].sku, "^[A-Z]-\d$")',
        "late order",
        "BOB",
        "m-17",
        '"orders"',
        "sequence",
    ],
)
def test_a_condition_holds(text):
    assert asked(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "body.nowhere > 3",
        "body.nowhere.lower() == 3",
        '"x" in body.nowhere',
        'matches(body.nowhere, "x")',
        "body.nowhere + 1 > 0",
        "body.items[7].sku > 3",
        "expiration_at > '2013-01-31'",
        "rerouted",
        "zebra",
        "body.__class__ is not None",
    ],
)
def test_what_a_message_does_not_have_makes_no_error_and_no_match(text):
    assert asked(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "body.name > 3",
        "body.total / 0 > 1",
        '"x" * 1000000000 == "x"',
        '"%1000000000d" % 5 == ""',
        "3 in body.total",
        "body.total.lower() == 1",
        'matches(body.total, "1")',
        "len(body.total) > 1",
        "timestamp > body.name",
    ],
)
def test_values_that_cannot_be_compared_are_told_apart(text):
    assert asked(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("bodi.total > 1", "where, column 1: no column bodi (did you mean body?)"),
        ('"é" in totl', "where, column 8: no column totl"),
        ("body.total >", "where, column 13: no condition here"),
        ("body.class > 1", 'so is a key that is no name: body["a b"]'),
        ('timestamp > "noon"', "where, column 13: noon is no time"),
        ('__import__("os").system("true")', "where, column 1: of methods there are"),
        ('open("/etc/passwd")', "where, column 1: of functions there are"),
        ("[x for x in body]", "where, column 1: this ListComp has no place"),
        ("(lambda: 1)()", "where, column 1: of functions there are"),
        ('f"{body}" == 1', "where, column 1: an f-string has no place"),
        ("2 ** 9 == 1", "where, column 1: of arithmetic there are"),
        ("(a := 1)", "where, column 2: := has no place"),
        ("body.items[0:2] == 1", "a slice has no place"),
        ("b'x' == body", "where, column 1: b'x' has no place"),
        ('body.name.format("x") == 1', "of methods there are"),
        ("len(body, key=1) == 1", "nothing here takes a keyword"),
        ('matches(body.name, "(a+)+$")', "where, column 20: a repeat of what repeats"),
        (r'matches(body.name, r"(.)\1")', "refers back"),
        ('matches(body.name, "(?=a)")', "looks around"),
        ('matches(body.name, "(")', "not a regular expression"),
        ("matches(body.name, body.total)", "matches wants a text and a pattern"),
        ("late or early", "text is quoted"),
        (" ", "where wants a condition"),
        ("(" * 500 + ")" * 500, "where"),
        ("not " * 400 + "body", "nested too deeply"),
        ("x" * 3000, "too long"),
    ],
)
@pytest.mark.rows("M-10")
def test_a_wrong_condition_is_refused_in_one_line_with_its_place(text, answer):
    with pytest.raises(Unclear) as refused:
        Where(text)

    assert answer in str(refused.value)
    assert "\n" not in str(refused.value)


PIECES = st.sampled_from(
    [
        *sorted(NAMES),
        *(".a", "[0]", '["a b"]', " > ", " == ", " in ", " and ", " or ", "not ", "(", ")", "1", "-", "*"),
        *(
            '"x"',
            "None",
            "true",
            ".lower()",
            ".startswith(",
            "matches(",
            "len(",
            ", ",
            "[",
            "]",
            "'",
            "\\",
            "é",
        ),
        "\n",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "a b"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40), VALUES)
def test_any_text_is_a_condition_or_one_clean_line(text, body):
    try:
        where = Where(text)
    except Unclear as refused:
        told = str(refused)
        where = None
    if where is None:
        assert "\n" not in told
        return
    assert where.of([ROW | {"body": body}, {}, dict.fromkeys(NAMES - {"tags"}, body)])[0] in {
        True,
        False,
        None,
    }


@pytest.mark.parametrize(
    "pattern",
    ["a*a*a*b", ".*a.*b.*c", "[xy]*z", "a?a?a?a?a?b", "(a+){10}b", "(a{1,3}a){3}b", "(a{0,40}){3}b"],
)
def test_no_pattern_searches_for_long(pattern):
    began = time.monotonic()

    for length in (25, 100, 800, 10_000, 1_000_000):
        Where(f'matches(metadata, "{pattern}")').of([{"metadata": "a" * length}])

    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "pattern", ["(a?){30}b", "(a{0,9}){9}b", "((a?){5}){5}b", "(a|b|ab){20}c", "(a+){200}b"]
)
def test_a_repeat_of_choices_counts_each_of_its_turns(pattern):
    with pytest.raises(Unclear, match="may take too long"):
        Where(f'matches(metadata, "{pattern}")')


def test_an_exact_repeat_of_few_choices_is_found_in_long_texts():
    address = r"(\\d{1,3}\\.){3}\\d{1,3}"

    found = Where(f'matches(metadata, "{address}")').of([{"metadata": "x" * 10_000 + " 10.2.30.4"}])

    assert found == [True]


def test_a_pattern_that_has_searched_too_long_says_so(monkeypatch):
    monkeypatch.setattr("kubemq_nb.frames.patterns.SECONDS", 0.0)

    with pytest.raises(Unclear, match="use a simpler one"):
        Where('matches(metadata, "a*b")').of([{"metadata": "aaaa"}] * 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("total", 12),
        ("body.total", 12),
        ("items[0].sku", "A-1"),
        ('["a b"]', 3),
        ("tags.day", "1"),
        ('tags["a b"]', "z"),
        ("dep-delay", None),
        ("class", None),
    ],
)
def test_a_path_finds_its_field(text, value):
    assert path(text)(ROW) == value


@pytest.mark.parametrize("text", ["", "a b", "x()", "1", "a.", "[", "a + b"])
def test_a_wrong_path_is_refused(text):
    with pytest.raises(Unclear, match="fields wants paths"):
        path(text)
