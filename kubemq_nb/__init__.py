"""Explore the KubeMQ message broker from Jupyter and IPython.

    import kubemq_nb
    kq = kubemq_nb.connect()            # or connect("host:50000")
    kq.queues.send("orders", {"n": 1})
    kq.queues.receive("orders")         # a DataFrame

In a notebook `%load_ext kubemq_nb` adds `%kubemq` and `%%kubemq`, which call these methods.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kubemq_nb.errors import (
        AuthenticationFailed,
        BrokerStartError,
        BrokerUnavailable,
        ConfirmationRequired,
        DeadlineExceeded,
        InvalidChannel,
        InvalidMessage,
        KubeMQError,
        NotSupported,
        OutcomeUnknown,
        RequestRejected,
        SessionClosed,
        SubscriptionLost,
        TransactionClosed,
    )
    from kubemq_nb.messages import (
        Event,
        QueueMessage,
        Request,
        Response,
        SendResult,
        ServerInfo,
        Settlement,
        StartPosition,
    )
    from kubemq_nb.session import Answers, Feed, JobStatus, Responder, SendForm, Session, Transaction, connect

__version__ = "0.1.0"

__all__ = [
    "Answers",
    "AuthenticationFailed",
    "BrokerStartError",
    "BrokerUnavailable",
    "ConfirmationRequired",
    "DeadlineExceeded",
    "Event",
    "Feed",
    "InvalidChannel",
    "InvalidMessage",
    "JobStatus",
    "KubeMQError",
    "NotSupported",
    "OutcomeUnknown",
    "QueueMessage",
    "Request",
    "RequestRejected",
    "Responder",
    "Response",
    "SendForm",
    "SendResult",
    "ServerInfo",
    "Session",
    "SessionClosed",
    "Settlement",
    "StartPosition",
    "SubscriptionLost",
    "Transaction",
    "TransactionClosed",
    "connect",
]


def __getattr__(name: str) -> Any:
    """Find a public name where it lives, when it is first used: importing the package loads nothing else."""
    if name in __all__:
        for module in ("errors", "messages", "session"):
            home = import_module(f"{__name__}.{module}")
            if hasattr(home, name):
                globals()[name] = getattr(home, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What there is, including what was not loaded yet."""
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Add `%kubemq` and `%%kubemq`; called by `%load_ext kubemq_nb`."""
    import_module("kubemq_nb.magics").load_ipython_extension(shell)
    import_module("kubemq_nb.frames").load_ahead()  # two imports side by side only wait for each other's lock


def unload_ipython_extension(shell: "InteractiveShell") -> None:
    """Take the magics away again and close the sessions; called by `%unload_ext kubemq_nb`."""
    import_module("kubemq_nb.magics").unload_ipython_extension(shell)
