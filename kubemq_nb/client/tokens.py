"""The token that calls show, and where a newer one is found."""

from collections.abc import Callable
from contextlib import suppress

Metadata = tuple[tuple[str, str], ...]


class Secret(str):
    """A text that tracebacks with local variables, and whatever else asks for a repr, do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class Token:
    """A token that may change while it is used; read again only when a broker refuses it.

    Args:
        read: Gives the token of now, "" or None for none; raises ValueError or OSError when it cannot.
        place: Where it is found, such as the path of a file.

    Raises:
        ValueError: It holds what no header can carry. Whatever `read` raises comes through.
    """

    def __init__(self, read: Callable[[], str | None], place: str = "") -> None:
        self._read = read
        self.place = place
        self.metadata = _metadata(read())

    def __bool__(self) -> bool:
        return bool(self.metadata)

    @property
    def words(self) -> str:
        """How errors name it; "" when there is none."""
        return f"the token of {self.place}" if self and self.place else "the token" if self else ""

    def changed(self) -> bool:
        """Whether another one is there by now."""
        return self._now() != self.metadata

    def renewed(self, refused: Metadata) -> bool:
        """Read it again, unless another thread has since these were refused; whether others are there now."""
        if self.metadata == refused:
            self.metadata = self._now()
        return self.metadata != refused

    def _now(self) -> Metadata:
        with suppress(OSError, ValueError):
            return _metadata(self._read()) or self.metadata
        return self.metadata


def _metadata(token: str | None) -> Metadata:
    if not token:
        return ()
    if not (token.isascii() and token.isprintable()):
        raise ValueError("The token holds characters that no header can carry (line breaks, or not ASCII).")
    return (("authorization", Secret(token)),)
