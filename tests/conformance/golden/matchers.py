"""The comparison: every field of an answer against what was recorded or the matcher that stands for it."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.golden.pairing import pairs
from tests.conformance.golden.schema import is_default
from tests.conformance.golden.templates import TEMPLATES, Variables

SHOWN = 400  # characters of a value that a difference shows
UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}
MISSING = object()

Differences = Iterator[str]


def differences(expected: Any, got: Any, variables: Variables, path: str) -> list[str]:
    """One text for each place where they differ; what the expectation captures is kept."""
    return list(_compare(expected, got, variables, path))


def shown(value: Any) -> str:
    """A value for people: as JSON, without defaults, cut when long."""
    if value is MISSING:
        return "nothing"
    text = json.dumps(_without_defaults(value), ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def _without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_defaults(item) for key, item in value.items() if not is_default(item)}
    return [_without_defaults(item) for item in value] if isinstance(value, list) else value


def _difference(path: str, expected: str, got: str) -> str:
    return f"{path}\n    expected  {expected}\n    got       {got}"


def _compare(expected: Any, got: Any, variables: Variables, path: str) -> Differences:
    operator = operator_of(expected)
    if operator in COMPOSED:
        yield from COMPOSED[operator](expected, got, variables, path)
    elif operator in PREDICATES:
        if not PREDICATES[operator](expected, got, variables):
            yield _difference(path, shown(variables.fill(expected)), _with_clock(expected, got))
    elif isinstance(expected, dict):
        yield from _compare_fields(expected, got, variables, path)
    elif isinstance(expected, list):
        yield from _compare_items(expected, got, variables, path)
    elif not _same(literal := variables.fill(expected), got):
        yield _difference(path, shown(literal), shown(got))


def operator_of(expected: Any) -> str | None:
    """The key that makes a matcher of an object; None for plain values."""
    if not isinstance(expected, dict):
        return None
    return next((key for key in expected if key.startswith("$")), None)


def _same(expected: Any, got: Any) -> bool:
    if is_default(expected) and is_default(got):
        return True
    return expected == got and isinstance(expected, bool) == isinstance(got, bool)


def _with_clock(matcher: dict[str, Any], got: Any) -> str:
    if "$now" not in matcher or not is_number(got):
        return shown(got)
    return f"{shown(got)}, {_seconds_from_now(matcher, got):+.3f} s from now"


def _compare_fields(expected: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    got = {} if got is None else got
    if not isinstance(got, dict):
        yield _difference(path, "an object", shown(got))
        return
    expected = {variables.text(key): value for key, value in expected.items()}
    got = _without_true_digest(expected, got)
    for (
        key,
        value,
    ) in expected.items():  # in written order, because later ones may use what earlier ones capture
        yield from _compare_field(value, got.get(key, MISSING), variables, f"{path}.{key}")
    for key in got.keys() - expected.keys():
        if not is_default(got[key]):
            yield _difference(f"{path}.{key}", "nothing", shown(got[key]))


def _compare_field(expected: Any, got: Any, variables: Variables, path: str) -> Differences:
    if got is not MISSING:
        yield from _compare(expected, got, variables, path)
    elif isinstance(expected, dict | list) or not is_default(expected):
        yield _difference(path, shown(expected), shown(got))


def _compare_items(expected: list[Any], got: Any, variables: Variables, path: str) -> Differences:
    if not isinstance(got, list):
        yield _difference(path, "a list", shown(got))
        return
    if len(expected) != len(got):
        yield _difference(path, f"{len(expected)} items", f"{len(got)}: {shown(got)}")
    for index, (item, there) in enumerate(zip(expected, got, strict=False)):
        yield from _compare(item, there, variables, f"{path}[{index}]")


def _without_true_digest(expected: dict[str, Any], got: dict[str, Any]) -> dict[str, Any]:
    """The recorded server never fills in a message's digest; the true one may be there."""
    attributes, asked = got.get("Attributes"), expected.get("Attributes") or {}
    if not attributes or not attributes.get("MD5OfBody") or "MD5OfBody" in asked:
        return got
    digest = hashlib.md5(base64.b64decode(got["Body"]), usedforsecurity=False).hexdigest()
    if attributes["MD5OfBody"] != digest:
        return got
    return {**got, "Attributes": {**attributes, "MD5OfBody": ""}}


