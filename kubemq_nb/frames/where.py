"""Conditions on messages: a checked subset of Python's expressions. The tree is walked, nothing is evaluated.

`body.total > 10 and "late" in tags.note`: names are the columns, `body` is the decoded one, `size` its length
in bytes. What a message does not have is None, and no condition fails for it. A text without an operator is
searched for everywhere.
"""

import ast
import difflib
import json
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from kubemq_nb.frames.kinds import COLUMNS
from kubemq_nb.frames.patterns import Pattern, Refused

Row = Mapping[str, Any]
Read = Callable[[Row], Any]

LONGEST = 2_000  # characters
DEEPEST = 60  # levels of an expression
KINDS = ("queues", "events", "events_store")
NAMES = frozenset(name for kind in KINDS for name in COLUMNS[kind]) | {"size"}
CONSTANTS = {"true": True, "false": False, "null": None}
SEARCHED = ("id", "channel", "metadata", "client_id", "answer", "error")  # beside tags and body

_operators = re.compile(r"[<>=!()\[\]{}\"']|\b(?:and|or|not|in|is)\b")
_path = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Unclear(ValueError):
    """A condition that cannot be understood; says where and why."""


class Where:
    """One condition, to be asked of many messages.

    Raises:
        Unclear: It is not one.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"where is a condition or a text to search for, not {type(text).__name__}")
        self.text = " ".join(text.split("\n")).strip()
        if not self.text:
            raise Unclear("where wants a condition such as body.total > 10, or a text to search for")
        if len(self.text) > LONGEST:
            raise Unclear(f"a where of {len(self.text):,} characters is too long: at most {LONGEST:,}")
        self._patterns: list[Pattern] = []
        self._read = self._searching() or _Reader(self.text, self._patterns).whole()

    def of(self, rows: Iterable[Row]) -> list[bool | None]:
        """Whether it holds for each row; None where values of different kinds cannot be compared.

        Raises:
            Unclear: A pattern has taken too long, over all these rows.
        """
        for pattern in self._patterns:
            pattern.spent = 0.0
        return [self._holds(row) for row in rows]

    def _holds(self, row: Row) -> bool | None:
        try:
            return bool(self._read(row))
        except Refused as error:
            raise Unclear(f"where: {error}") from None
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            return None

    def _searching(self) -> Read | None:
        """The search for a plain text, unless it is an expression."""
        if _operators.search(self.text):
            return None
        root = self.text.partition(".")[0]
        if _path.fullmatch(self.text) and (root in NAMES or root in CONSTANTS):
            return None
        return _search(self.text)


def path(text: str) -> Read:
    """The reader of one field: `a.b[0]` of the body, or `tags.k`.

    Raises:
        Unclear: It is no path.
    """
    text = text.strip()
    keys = text.split(".")
    if all(re.fullmatch(r"[^\W\d][\w-]*", key) for key in keys):
        steps: Sequence[str] = keys[1:] if keys[0] in {"body", "tags"} else keys
        return _steps("tags" if keys[0] == "tags" else "body", steps)
    start = "" if re.match(r"(body|tags)[.\[]", text) else "body" if text.startswith("[") else "body."
    try:
        tree = _parsed(start + text)
        part = tree
        while isinstance(part, ast.Attribute | ast.Subscript):
            part = part.value
        if not isinstance(part, ast.Name):
            raise Unclear  # noqa: TRY301  one answer for all that is no path
        return _Reader(start + text, []).whole(tree)
    except Unclear:
        raise Unclear(
            f'fields wants paths such as a.b, items[0].sku, ["a b"] or tags.k, not {text}'
        ) from None


def _steps(root: str, keys: Sequence[str]) -> Read:
    def read(row: Row) -> Any:
        value = row.get(root)
        for key in keys:
            value = _item(value, key)
        return value

    return read


def _parsed(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strange escapes, which a pattern may have
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = min(error.offset or len(text) + 1, len(text) + 1)
        equal = " (what is equal is told by ==)" if text[column - 1 : column] == "=" else ""
        raise Unclear(
            f"where, column {column}: no condition here ({error.msg}){equal}; a text to search for is "
            'quoted, and so is a key that is no name: body["a b"]'
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise Unclear("where: no condition can be read in this text; it may be nested too deeply") from None


class _Reader:
    """From the tree of an expression to one function of a row."""

    def __init__(self, text: str, patterns: list[Pattern]) -> None:
        self._text = text
        self._patterns = patterns
        self._depth = 0

    def whole(self, tree: ast.expr | None = None) -> Read:
        tree = tree or _parsed(self._text)
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            return _search(tree.value)
        return self._of(tree)

    def _of(self, node: ast.expr) -> Read:
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is None:
            self._refuse(node, f"{_named(node)} has no place in a condition")
        if self._depth >= DEEPEST:
            self._refuse(node, "this is nested too deeply")
        self._depth += 1
        made: Read = read(node)
        self._depth -= 1
        return made

    def _refuse(self, node: ast.expr, why: str) -> NoReturn:
        column = len(self._text.encode()[: node.col_offset].decode(errors="ignore")) + 1
        raise Unclear(f"where, column {column}: {why}")

    def _constant(self, node: ast.Constant) -> Read:
        value = node.value
        if not isinstance(value, str | int | float | None):
            self._refuse(node, f"{value!r} has no place in a condition")
        return lambda _row: value

    def _name(self, node: ast.Name) -> Read:
        name = node.id
        if name in CONSTANTS:
            return lambda _row: CONSTANTS[name]
        if name not in NAMES:
            self._refuse(node, _unknown(name))
        return lambda row: row.get(name)

    def _attribute(self, node: ast.Attribute) -> Read:
        value, key = self._of(node.value), node.attr
        return lambda row: _item(value(row), key)

    def _subscript(self, node: ast.Subscript) -> Read:
        if isinstance(node.slice, ast.Slice):
            self._refuse(node.slice, "a slice has no place in a condition")
        value, key = self._of(node.value), self._of(node.slice)
        return lambda row: _item(value(row), key(row))

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Read:
        parts = [self._of(part) for part in node.elts]
        return lambda row: tuple(part(row) for part in parts)

    _list = _set = _tuple

    def _boolop(self, node: ast.BoolOp) -> Read:
        parts = [self._of(part) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)

    def _unaryop(self, node: ast.UnaryOp) -> Read:
        value = self._of(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda row: not value(row)
        if not isinstance(node.op, ast.USub):
            self._refuse(node, f"{_named(node.op)} has no place in a condition")
        return lambda row: _calculate(operator.sub, 0, value(row))

    def _binop(self, node: ast.BinOp) -> Read:
        calculate = ARITHMETIC.get(type(node.op))
        if calculate is None:
            self._refuse(node, "of arithmetic there are + - * / // %")
        left, right = self._of(node.left), self._of(node.right)
        return lambda row: _calculate(calculate, left(row), right(row))

    def _compare(self, node: ast.Compare) -> Read:
        self._check_times(node)
        parts = [self._of(part) for part in (node.left, *node.comparators)]
        compares = [COMPARISONS[type(sign)] for sign in node.ops]

        def read(row: Row) -> bool:
            left = parts[0](row)
            for compare, part in zip(compares, parts[1:], strict=True):
                right = part(row)
                if not compare(left, right):
                    return False
                left = right
            return True

        return read

    def _check_times(self, node: ast.Compare) -> None:
        """Say at once that a text is no time, rather than of each row that it does not match."""
        parts = (node.left, *node.comparators)
        if any(isinstance(part, ast.Name) and part.id in TIMES for part in parts):
            for part in parts:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    try:
                        _instant(part.value)
                    except ValueError:
                        self._refuse(part, f"{part.value} is no time such as 2013-01-31T23:59Z")

    def _call(self, node: ast.Call) -> Read:
        if node.keywords:
            self._refuse(node, "nothing here takes a keyword")
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "matches":
            return self._matches(node)
        if name != "len" or len(node.args) != 1:
            self._refuse(node, "of functions there are matches(TEXT, PATTERN) and len(VALUE)")
        value = self._of(node.args[0])
        return lambda row: None if (found := value(row)) is None else len(found)

    def _method(self, node: ast.Call, function: ast.Attribute) -> Read:
        name = function.attr
        if name not in METHODS or len(node.args) != METHODS[name]:
            self._refuse(node, f"of methods there are {METHODS_NAMED}")
        value, arguments = self._of(function.value), [self._of(each) for each in node.args]

        def read(row: Row) -> Any:
            text = value(row)
            if text is None:
                return None
            return getattr(_text(text), name)(*(argument(row) for argument in arguments))

        return read

    def _matches(self, node: ast.Call) -> Read:
        given = node.args[1] if len(node.args) == 2 else None  # noqa: PLR2004  text and pattern
        if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
            self._refuse(node, 'matches wants a text and a pattern, as in matches(body.sku, "^A-")')
        try:
            pattern = Pattern(given.value)
        except Refused as error:
            self._refuse(given, str(error))
        self._patterns.append(pattern)
        text = self._of(node.args[0])
        return lambda row: False if (found := text(row)) is None else pattern.found_in(_text(found))


def _named(node: ast.AST) -> str:
    return UNWANTED.get(type(node).__name__, f"this {type(node).__name__}")


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, sorted(NAMES), n=1)
    meant = f" (did you mean {nearest[0]}?)" if nearest else ""
    return (
        f"no column {name}{meant}; a field of the body is body.{name}, a tag tags.{name}, and text is quoted"
    )


def _item(value: Any, key: Any) -> Any:
    """A part of a value, None where it has none."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list | str | tuple) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, not {type(value).__name__}")
    return value


