"""Sessions that only look: what sends, takes or destroys is refused before anything happens.

So is a read that others would notice: a member of a group takes events from the other members, and a client
id of one's own moves the position that an events store remembers for it.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from kubemq_nb.session.link import Link

P = ParamSpec("P")
R = TypeVar("R")

NOTICED = {
    "group": "it would take events from the other members of the group",
    "client_id": "it would move the position that the broker remembers for this client id",
}
"""What a read does to others when this argument is given."""


class Verbs(Protocol):
    """Whatever acts through a link."""

    _link: Link


S = TypeVar("S", bound=Verbs)
Method = Callable[Concatenate[S, P], R]


def changes(method: Method[S, P, R]) -> Method[S, P, R]:
    """Mark a method that sends, takes or destroys: a read-only session refuses it."""

    @wraps(method)
    def checked(self: S, /, *args: P.args, **options: P.kwargs) -> R:
        self._link.check_may_change(_verb(method))
        return method(self, *args, **options)

    return checked


def changes_with(*noticed: str) -> Callable[[Method[S, P, R]], Method[S, P, R]]:
    """Mark a read that others notice when one of these keywords is given; a read-only session refuses it."""

    def mark(method: Method[S, P, R]) -> Method[S, P, R]:
        @wraps(method)
        def checked(self: S, /, *args: P.args, **options: P.kwargs) -> R:
            if told := _given(noticed, options):
                self._link.check_may_look(_verb(method), told, NOTICED[told])
            return method(self, *args, **options)

        return checked

    return mark


def _given(names: tuple[str, ...], options: Mapping[str, Any]) -> str:
    return next((name for name in names if options.get(name)), "")


def _verb(method: Callable[..., object]) -> str:
    return method.__qualname__.partition(".")[2]
