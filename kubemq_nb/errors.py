"""Every error this package raises about a broker.

    KubeMQError
    ├── BrokerUnavailable        nothing answers at the address; nothing was sent (also ConnectionError)
    ├── OutcomeUnknown           the answer never came: the broker may or may not have done it
    ├── DeadlineExceeded         no answer in time, and waiting again is harmless (also TimeoutError)
    ├── AuthenticationFailed     the broker wants a token, or another one
    ├── RequestRejected          refused, by this package before sending or by the broker; nothing was done,
    │   │                        unless the message says what
    │   ├── InvalidChannel       (also ValueError)
    │   └── InvalidMessage       (also ValueError)
    ├── NotSupported             this server does not offer that
    ├── ConfirmationRequired     it would destroy data, and nobody said yes
    ├── TransactionClosed        settled twice, visibility ran out, or the stream is gone
    ├── SubscriptionLost         a stream ended that should go on
    ├── SessionClosed            the session was closed before
    └── BrokerStartError         the embedded broker did not start (.log_tail)

Wrong arguments that no broker needs to see are plain TypeError or ValueError.

IPython shows of them the lines of the user's own code that led there, and one sentence.
"""

import linecache
import traceback
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from kubemq_nb.visible import clean

if TYPE_CHECKING:
    from kubemq_nb.messages import SendResult


def told_of(error: BaseException) -> str:
    """An error in one line, with what was noted of it."""
    notes = [f"({note})" for note in getattr(error, "__notes__", ())]
    return clean(" ".join([*str(error).splitlines(), *notes]))


def _own_lines(origin: TracebackType | None) -> Iterator[str]:
    """The lines of the user's code on the way to an error, outermost first."""
    for frame, number in traceback.walk_tb(origin):
        module, function = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module.partition(".")[0] in ("kubemq_nb", "IPython"):
            continue
        where = "" if module == "__main__" else f"{module}, "
        within = "" if function == "<module>" else f" in {function}"
        line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        yield f"{where}line {number}{within}: {line}"


class KubeMQError(Exception):
    """Base of all errors about a broker; the message says what failed, on what, and what to do now.

    Attributes:
        channel: The channel concerned, or None.
        number: KubeMQ's own number ("Error 129: ...") or None (docs/protocol.md, error catalogue).
        reason: The broker's own text, verbatim, or "".
        whole_traceback: Whether IPython shows all of it, of every such error: `%kubemq config traceback on`.
    """

    whole_traceback: ClassVar[bool] = False

    def __init__(
        self, message: str, *, channel: str | None = None, number: int | None = None, reason: str = ""
    ) -> None:
        super().__init__(clean(message))  # it may quote a server
        self.channel = channel
        self.number = number
        self.reason = reason

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback through this package."""
        if KubeMQError.whole_traceback:
            return traceback.format_exception(self)
        return [*_own_lines(self.__traceback__), f"{type(self).__name__}: {told_of(self)}"]


class BrokerUnavailable(KubeMQError, ConnectionError):
    """Nothing answers at `address`; nothing was sent."""

    def __init__(self, message: str, *, address: str = "", channel: str | None = None) -> None:
        super().__init__(message, channel=channel)
        self.address = address


class OutcomeUnknown(KubeMQError):
    """The request left, its answer never came: look (`peek`, by id) before sending again.

    Attributes:
        results: Of a batch that broke off, what the broker said of its first messages, in order.
    """

    def __init__(
        self,
        message: str,
        *,
        results: "Sequence[SendResult]" = (),
        channel: str | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, channel=channel, reason=reason)
        self.results = tuple(results)


class DeadlineExceeded(KubeMQError, TimeoutError):
    """No answer within `timeout` seconds."""

    def __init__(
        self,
        message: str,
        *,
        timeout: float,
        channel: str | None = None,
        number: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, channel=channel, number=number, reason=reason)
        self.timeout = timeout


class AuthenticationFailed(KubeMQError):
    """The broker refuses the token, or wants one."""


class RequestRejected(KubeMQError):
    """Refused, by the broker (`reason` is its text) or before sending; nothing was done."""


class InvalidChannel(RequestRejected, ValueError):
    """A channel name that KubeMQ refuses, or that would harm a server."""


class InvalidMessage(RequestRejected, ValueError):
    """A message or policy that KubeMQ refuses."""


class NotSupported(KubeMQError):
    """This server does not offer that (docs/compatibility.md)."""


class ConfirmationRequired(KubeMQError):
    """The call would destroy data and was not confirmed."""


class TransactionClosed(KubeMQError):
    """The transaction is over: settled, given back, out of visibility time, or its stream is gone.

    Attributes:
        sequences: Sequences of the messages that the call was about.
    """

    def __init__(
        self,
        message: str,
        *,
        sequences: Sequence[int] = (),
        channel: str | None = None,
        number: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, channel=channel, number=number, reason=reason)
        self.sequences = tuple(sequences)


class SubscriptionLost(KubeMQError):
    """A subscription's stream ended although nobody stopped it."""


class SessionClosed(KubeMQError):
    """The session was closed; connect again."""


class BrokerStartError(KubeMQError):
    """The embedded broker did not start, or refuses its store.

    Attributes:
        log_tail: The last lines of the broker's log.
    """

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail
