"""An engine without sockets, disk or time: a clock that tests move, and a store that commits when told."""

import hashlib
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from kubemq_nb.broker.engine.channels import Channels
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.delivery import AckAll, Peek, Receive
from kubemq_nb.broker.engine.events import Events, Outgoing
from kubemq_nb.broker.engine.events_store import EventsStore, Start
from kubemq_nb.broker.engine.plan import Plan
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.requests import Requests
from kubemq_nb.broker.engine.sending import Draft
from tests.memory_store import MemoryStore

BEGIN = 1_000_000 * SECOND


class Alarm:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Time stands still until `advance` moves it."""

    def __init__(self) -> None:
        self._now = BEGIN
        self._alarms: list[tuple[int, int, Alarm, Callable[[], None]]] = []
        self._numbers = count()

    def now(self) -> int:
        return self._now

    def wake_at(self, when: int, call: Callable[[], None]) -> Alarm:
        alarm = Alarm()
        heappush(self._alarms, (max(when, self._now), next(self._numbers), alarm, call))
        return alarm

    wake_beside = wake_at

    def advance(self, seconds: float) -> None:
        """Let this much time pass, making every call that falls due on the way."""
        until = self._now + round(seconds * SECOND)
        while self._alarms and self._alarms[0][0] <= until:
            self._now, _, alarm, call = heappop(self._alarms)
            if not alarm.cancelled:
                call()
        self._now = until

    def jump(self, seconds: float) -> None:
        """Set the clock, as a machine does that slept: what is to be called later is still as far away."""
        self._now += round(seconds * SECOND)
        self._alarms = [(when + round(seconds * SECOND), *rest) for when, *rest in self._alarms]


class Commits:
    """Carries plans out at once, or when a test lets it; can be made to fail."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.held_back: list[Plan] | None = None
        self.failing = ""
        self.failing_late = ""  # carried out, and told as failed all the same

    def __call__(self, plan: Plan) -> None:
        if self.held_back is not None:
            self.held_back.append(plan)
        elif self.failing:
            plan.failed(self.failing)
        elif self.failing_late:
            self.store.apply([plan.operations])
            plan.failed(self.failing_late)
        else:
            plan.done(self.store.apply([plan.operations])[0])

    def hold_back(self) -> None:
        self.held_back = []

    def step(self) -> None:
        """Carry out what was held back, and hold back what follows from it."""
        plans, self.held_back = self.held_back or [], []
        for plan in plans:
            plan.done(self.store.apply([plan.operations])[0])

    def let_go(self) -> None:
        plans, self.held_back = self.held_back or [], None
        for plan in plans:
            self(plan)


class Engine:
    """Everything that a broker has between its handlers and its store."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = FakeClock()
        self.commits = Commits(store or MemoryStore())
        content = self.commits.store.load()
        new_channel = count(max((channel.id for channel in content.channels), default=0) + 1).__next__
        self.queues = Queues(self.clock, self.commits, new_channel)
        self.events = Events(self.clock)
        self.events_store = EventsStore(self.clock, self.commits, new_channel, lambda at, n: f"#{n}".encode())
        inboxes = count(1)
        self.requests = Requests(self.clock, lambda: f"inbox-{next(inboxes)}")
        self.channels = Channels(
            self.clock,
            self.commits,
            new_channel,
            queues=self.queues,
            events=self.events,
            events_store=self.events_store,
            requests=self.requests,
        )
        self.channels.restore(content)
        self.queues.restore(content)
        self.events_store.restore(content)
        self.content = content

    def restarted(self) -> "Engine":
        """Another engine on the same store, as after a crash."""
        return Engine(self.commits.store)

    # Channels

    def delete(self, kind, channel):
        """Delete a channel; the answer once it is given."""
        answers = []
        self.channels.delete(kind, channel, answers.append)
        return answers

    def listed(self, kind):
        """The names of the channels of a kind."""
        return [figures.name for figures in self.channels.matching(kind, "")]

    # Queues

    def send(self, channel, *ids, **policy):
        """Send messages; their results."""
        answers = []
        self.queues.send([draft(channel, id, **policy) for id in ids], answers.extend)
        return answers

    def receive(self, channel, limit=1, *, wait=1.0):
        """A receive under way, whose `ids` come when it answers."""
        return Reading(self, Receive, channel, limit, wait)

    def peek(self, channel, limit=1024, *, wait=1.0):
        return Reading(self, Peek, channel, limit, wait)

    def there(self, channel):
        """The ids in a queue that anybody could take, in order."""
        reading = self.peek(channel, wait=0)
        self.clock.advance(0)
        return reading.ids

    def ack_all(self, channel, *, wait=1.0):
        answers = []
        until = self.clock.now() + round(wait * SECOND)
        AckAll(self.queues, self.queues.get(channel), until, lambda n, error: answers.append(error or n))
        return answers

    # Events store

    def store_event(self, channel, id):
        answers = []
        self.events_store.send(Outgoing(id, "sender", channel, False, True, id.encode()), answers.append)
        return answers

    def store_events(self, *placed):
        """Store events, each with its channel, together; an answer each."""
        answers = []
        events = [Outgoing(id, "sender", channel, False, True, id.encode()) for channel, id in placed]
        self.events_store.send_many(events, answers.extend)
        return answers

    def read(self, channel, client_id="reader", *, group="", type=2, value=0):
        """A reader that has taken nothing yet."""
        return self.events_store.subscribe(Start(client_id, channel, group, type, value), lambda: None)


class Reading:
    """One receive or peek, and what came of it."""

    def __init__(self, engine, kind, channel, limit, wait):
        self.messages = None
        self.expired = None
        self.error = None
        queue = engine.queues.get(channel)
        until = engine.clock.now() + round(wait * SECOND)
        self._under_way = kind(engine.queues, queue, limit, until, self._reply)

    def _reply(self, messages, expired, error):
        assert self.messages is None, "answered twice"
        self.messages, self.expired, self.error = messages, expired, error

    def cancel(self):
        self._under_way.cancel()

    def confirm(self):
        self._under_way.confirm()

    @property
    def ids(self):
        return None if self.messages is None else [message.content.decode() for message in self.messages]


def draft(channel, id, **policy):
    """A message whose content is its id."""
    return Draft(id, "sender", channel, False, id.encode(), hashlib.md5(id.encode()).digest(), **policy)


def walked(walk, steps):
    """Take so many steps of a random walk; what fails tells those before it."""
    for _ in range(steps):
        try:
            walk.step()
        except AssertionError as error:
            raise AssertionError("\n".join(["last steps:", *walk.steps[-40:], str(error)])) from error


def drain(reader):
    """All that a reader can take now, each written before the next is taken."""
    taken = []
    while True:
        page = reader.take()
        if not page:  # a page may have been read meanwhile
            page = reader.take()
        if not page:
            return taken
        for content in page:
            taken.append(content.decode())
            reader.written()


def taken(subscription):
    """All that waits for a listener or responder."""
    return list(iter(subscription.take, None))
