"""The scenarios as data: read, and refused when they hold a word that the runner does not know."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.golden.matchers import COMPANIONS, OPERATORS

HERE = Path(__file__).parent
Step = dict[str, Any]

# The kinds of steps, by the key that makes them, and what else they may hold. A "start" holds a "call" too,
# therefore it comes first.
KINDS = {
    "start": {"call", "request", "client", "settle", "deadline"},
    "call": {"request", "client", "deadline", "expect", "error", "took"},
    "finish": {"within", "expect", "error", "took"},
    "open": {"rpc", "request", "client", "settle", "auto_reply"},
    "send": {"message"},
    "recv": {"messages", "within", "order", "per_stream", "took"},
    "silence": {"for", "may_end"},
    "end": {"within", "status", "may_send"},
    "half_close": set(),
    "cancel": {"settle"},
    "disconnect": {"settle"},
    "sleep": set(),
    "parallel": set(),
    "restart": set(),
}


@dataclass(frozen=True)
class Scenario:
    """One conversation."""

    name: str
    about: str
    pattern: str
    recorded_from: str  # or the page that it follows from
    steps: list[Step]
    quirk: str = ""  # why another good server may do otherwise
    restart: bool = False
    linger: float = 0.3  # seconds at the end in which nothing unexpected may come

    @property
    def before_restart(self) -> list[Step]:
        """The steps before the server is restarted."""
        return self.steps[: self._restart_step]

    @property
    def after_restart(self) -> list[Step]:
        """The steps after it."""
        return self.steps[self._restart_step + 1 :]

    @property
    def _restart_step(self) -> int:
        return next(index for index, step in enumerate(self.steps) if "restart" in step)


def scenarios() -> list[Scenario]:
    """Those that talk to one server from beginning to end."""
    return _read(HERE / "scenarios")


def restart_scenarios() -> list[Scenario]:
    """Those that go on after the server's restart."""
    return _read(HERE / "restart")


def instead_scenarios() -> list[Scenario]:
    """What the embedded broker does where it departs from the recorded server."""
    return _read(HERE / "instead")


def stated_scenarios() -> list[Scenario]:
    """What docs/protocol.md says of a server, where no recorded conversation shows it."""
    return _read(HERE / "stated")


def stated_restart_scenarios() -> list[Scenario]:
    """The same, around the server's restart."""
    return _read(HERE / "stated_restart")


def _read(folder: Path) -> list[Scenario]:
    return [parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def parse(text: str) -> Scenario:
    """A scenario from its JSON.

    Raises:
        ValueError: It holds a word that means nothing.
    """
    try:
        scenario = Scenario(**json.loads(text))
    except TypeError as error:
        raise ValueError(f"not a scenario: {error}") from error
    for problem in _problems(scenario):
        raise ValueError(f"{scenario.name}: {problem}")
    return scenario


def kind_of(step: Step) -> str:
    """The key that says what a step does."""
    return next(kind for kind in KINDS if kind in step)


def described(step: Step) -> str:
    """A step in a few words."""
    kind = kind_of(step)
    object = "" if kind == "parallel" else step[kind]
    words = [kind, object, step.get("rpc", ""), step["call"] if kind == "start" else "", step.get("note", "")]
    return " ".join(str(word) for word in words if word)


def _problems(scenario: Scenario) -> Iterator[str]:
    yield from _unknown_step_words(scenario.steps)
    yield from _unknown_operators(scenario.steps)
    if sum("restart" in step for step in scenario.steps) != scenario.restart:
        yield "a scenario marked as one with a restart has one, at its top level"


def _unknown_step_words(steps: list[Step]) -> Iterator[str]:
    for index, step in enumerate(steps):
        kind = next((kind for kind in KINDS if kind in step), None)
        if kind is None:
            yield f"step {index} is of no known kind: {sorted(step)}"
        elif unknown := set(step) - KINDS[kind] - {kind, "note"}:
            yield f"step {index} ({kind}) holds unknown words: {sorted(unknown)}"
        elif kind == "parallel":
            for branch in step["parallel"]:
                yield from _unknown_step_words(branch["steps"])


def _unknown_operators(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unknown_operators(item)
    if not isinstance(value, dict):
        return
    operators = [key for key in value if key.startswith("$")]
    if operators and (
        operators[1:] or operators[0] not in OPERATORS or set(value) - COMPANIONS - set(operators)
    ):
        yield f"no such matcher or template: {value}"
    for item in value.values():
        yield from _unknown_operators(item)
