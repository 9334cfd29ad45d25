"""The package read as source, for the tests that hold its form."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kubemq_nb"


@dataclass(frozen=True)
class Module:
    """One module of the package: its dotted name below `kubemq_nb`, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, and how it is imported."""

    name: str
    line: int
    lazy: bool  # inside a function
    typing: bool  # under `if TYPE_CHECKING`


@cache
def modules() -> tuple[Module, ...]:
    """Every module written by hand."""
    return tuple(
        Module(_name(path), path, text, ast.parse(text))
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.stem.endswith("_pb2")
        for text in [path.read_text()]
    )


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imports(module: Module) -> Iterator[Import]:
    """All imports of a module, those inside functions too; `from x import y` is x.y where y is a module."""
    names = {found.name for found in modules()}
    for node, lazy, typing in _walk(module.tree, lazy=False, typing=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy, typing)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                known = inner.removeprefix("kubemq_nb.") in names or alias.name.endswith("_pb2")
                yield Import(inner if known else base, node.lineno, lazy, typing)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = ["kubemq_nb", *filter(None, module.name.split("."))]
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parts, *filter(None, [node.module])])


def _walk(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[tuple[ast.AST, bool, bool]]:
    yield node, lazy, typing
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    typing = typing or (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, lazy=lazy, typing=typing)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
