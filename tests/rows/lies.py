"""What a lying proxy does to one message: edits by name, on a field given by its path.

A path goes through `[]` into every element of a repeated field: `Messages[].Attributes.Sequence`.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

TABLE = Path(__file__).with_name("lies.toml")
FLOWS = {"lose", "double", "swap"}


def leaves(message: Message, path: str) -> Iterator[tuple[Message, str]]:
    """Every message that holds the last field of the path, with that field's name."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    if not rest:
        yield message, name
        return
    inner = getattr(message, name)
    for part in inner if head.endswith("[]") else [inner]:
        yield from leaves(part, rest)


def clear(holder: Message, name: str, _value: object) -> None:
    """Take the field away."""
    holder.ClearField(name)


def put(holder: Message, name: str, value: object) -> None:
    """Put something else there, also where nothing was."""
    setattr(holder, name, value.encode() if isinstance(getattr(holder, name), bytes) else value)


def shift(holder: Message, name: str, value: object) -> None:
    """Add to a number; a number that is not set stays so."""
    if getattr(holder, name):
        setattr(holder, name, getattr(holder, name) + value)


def flip(holder: Message, name: str, _value: object) -> None:
    """Turn true to false and back."""
    setattr(holder, name, not getattr(holder, name))


def truncate(holder: Message, name: str, _value: object) -> None:
    """Lose the last byte or letter."""
    setattr(holder, name, getattr(holder, name)[:-1])


def drop(holder: Message, name: str, _value: object) -> None:
    """Lose one entry of a map, the last by key."""
    for key in sorted(getattr(holder, name))[-1:]:
        del getattr(holder, name)[key]


def lose(holder: Message, name: str, _value: object) -> None:
    """Lose the last element."""
    del getattr(holder, name)[-1:]


def double(holder: Message, name: str, _value: object) -> None:
    """Give the first element twice."""
    elements = list(getattr(holder, name))
    holder.ClearField(name)
    getattr(holder, name).extend(elements[:1] + elements)


def swap(holder: Message, name: str, _value: object) -> None:
    """Give the elements in reverse."""
    elements = list(getattr(holder, name))
    holder.ClearField(name)
    getattr(holder, name).extend(reversed(elements))


EDITS: dict[str, Callable[[Message, str, Any], None]] = {
    edit.__name__: edit for edit in (clear, put, shift, flip, truncate, drop, lose, double, swap)
}


@dataclass(frozen=True)
class Lie:
    """One lie: which messages of which method it touches, what it does, and the rows that must fail by it.

    Without a field, `lose`, `double` and `swap` act on the messages of a stream (a unary request is doubled
    by a second call).
    """

    rpc: str
    side: str  # "request" or "response"
    edit: str
    rows: tuple[str, ...]
    field: str = ""
    value: Any = None
    when: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The lie in words."""
        value = "" if self.value is None else f" {self.value!r}"
        when = "".join(f" where {name} is {value!r}" for name, value in (self.when or {}).items())
        return f"{self.rpc} {self.side}: {self.edit} {self.field or 'messages'}{value}{when}"

    @property
    def is_flow(self) -> bool:
        """Whether it loses, doubles or swaps whole messages."""
        return self.edit in FLOWS and not self.field

    def tell(self, message: Message) -> None:
        """Edit one message in place, if it is one that this lie is about."""
        if all(getattr(message, name) == value for name, value in (self.when or {}).items()):
            for holder, name in leaves(message, self.field):
                EDITS[self.edit](holder, name, self.value)


def lies() -> list[Lie]:
    """The committed table."""
    return [
        Lie(**entry | {"rows": tuple(entry["rows"])}) for entry in tomllib.loads(TABLE.read_text())["lie"]
    ]
