"""Sessions that only look: what sends, takes or destroys is refused before anything happens."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from kubemq_nb.session.link import Link

P = ParamSpec("P")
R = TypeVar("R")


class Verbs(Protocol):
    """Whatever acts through a link."""

    _link: Link


S = TypeVar("S", bound=Verbs)


def changes(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Mark a method that sends, takes or destroys: a read-only session refuses it."""

    @wraps(method)
    def checked(self: S, /, *args: P.args, **options: P.kwargs) -> R:
        self._link.check_may_change(method.__qualname__.partition(".")[2])
        return method(self, *args, **options)

    return checked
