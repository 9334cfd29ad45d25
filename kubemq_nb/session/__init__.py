"""What a user calls: one session a connection, with a namespace for each pattern of KubeMQ."""

from kubemq_nb.session.answers import Answers
from kubemq_nb.session.connection import Session, connect
from kubemq_nb.session.dashboard import Dashboard
from kubemq_nb.session.feed import Feed
from kubemq_nb.session.form import SendForm
from kubemq_nb.session.jobs import Job, JobStatus
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
