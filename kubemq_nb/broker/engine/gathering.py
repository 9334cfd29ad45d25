"""Small sends of several clients, stored together, as they share what a plan and its commit cost then."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

from kubemq_nb.broker.engine.clock import SECOND, Alarm
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Fields, Sent

QUIET = SECOND // 500  # in which no other send came: then those that wait are stored
MOST = 512  # requests stored together
SMALL = 64 * 1024  # bytes of a request; what is larger costs more than it would share

Reply = Callable[[list[Sent]], None]


class Gathering:
    """Lets a send wait for those that were under way when the last was answered: who is answered sends again.

    Who is alone never waits, and who is with others not longer than until nobody comes any more. Requests are
    stored in the order in which they came, and those that are stored together fail together.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._waiting: list[tuple[Callable[[], Sequence[Fields]], Reply]] = []
        self._seen = 0  # of them, when the alarm was set
        self._alarm: Alarm | None = None
        self._under_way = 0  # requests that were given to the store and are not answered
        self._expected = 1  # requests that are stored together

    def send(self, size: int, read: Callable[[], Sequence[Fields]], reply: Reply) -> None:
        """Store the messages of a request and answer with one result for each, in order.

        Args:
            size: The bytes of the request.
            read: Gives its messages; must not raise. To read many together takes a third of their time, as
                nothing else is done in between.
            reply: Called with the results.
        """
        if size > SMALL:
            self._store()
            self._queues.send(read(), reply)
            return
        self._waiting.append((read, reply))
        if len(self._waiting) >= self._expected:
            self._store()
        elif self._alarm is None:
            self._watch()

    def _watch(self) -> None:
        self._seen = len(self._waiting)
        clock = self._queues.clock
        self._alarm = clock.wake_at(clock.now() + QUIET, self._look)

    def _look(self) -> None:
        if len(self._waiting) > self._seen:
            self._watch()
        else:
            self._store()

    def _store(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        together = [(read(), reply) for read, reply in self._waiting]
        if together:
            self._waiting = []
            self._under_way += len(together)
            drafts = chain.from_iterable(drafts for drafts, _ in together)
            self._queues.send(drafts, partial(self._stored, together))

    def _stored(self, together: Sequence[tuple[Sequence[Fields], Reply]], results: list[Sent]) -> None:
        self._expected = min(MOST, self._under_way + len(self._waiting))
        self._under_way -= len(together)
        start = 0
        for drafts, reply in together:
            stop = start + len(drafts)
            reply(results[start:stop])
            start = stop
