"""The site that scripts/docs makes: pages as they stand, notebooks as saved, the API from its docstrings.

Sphinx reads from the root of the checkout, so that a link between two pages is the one that also works in the
repository. Warnings are errors: a link that leads nowhere, a page that no list has, a public name that is not
in docs/api.md or has no docstring.
"""

import re
from dataclasses import is_dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from docutils.nodes import Element, TextElement
from IPython.lib.lexers import IPythonLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.typing import stringify_annotation

import kubemq_nb

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+\.(?:md|ipynb))\)")

project = "kubemq_nb"
release = kubemq_nb.__version__
root_doc = "docs/README"
include_patterns = ["*.md", "docs/**.md", "notebooks/*.ipynb"]
exclude_patterns = [".*", "build", "dist", "docs/site"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
templates_path = ["."]

html_theme = "furo"
html_title = f"kubemq_nb {release}"
html_additional_pages = {"index": "index.html"}
html_show_copyright = False

default_role = "code"  # docstrings quote as Markdown does
smartquotes = False
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "inherited-members": "Generic, BaseException, OSError",
}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True
myst_heading_anchors = 4
nb_execution_mode = "off"  # nbval holds what they show
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # a page asks nobody but its own folder

# An annotation is spelled out when Python reads it; what docs/api.md has a name for is called by it again.
DATA = re.findall(r"autodata:: kubemq_nb\.(\S+)", (ROOT / "docs" / "api.md").read_text())
ALIASES = {
    stringify_annotation(resolve_name(f"kubemq_nb.{path}"), "smart"): f"kubemq_nb.{path}" for path in DATA
}


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Make the lists at the side of every page from the first page: one a kind, in its order."""
    if page != root_doc:
        return
    for kind in re.split(r"^## ", source[0], flags=re.MULTILINE)[1:]:
        files = [(ROOT / "docs" / link).resolve() for link in LINK.findall(kind)]
        pages = [f"/{app.project.path2doc(str(file))}" for file in files]
        folders = [f"{name.removesuffix('README')}*" for name in pages if re.match(r"/docs/.+/README$", name)]
        options = f":hidden:\n:glob:\n:caption: {kind.partition(':')[0]}"
        source[0] += "\n\n".join(["", f"```{{toctree}}\n{options}", "\n".join([*pages, *folders, "```"])])


def name_aliases(
    _app: Sphinx,
    what: str,
    _name: str,
    value: object,
    _options: Any,
    arguments: str | None,
    result: str | None,
) -> tuple[str, str | None] | None:
    """Shorten a signature to what a reader needs; what only this package makes has none."""
    if what in {"class", "exception"} and not is_dataclass(value):
        return "", None
    if arguments is None:
        return None
    text = arguments
    for spelled in sorted(ALIASES, key=len, reverse=True):  # `Start` has `Duration` in it
        text = text.replace(spelled, f"~{ALIASES[spelled]}")
    return text, result


def link_alias(
    app: Sphinx, environment: BuildEnvironment, node: pending_xref, content: TextElement
) -> Element | None:
    """Lead from a type in a signature to an alias, which Sphinx takes for data."""
    if node.get("reftarget") not in ALIASES.values():
        return None
    python = environment.domains.python_domain
    return python.resolve_xref(
        environment, node["refdoc"], app.builder, "data", node["reftarget"], node, content
    )


def want_docstring(
    _app: Sphinx, what: str, name: str, _value: object, _options: Any, lines: list[str]
) -> None:
    """Refuse a public name that says nothing; a field may speak by its name."""
    if what != "attribute" and not "".join(lines).strip():
        logger.warning("%s has no docstring", name)
    if lines and what in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]  # Napoleon takes what stands before a colon in the first line for a type


def want_all_public(_app: Sphinx, environment: BuildEnvironment) -> None:
    """Refuse a public name that is on no page."""
    known = environment.domains.python_domain.objects
    for name in kubemq_nb.__all__:
        if f"kubemq_nb.{name}" not in known:
            logger.warning("kubemq_nb.%s is not in docs/api.md", name)


def setup(app: Sphinx) -> None:
    """Add what Sphinx has no setting for."""
    app.add_lexer("python", IPythonLexer)
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-signature", name_aliases)
    app.connect("missing-reference", link_alias)
    app.connect("autodoc-process-docstring", want_docstring, priority=400)  # before napoleon
    app.connect("env-check-consistency", want_all_public)
