"""The auto-answer of a desk as its view shows it: a mode, and what stands in the fields of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemq_nb.render import size
from kubemq_nb.session import entries
from kubemq_nb.session.automatic import Auto, Mode
from kubemq_nb.session.draft import Draft
from kubemq_nb.session.entries import Field, WrongEntry

_AFTER = Field("after", "seconds", None, required=False)
_OFF = "Requests wait for you."
_EMPTY = "Empty: commands are executed, but a query needs a body or metadata."
_NAMES = {"body": "fixed", "error": "reason", "after": "after"}  # of parameters: their fields


class AutoForm:
    """What would answer by itself, as typed.

    Attributes:
        mode: The one that is chosen, also while it is off.
    """

    def __init__(self) -> None:
        self.mode: Mode = "echo"
        self._draft = Draft(body_as="text")
        self._long = b""  # a body from Python that is too long to be edited
        self._after = ""
        self._known: Auto | None = None

    def follow(self, auto: Auto | None) -> None:
        """Show what a call chose."""
        if auto is None or auto is self._known:
            return
        self._known = auto
        self.mode = auto.mode
        self._after = entries.entry_of(auto.after) if auto.after else ""
        if given := auto.response:
            body, body_as = entries.entry_of_body(given.body)
            self._long = given.body if body_as == "bytes" else b""
            self._draft = Draft(
                body=body,
                body_as="text" if body_as == "bytes" else body_as,
                metadata=given.metadata,
                tags=list(given.tags.items()),
                error=given.error,
            )

    def enter(self, fields: Mapping[str, Any]) -> None:
        """Take what was typed."""
        if "fixed" in fields:
            self._draft.body, self._draft.body_as, self._long = str(fields["fixed"]), "text", b""
        self._draft.error = str(fields.get("reason", self._draft.error))
        self._after = str(fields.get("after", self._after))

    def keep(self, typed: Draft) -> None:
        """Take over an answer by hand."""
        self.mode = "fixed" if typed.executed else "error"
        self._draft, self._long = replace(typed, tags=list(typed.tags)), b""

    def arguments(self) -> dict[str, Any]:
        """What `Answers.auto` is called with.

        Raises:
            WrongEntry: A field cannot be read.
        """
        given: dict[str, Any] = {}
        if self.mode == "fixed":
            given = {**replace(self._draft, executed=True).arguments()}
            given = {"body": self._long or "", **given}  # empty on purpose, where nothing was typed
        elif self.mode == "error":
            given = {"error": self._draft.error.strip()}
        if self._after.strip():
            given["after"] = entries.value(_AFTER, self._after.strip())
        return {"mode": self.mode, **{name: each for name, each in given.items() if each or name == "body"}}

    def state(self, auto: Auto | None) -> dict[str, object]:
        """All of it as the browser shows it."""
        mistakes = self._mistakes()
        return {
            "on": auto is not None,
            "mode": self.mode,
            "fixed": self._draft.body,
            "reason": self._draft.error,
            "after": self._after,
            "mistakes": mistakes,
            "hint": self._hint(auto) if not mistakes else "",
        }

    def _mistakes(self) -> dict[str, str]:
        try:
            self.arguments()
        except WrongEntry as wrong:
            text = str(wrong)
            return {_NAMES.get(wrong.field, "fixed"): f"{text[:1].upper()}{text[1:].removesuffix('.')}."}
        return {}

    def _hint(self, auto: Auto | None) -> str:
        if auto is None:
            return _OFF
        if self.mode != "fixed":
            return ""
        if self._long:
            return f"A body of {size(len(self._long))} that a call has set; too long to be edited."
        beside = ", ".join(
            [*(["metadata"] if self._draft.metadata else []), *(["tags"] if self._draft.tags else [])]
        )
        if not self._draft.body.strip() and not self._draft.metadata:
            return _EMPTY
        return f"With its {beside}." if beside else ""
