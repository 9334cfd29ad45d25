"""What a user calls: one session a connection, with a namespace for each pattern of KubeMQ."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubemq_nb.session.answers import Answers
    from kubemq_nb.session.connection import Session, connect
    from kubemq_nb.session.dashboard import Dashboard
    from kubemq_nb.session.feed import Feed
    from kubemq_nb.session.form import SendForm
    from kubemq_nb.session.job_status import JobStatus
    from kubemq_nb.session.jobs import Job
    from kubemq_nb.session.queue_browser import QueueBrowser
    from kubemq_nb.session.responders import Responder
    from kubemq_nb.session.scrub import Scrubber
    from kubemq_nb.session.transactions import Transaction

__all__ = [
    "Answers",
    "Dashboard",
    "Feed",
    "Job",
    "JobStatus",
    "QueueBrowser",
    "Responder",
    "Scrubber",
    "SendForm",
    "Session",
    "Transaction",
    "connect",
]

_HOMES = {
    "Answers": "answers",
    "Dashboard": "dashboard",
    "Feed": "feed",
    "Job": "jobs",
    "JobStatus": "job_status",
    "QueueBrowser": "queue_browser",
    "Responder": "responders",
    "Scrubber": "scrub",
    "SendForm": "form",
    "Session": "connection",
    "Transaction": "transactions",
    "connect": "connection",
}


def __getattr__(name: str) -> Any:
    """Find what somebody asks for where it lives: a first read needs few of these."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return globals()[name]
