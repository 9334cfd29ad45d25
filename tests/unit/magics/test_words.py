import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from kubemq_nb.magics.words import Meaning, quoted, split


def texts(line):
    return [word.text for word in split(line)]


def meanings(line):
    return [word.meaning for word in split(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("queues  peek orders", ["queues", "peek", "orders"]),
        ('send orders {"id": 1, "ok": true}', ["send", "orders", '{"id": 1, "ok": true}']),
        ('send orders [1, {"a": "}"}] -n 5', ["send", "orders", '[1, {"a": "}"}]', "-n", "5"]),
        ("send orders it's", ["send", "orders", "it's"]),
        (r"send orders C:\temp\x", ["send", "orders", r"C:\temp\x"]),
        (r'send orders "C:\temp\x"', ["send", "orders", r"C:\temp\x"]),
        (r'send orders "say \"hi\" \\"', ["send", "orders", 'say "hi" \\']),
        ("send orders 'what now?'", ["send", "orders", "what now?"]),
        ('-t name="a b" next', ["-t", "name=a b", "next"]),
        ("-t text='it is'", ["-t", "text=it is"]),
        ("-t a=b=c", ["-t", "a=b=c"]),
        ('--metadata="a b" x', ["--metadata", "a b", "x"]),
        ('--body={"a": 1} x', ["--body", '{"a": 1}', "x"]),
        ("--metadata= x", ["--metadata", "", "x"]),
        ('--tag=k="a b" x', ["--tag", "k=a b", "x"]),
        ("send a\tb", ["send", "a\tb"]),
        ("a={{b}}", ["a={{b}}"]),
        ("", []),
    ],
)
def test_a_line_is_split_by_the_words_rule(line, expected):
    assert texts(line) == expected


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("{{df}}", "df"),
        ('{{ rows["a"] }}', 'rows["a"]'),
        ("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}"),
        ("{{{'a': {'b': 1}}}}", "{'a': {'b': 1}}"),
        ("{{ '}}' }}", "'}}'"),
        ("{{f'{x}'}}", "f'{x}'"),
    ],
)
def test_double_braces_hold_one_expression(line, expression):
    [word] = split(line)

    assert word.text == expression
    assert word.meaning is Meaning.EXPRESSION


def test_two_dashes_end_the_options():
    assert texts("send orders -- --delay -x {{df}}") == ["send", "orders", "--delay", "-x", "df"]
    assert meanings("send -- --delay {{df}}") == [Meaning.ITSELF, Meaning.TEXT, Meaning.EXPRESSION]


@pytest.mark.parametrize("line", ['"-x"', '"--"', "-- -x", '--m="-x"'])
def test_quoted_text_is_never_an_option(line):
    word = split(line)[-1]

    assert word.text.startswith("-")
    assert not word.startswith("-")


def test_the_nul_that_marks_a_word_does_not_hide_a_typed_one():
    assert texts('"\0x"') == ["\0x"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('send "orders', 'the quote in "orders is not closed'),
        ("send 'tis late", "the quote in 'tis late is not closed"),
        ('{"a": 1', "not JSON at its character 8: Expecting ',' delimiter"),
        ("{'a': 1}", "not JSON at its character 2"),
        ("[NaN]", "NaN is not JSON"),
        ("{{df", "not closed by }}"),
        ("{{a b}}", "not a Python expression: {{a b}}"),
        ("{{ }}", "not a Python expression"),
        ("{{a}}b", "'b' follows {{a}} without a space"),
        ('"a"b', "'b' follows \"a\" without a space"),
        ('{"a": 1}x', "'x' follows"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_does_not_end_is_refused_in_one_line(line, complaint):
    with pytest.raises(UsageError) as refused:
        split(line)

    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["big world", "", "it's", 'say "hi"', "{x", "-x", "a\\b", '"it\'s"', "plain"]
)
def test_quoted_text_reads_back(text):
    assert texts(quoted(text)) == [text]


PIECES = st.sampled_from(
    ["{{", "}}", "{", "}", "[", "]", '"', "'", "\\", "=", "--", "-n", " ", "a", "1", ":", ",", "\t"]
)


@given(st.lists(st.one_of(PIECES, st.characters())).map("".join))
@example("--=")
@example("--a={{")
def test_any_line_splits_or_is_refused_in_one_clean_line(line):
    try:
        words = split(line)
    except UsageError:
        return

    assert all(word.text in line or "\\" in line or "=" in line for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
