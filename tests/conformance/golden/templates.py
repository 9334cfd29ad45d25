"""Values that are filled in when a step is carried out: tokens, clock times, what was captured before."""

import base64
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

CAPTURED = re.compile(r"\{\$(\w+)\}")


class Mismatch(Exception):
    """What the server did is not what was recorded; `differences` has one line or more for each."""

    def __init__(self, sentence: str, differences: list[str] | None = None) -> None:
        super().__init__(sentence)
        self.differences = differences or []

    def lines(self) -> list[str]:
        """What happened where, for people; the innermost step comes first."""
        return [*getattr(self, "__notes__", []), f"  {self}", *self.differences]


class Variables:
    """What one conversation knows: its token, in every name it uses, and the values it captured."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._captured: dict[str, Any] = {}

    def capture(self, name: str, value: Any) -> None:
        self._captured[name] = value

    def captured(self, name: str) -> Any:
        if name not in self._captured:
            raise Mismatch(f"nothing was captured as {name}")
        return self._captured[name]

    def text(self, text: str) -> str:
        """A text with its token and its captured values."""
        filled = text.replace("{run}", self._token)
        return CAPTURED.sub(lambda found: str(self.captured(found[1])), filled)

    def fill(self, template: Any, source: Mapping[str, Any] | None = None) -> Any:
        """A value with everything filled in; `source` has the fields that `$field` names."""
        if isinstance(template, str):
            return self.text(template)
        if isinstance(template, list):
            return [self.fill(item, source) for item in template]
        if not isinstance(template, dict):
            return template
        if "$field" in template:
            return (source or {})[template["$field"]]
        for key, make in TEMPLATES.items():
            if key in template:
                return make(self, template[key], template)
        return {self.text(key): self.fill(value, source) for key, value in template.items()}

    def reference(self, name: str, template: Mapping[str, Any]) -> Any:
        return self.captured(name) + template["add"] if "add" in template else self.captured(name)


# What a template's key makes of its argument and of the rest of the template.
TEMPLATES: dict[str, Callable[[Variables, Any, Mapping[str, Any]], Any]] = {
    "$ref": Variables.reference,
    "$now_ns": lambda _, seconds, __: int((time.time() + seconds) * 1e9),
    "$now_s": lambda _, seconds, __: int(time.time() + seconds),
    "$repeat": lambda _, text, rest: text * rest["times"],
    "$repeat_bytes": lambda _, coded, rest: base64.b64encode(
        base64.b64decode(coded) * rest["times"]
    ).decode(),
}