def _calculate(calculate: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Of numbers alone: text times a number, or a number into a text, may grow without bound."""
    if left is None or right is None:
        return None
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("numbers are wanted")
    return calculate(left, right)


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        return bool(compare(*_alike(left, right)))

    return ordered


def _equal(left: Any, right: Any) -> bool:
    left, right = _alike(left, right)
    return bool(left == right)


def _contains(left: Any, right: Any) -> bool:
    if right is None or (left is None and isinstance(right, str)):
        return False
    return left in right


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as times, if one of them is a time and the other its text."""
    if isinstance(left, datetime) and isinstance(right, str):
        return left, _instant(right)
    if isinstance(right, datetime) and isinstance(left, str):
        return _instant(left), right
    return left, right


@lru_cache(maxsize=64)
def _instant(text: str) -> datetime:
    """A time in ISO 8601; UTC, as the columns are, when it names no zone."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _search(text: str) -> Read:
    wanted = text.casefold()
    return lambda row: any(wanted in found.casefold() for found in _texts(row))


def _texts(row: Row) -> Iterator[str]:
    """All text of a message; the body as it came, and then as it was decoded."""
    yield from (str(row[name]) for name in SEARCHED if row.get(name))
    for key, value in (row.get("tags") or {}).items():
        yield from (key, value)
    yield (row.get("raw") or b"").decode(errors="replace")
    decoded = row.get("body")
    yield decoded if isinstance(decoded, str) else json.dumps(decoded, ensure_ascii=False, default=str)


UNWANTED = {"IfExp": "if", "NamedExpr": ":=", "JoinedStr": "an f-string", "Invert": "~", "UAdd": "a sign +"}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.Eq: _equal,
    ast.NotEq: lambda left, right: not _equal(left, right),
    ast.Is: _equal,
    ast.IsNot: lambda left, right: not _equal(left, right),
    ast.In: _contains,
    ast.NotIn: lambda left, right: not _contains(left, right),
}
METHODS = {"startswith": 1, "endswith": 1, "lower": 0, "upper": 0, "strip": 0}  # and how many arguments
METHODS_NAMED = (
    "startswith(TEXT), endswith(TEXT), lower(), upper() and strip(); `in` tells what a text contains"
)
TIMES = {"timestamp", "expiration_at", "delayed_to"}
