"""Which view `ui` opens: a dashboard of all channels, or what one channel is looked at with."""

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from kubemq_nb.messages import Kind
from kubemq_nb.session.answers import Answers
from kubemq_nb.session.dashboard import Dashboard
from kubemq_nb.session.feed import Feed
from kubemq_nb.session.form import SendForm
from kubemq_nb.session.queue_browser import QueueBrowser

if TYPE_CHECKING:
    from kubemq_nb.session.connection import Session

Opened = Dashboard | QueueBrowser | Feed | SendForm | Answers
"""What `ui` gives: a model that shows itself."""

_browsers: "WeakValueDictionary[tuple[int, str], QueueBrowser]" = (
    WeakValueDictionary()
)  # by session and queue


def opened(session: "Session", noun: Kind | None, channel: str | None, *, send: bool) -> Opened:
    """What `Session.ui` gives.

    Raises:
        TypeError: A noun without a channel.
    """
    if send:
        return SendForm(session, noun or "queues", channel or "")
    if noun is None:
        return _dashboard(session)
    if channel is None:
        raise TypeError("ui wants a noun and a channel, or neither of them for all channels")
    if noun == "queues":
        return _browser(session, channel)
    if noun in ("events", "events_store"):
        return _feed(session, noun, channel)
    if noun in ("commands", "queries"):
        return _desk(session, noun, channel)
    raise ValueError(f"ui shows queues, events, events_store, commands and queries, not {noun}")


def _dashboard(session: "Session") -> Dashboard:
    """The one that looks already, or a new one: a cell that is run again adds no second thread."""
    jobs: list[object] = list(session.open_jobs())
    running = [job for job in jobs if isinstance(job, Dashboard)]
    return running[0] if running else Dashboard(session)


def _browser(session: "Session", channel: str) -> QueueBrowser:
    """The one that somebody has already, or a new one: what is held stays at hand. It looks now."""
    place = (id(session), channel)
    browser = _browsers.get(place)
    if browser is None or browser.session is not session:
        browser = _browsers[place] = QueueBrowser(session, channel)
    browser.refresh()
    return browser


def _feed(session: "Session", noun: Kind, channel: str) -> Feed:
    pattern = session.events_store if noun == "events_store" else session.events
    feed = pattern.receive(channel, live=True)
    assert isinstance(feed, Feed)
    return feed


def _desk(session: "Session", noun: Kind, channel: str) -> Answers:
    pattern = session.commands if noun == "commands" else session.queries
    desk = pattern.respond(channel, manual=True)
    assert isinstance(desk, Answers)
    return desk