# --- matchers that hold or not


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: is_number(value) and isinstance(value, int),
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, str),  # base64
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: value is None or isinstance(value, dict),
}
LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda got, limit: got > limit,
    "$ge": lambda got, limit: got >= limit,
    "$lt": lambda got, limit: got < limit,
    "$le": lambda got, limit: got <= limit,
}

Predicate = Callable[[dict[str, Any], Any, Variables], bool]


def _limit(operator: str) -> Predicate:
    return lambda matcher, got, variables: (
        is_number(got) and LIMITS[operator](got, variables.fill(matcher[operator]))
    )


def _is_between(matcher: dict[str, Any], got: Any, variables: Variables) -> bool:
    low, high = variables.fill(matcher["$between"])
    return is_number(got) and low <= got <= high


def _is_now(matcher: dict[str, Any], got: Any, _: Variables) -> bool:
    low, high = matcher["$now"]
    return is_number(got) and low <= _seconds_from_now(matcher, got) <= high


def _seconds_from_now(matcher: dict[str, Any], got: float) -> float:
    return got / UNITS[matcher.get("unit", "ns")] - time.time()


def _is_template(matcher: dict[str, Any], got: Any, variables: Variables) -> bool:
    return bool(variables.fill(matcher) == got)


def _fits_regex(matcher: dict[str, Any], got: Any, variables: Variables) -> bool:
    return isinstance(got, str) and re.search(variables.text(matcher["$regex"]), got) is not None


def _contains(matcher: dict[str, Any], got: Any, variables: Variables) -> bool:
    return isinstance(got, str) and variables.text(matcher["$contains"]) in got


PREDICATES: dict[str, Predicate] = {
    "$any": lambda matcher, got, _: TYPES[matcher["$any"]](got),
    "$nonempty": lambda matcher, got, _: TYPES[matcher["$nonempty"]](got) and not is_default(got),
    **{operator: _limit(operator) for operator in LIMITS},
    "$between": _is_between,
    "$now": _is_now,
    "$ref": _is_template,
    "$repeat": _is_template,
    "$repeat_bytes": _is_template,
    "$regex": _fits_regex,
    "$contains": _contains,
}


# --- matchers made of others


def _captured(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    found = differences(matcher["is"], got, variables, path) if "is" in matcher else []
    if not found:
        variables.capture(matcher["$capture"], got)
    yield from found


def _length(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    length = len(got) if isinstance(got, list | str | dict) else None
    yield from _compare(matcher["$len"], length, variables, f"{path}.length")


def _one_of(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    if all(differences(choice, got, variables, path) for choice in matcher["$oneof"]):
        yield _difference(path, f"one of {shown(matcher['$oneof'])}", shown(got))


def _all_of(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    for part in matcher["$all"]:
        yield from _compare(part, got, variables, path)


def _other_than(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    if not differences(matcher["$not"], got, variables, path):
        yield _difference(path, f"other than {shown(variables.fill(matcher['$not']))}", shown(got))


def _in_any_order(matcher: dict[str, Any], got: Any, variables: Variables, path: str) -> Differences:
    if isinstance(got, list):
        yield from set_differences(matcher["$set"], got, variables, path)
    else:
        yield _difference(path, "a list", shown(got))


def set_differences(expected: list[Any], got: list[Any], variables: Variables, path: str) -> Differences:
    """Where two lists differ when their order does not matter."""
    fits = [[not differences(item, there, variables, path) for there in got] for item in expected]
    paired = pairs(fits)
    spare = [there for index, there in enumerate(got) if index not in paired.values()]
    for index, item in enumerate(expected):
        if index not in paired:
            yield _difference(f"{path} (any order)", shown(item), shown(spare) if spare else "nothing more")
    if len(got) > len(expected):
        yield _difference(
            f"{path} (any order)", f"{len(expected)} items", f"{len(got)}, left over: {shown(spare)}"
        )


COMPOSED: dict[str, Callable[[dict[str, Any], Any, Variables, str], Differences]] = {
    "$capture": _captured,
    "$len": _length,
    "$oneof": _one_of,
    "$all": _all_of,
    "$not": _other_than,
    "$set": _in_any_order,
}
OPERATORS = {*PREDICATES, *COMPOSED, *TEMPLATES, "$field"}
COMPANIONS = {"is", "add", "unit", "times"}  # keys that may stand beside an operator
