"""Markup of others: in every HTML that the package makes it stays text."""

import ast
import re
from unittest import mock

import html5lib
import pytest

from kubemq_nb import render
from kubemq_nb.magics import progress
from tests.security.hostile import MARKUP
from tests.security.specimens import SHOWN, queue_frame
from tests.source import PACKAGE, modules

ALLOWED = {
    "p": {},
    "b": {},
    "small": {},
    "br": {},
    "pre": {},
    "thead": {},
    "tbody": {},
    "tr": {},
    "table": {"cellpadding": {"4"}},
    "th": {"scope": {"col"}, "align": {"left", "right"}},
    "td": {"align": {"left", "right"}},
}
"""Every element that a display may have, and the values of its attributes."""

MAKES_HTML = {
    "magics.present",  # gives it to the shell
    "magics.progress",  # a bar: figures and a word of ours
    "render.desk",
    "render.results",
    "render.tables",
}
"""Modules with a piece of HTML in a string; tests here show what each of them makes of others' text."""

TAG = re.compile(
    r"</?(a|b|br|button|code|details|div|em|form|h[1-6]|i|iframe|img|input|li|ol|p|pre|progress|script|small|span|strong"
    r"|style|summary|svg|table|tbody|td|textarea|th|thead|tr|u|ul)[\s>/]|text/html|_repr_html_|<!--"
)
PARSES_MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML"
    r"|srcdoc|\beval\(|new Function|javascript:|\.href\b|\.src\b|dangerouslySet"
)


def elements(html):
    """All that a browser makes of a piece of HTML."""
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    return tree, [node for node in tree.iter() if node is not tree]


def strange(html, allowed=ALLOWED):
    """What is not allowed in it."""
    return [said for node in elements(html)[1] for said in objections(node, allowed)]


def objections(node, allowed):
    if node.tag not in allowed:
        return [str(node.tag)]
    values = allowed[node.tag]
    return [
        f"{node.tag} {name}={value}"
        for name, value in node.attrib.items()
        if value not in values.get(name, ())
    ]


def written_again(html):
    """As a browser writes what it has read, which may be something else when it is read again."""
    return html5lib.serialize(elements(html)[0], omit_optional_tags=False)


def shown_by_package():
    """Names of all public functions that give a `Shown`."""
    return {
        f"{module.name}.{name}"
        for module in modules()
        for name, node in named_functions(module.tree)
        if node.returns is not None and re.fullmatch(r"Shown( \| None)?", ast.unparse(node.returns))
    }


def named_functions(tree, prefix=""):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from named_functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node


def with_html(tree):
    """Whether a string of the module, docstrings apart, has a tag in it."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = (
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return any(TAG.search(node.value) for node in strings if id(node) not in documentation)


def test_the_corpus_is_as_large_as_it_claims_to_be():
    assert len(set(MARKUP)) >= 60


def test_every_renderer_of_the_package_is_tried():
    """A function that gives a `Shown` and has no specimen fails: first seen with `render.desk` left out."""
    assert shown_by_package() == set(SHOWN)


def test_no_other_module_makes_html():
    """First seen red on a `_repr_html_` written by hand in kubemq_nb/session/feed.py."""
    assert {module.name for module in modules() if with_html(module.tree)} == MAKES_HTML


@pytest.mark.parametrize("name", SHOWN)
def test_no_markup_of_others_becomes_an_element(name):
    """First seen red on the mutation `no-html-escape`: cells of a table go in as they come."""
    for payload in MARKUP:
        for each in SHOWN[name](payload):
            assert strange(each.html) == [], payload


@pytest.mark.parametrize("name", ["render.tables.Table.shown", "render.results.describe"])
def test_no_markup_comes_to_life_when_a_page_is_written_out_and_read_again(name):
    """What these two escape is all that there is: the others are made of them."""
    for payload in MARKUP:
        for each in SHOWN[name](payload):
            assert strange(written_again(each.html)) == [], payload


def test_a_display_says_all_of_the_text_that_it_was_given():
    """Nothing is dropped to be safe: first seen red with `escaped` giving an empty text for a `<`."""
    for payload in MARKUP:
        (shown,) = SHOWN["render.tables.Table.shown"](payload)
        told = "".join(elements(shown.html)[0].itertext())
        assert render.clean(payload).replace("\n", "\\n") in told


def test_a_wrong_element_is_seen():
    assert strange("<p>fine</p>") == []
    assert strange("<p onclick=x>") != []
    assert strange('<table><tr><td align="center">') == ["td align=center"]
    assert all(
        strange(f"<p>{payload}</p>")
        for payload in MARKUP
        if re.match(r"<(script|img|svg|iframe|a) ", payload)
    )


def test_a_bar_of_progress_holds_figures_and_our_words_only():
    painted = []
    with mock.patch.object(progress, "display", lambda data, **_: painted.append(data["text/html"])):
        progress.Notebook("sent").paint(5, 10)

    assert painted == ['<progress value="5" max="10"></progress> 5 of 10 sent']


PANDAS = ALLOWED | {
    "div": {},
    "style": {"scoped": {""}},
    "table": {"border": {"1"}, "class": {"dataframe"}},
    "tr": {"style": {"text-align: right;"}},
    "th": {},
    "td": {},
}


def test_what_pandas_shows_of_our_frames_is_text_too():
    """A part of a frame is pandas' to show: first seen red with `to_html(escape=False)` in its place."""
    for payload in MARKUP:
        part = queue_frame(payload)[["id", "channel", "metadata", "decoded", "tags"]]
        assert strange(part._repr_html_(), PANDAS) == [], payload


@pytest.mark.parametrize(
    "script", sorted((PACKAGE / "widgets" / "static").glob("*.js")), ids=lambda path: path.name
)
def test_no_view_parses_markup(script):
    """Views write `textContent`: first seen red on `node.innerHTML = text` in frame.js."""
    assert PARSES_MARKUP.findall(script.read_text(encoding="utf-8")) == []
