"""A user's own code: expressions on a line, and a cell as the body of a function.

The only `compile`, `eval` and `exec` of the package. What runs is what the user typed; message data reaches
it as a variable and is never part of a source text.
"""

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.messages import Request

NAME = "cell"  # of the function, as tracebacks show it
PARAMETER = "request"
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def evaluate(expression: str, variables: dict[str, Any]) -> object:
    """Give the value of an expression over the notebook's variables.

    Raises:
        UsageError: It has none; says what it raised.
    """
    try:
        return eval(compile(expression, "{{...}}", "eval"), variables)  # noqa: S307
    except Exception as error:  # the edge to the user's code
        raise UsageError(f"{{{{{expression}}}}} raises {type(error).__name__}: {error}") from error


def as_function(cell: str, shell: "InteractiveShell", header: str) -> "Callable[[Request], object]":
    """Make a cell the body of a function of `request`; its last expression is the answer.

    The function is a coroutine function when the cell awaits. Lines are counted as the notebook shows them,
    the magic's own being line 1, and tracebacks show them.

    Args:
        cell: The lines below the magic.
        shell: Whose variables are the function's globals.
        header: The magic's own line.

    Raises:
        UsageError: The cell is no body of a function; says where.
    """
    filename = shell.compile.cache(f"{header}\n{cell}", shell.execution_count)
    body = _body(cell, filename)
    define = ast.AsyncFunctionDef if _awaits(body) else ast.FunctionDef
    function = define(
        name=NAME,
        args=ast.arguments(
            posonlyargs=[], args=[ast.arg(arg=PARAMETER)], kwonlyargs=[], kw_defaults=[], defaults=[]
        ),
        body=body,
        decorator_list=[],
    )
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    defined: dict[str, Callable[[Request], object]] = {}
    try:
        code = compile(module, filename, "exec")
    except SyntaxError as error:
        raise UsageError(_where(error, shift=0)) from error
    exec(code, shell.user_ns, defined)  # noqa: S102
    return defined[NAME]


def _body(cell: str, filename: str) -> list[ast.stmt]:
    try:
        tree = ast.parse(cell, filename)
    except SyntaxError as error:
        raise UsageError(_where(error, shift=1)) from error
    ast.increment_lineno(tree)
    if not tree.body:
        raise UsageError("the cell is empty; its last expression is the answer to `request`")
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _inner(tree.body)):
        raise UsageError("a handler answers once, by return or by its last expression; it cannot yield")
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
    return tree.body


def _awaits(body: list[ast.stmt]) -> bool:
    awaiting = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    return any(
        isinstance(node, awaiting) or (isinstance(node, ast.comprehension) and node.is_async)
        for node in _inner(body)
    )


def _inner(nodes: list[Any]) -> Iterator[ast.AST]:
    """All nodes of a body, without those of functions and classes defined in it."""
    for node in nodes:
        yield node
        if not isinstance(node, SCOPES):
            yield from _inner(list(ast.iter_child_nodes(node)))


def _where(error: SyntaxError, *, shift: int) -> str:
    line, column = (error.lineno or 0) + shift, error.offset
    return f"line {line}, column {column}: {error.msg}. Nothing was changed."
