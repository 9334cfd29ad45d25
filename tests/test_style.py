"""The house style as figures: sizes, types, docstrings, no print, few broad excepts."""

import ast
import statistics
from collections.abc import Iterator

import pytest

from tests.source import Module, functions, modules


def lines(module: Module) -> int:
    return module.text.count("\n")


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without decorators, signature and docstring."""
    documented = ast.get_docstring(function, clean=False) is not None and len(function.body) > 1
    return function.end_lineno - function.body[documented].lineno + 1


def is_typed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [*function.args.args, *function.args.kwonlyargs]
    named = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
    return function.returns is not None and all(argument.annotation for argument in named)


def is_documented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(function, clean=False) is not None


def is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )


def every(kind: type[ast.AST]) -> Iterator[tuple[Module, ast.AST]]:
    return (
        (module, node) for module in modules() for node in ast.walk(module.tree) if isinstance(node, kind)
    )


ALL = [(module, function) for module in modules() for function in functions(module.tree)]
PUBLIC = [(module, function) for module, function in ALL if not function.name.startswith("_")]


def places(found: list[tuple[Module, ast.AST]]) -> list[str]:
    return [f"kubemq_nb/{module.name}:{node.lineno} {getattr(node, 'name', '')}" for module, node in found]


def test_modules_are_small():
    sizes = {module.name: lines(module) for module in modules() if lines(module) >= 3}

    assert statistics.median(sizes.values()) <= 200
    assert {name: size for name, size in sizes.items() if size > 500} == {}


def test_functions_are_short():
    lengths = sorted(body_length(function) for _, function in ALL)

    assert statistics.median(lengths) <= 6
    assert lengths[int(len(lengths) * 0.95) - 1] <= 30


def test_no_function_is_long():
    assert places([(module, node) for module, node in ALL if body_length(node) > 60]) == []


@pytest.mark.parametrize(("trait", "share"), [(is_typed, 0.99), (is_documented, 0.90)])
def test_public_functions_are_typed_and_documented(trait, share):
    missing = [(module, node) for module, node in PUBLIC if not trait(node)]

    assert len(missing) <= (1 - share) * len(PUBLIC), places(missing)


def test_nothing_prints():
    calls = [
        (m, node)
        for m, node in every(ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert places(calls) == []


def test_broad_excepts_stay_rare():
    broad = [(module, node) for module, node in every(ast.ExceptHandler) if is_broad(node)]

    assert len(broad) <= max(1, sum(map(lines, modules())) / 1000), places(broad)
