"""An answer as a person types it: text in fields, and the call that it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kubemq_nb import frames
from kubemq_nb.messages import Request, encode_body
from kubemq_nb.session import entries
from kubemq_nb.session.entries import BodyAs, WrongEntry

ENOUGH = 65_536  # bytes of a request that are looked at to see whether it is JSON


@dataclass(slots=True)
class Draft:
    """What stands in the fields of an answer, and how it is meant.

    Attributes:
        executed: Whether it replies; else it refuses.
        body: Text of the body of a reply.
        body_as: How it is meant.
        metadata: Text beside it.
        error: The reason of a refusal.
        tags: Names and values, as typed.
    """

    executed: bool = True
    body: str = ""
    body_as: BodyAs = "json"
    metadata: str = ""
    error: str = ""
    tags: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def to(cls, request: Request) -> Self:
        """An empty one: who asked in JSON is answered in JSON, else in text."""
        asked = frames.decode(request.body) if len(request.body) <= ENOUGH else None
        return cls(body_as="json" if isinstance(asked, dict | list) else "text")

    @property
    def touched(self) -> bool:
        """Whether somebody has typed anything."""
        return bool(self.body or self.metadata or self.error or self.tags)

    @property
    def verb(self) -> str:
        """The method of `Answers` that it means."""
        return "reply" if self.executed else "refuse"

    def enter(self, fields: Mapping[str, Any]) -> None:
        """Put text into fields, as if typed; names that are none are left alone."""
        for name in ("body", "metadata", "error", "body_as"):
            if name in fields:
                setattr(self, name, str(fields[name]))
        if "executed" in fields:
            self.executed = fields["executed"] == "yes"
        if "tags" in fields:
            self.tags = [(str(name), str(text)) for name, text in fields["tags"]]

    def content(self) -> str | bytes:
        """The body of a reply, "" for none.

        Raises:
            WrongEntry: It cannot be read.
        """
        return entries.body_of(self.body, self.body_as) if self.body.strip() else ""

    @property
    def raw(self) -> bytes | None:
        """The same as bytes; None when it cannot be read."""
        try:
            return encode_body(self.content())
        except WrongEntry:
            return None

    def arguments(self) -> dict[str, Any]:
        """What `reply` or `refuse` is called with, beside the request.

        Raises:
            WrongEntry: A field cannot be read.
        """
        said: dict[str, Any] = {"body": self.content()} if self.executed else {"error": self.error.strip()}
        said |= {"metadata": self.metadata, "tags": entries.tags_of(self.tags)}
        return {name: given for name, given in said.items() if given}

    def mistakes(self) -> dict[str, str]:
        """Why fields cannot be read, by name; empty when all can."""
        try:
            self.arguments()
        except WrongEntry as wrong:
            return {wrong.field: str(wrong)}
        return {}
