"""Small sends of several clients, stored together, as they share what a plan and its commit cost then."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

from kubemq_nb.broker.engine.clock import SECOND, Alarm
from kubemq_nb.broker.engine.queues import Queues
from kubemq_nb.broker.engine.sending import Fields, Sent

QUIET = SECOND // 500  # in which no other send came: then those that wait are stored
EACH = SECOND // 2500  # for which one waits at most, for each that is expected: senders who wait come sooner
MOST = 512  # requests stored together
MOST_BYTES = 2**20  # of them: the engine does nothing else while it reads them
SMALL = 64 * 1024  # bytes of a request; what is larger costs more than it would share

FAILED = "the broker failed to store it; see its log"

Reply = Callable[[list[Sent]], None]

log = logging.getLogger(__name__)


class Gathering:
    """Lets a send wait for those that were under way when the last was answered: who is answered sends again.

    A sender who is alone and sends one after another never waits. Requests are stored in the order in which
    they came, and those that are stored together fail together.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._waiting: list[tuple[Callable[[], Sequence[Fields]], Reply]] = []
        self._bytes = 0  # of those that wait
        self._seen = 0  # how many waited when the alarm was set
        self._until = 0  # when they wait no longer, whoever comes
        self._alarm: Alarm | None = None
        self._under_way = 0  # requests that were given to the store and are not answered
        self._expected = 1  # requests, and then they are stored

    def send(self, size: int, read: Callable[[], Sequence[Fields]], reply: Reply) -> None:
        """Store the messages of a request and answer with one result for each, in order.

        Args:
            size: The bytes of the request.
            read: Gives its messages. To read many together takes a third of their time, as nothing else is
                done in between.
            reply: Called with the results.
        """
        if size > SMALL:
            self._store()
            self._queues.send(read(), reply)
            return
        self._waiting.append((read, reply))
        self._bytes += size
        if len(self._waiting) >= self._expected or self._bytes > MOST_BYTES:
            self._store()
        elif self._alarm is None:
            self._until = self._queues.clock.now() + EACH * self._expected
            self._watch()

    def _watch(self) -> None:
        self._seen = len(self._waiting)
        clock = self._queues.clock
        self._alarm = clock.wake_at(min(clock.now() + QUIET, self._until), self._look)

    def _look(self) -> None:
        if len(self._waiting) > self._seen and self._queues.clock.now() < self._until:
            self._watch()
        else:
            self._store()

    def _store(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        waiting, self._waiting = self._waiting, []
        self._bytes = 0
        if not waiting:
            return
        self._under_way += len(waiting)
        try:
            drafts = [read() for read, _ in waiting]
            counts = [(len(messages), reply) for messages, (_, reply) in zip(drafts, waiting, strict=True)]
            self._queues.send(chain.from_iterable(drafts), partial(self._stored, counts))
        except Exception:
            # Whoever waits must be answered, whosever message it was.
            log.exception("messages could not be stored")
            failed = Sent("", error=FAILED)
            self._stored([(1, reply) for _, reply in waiting], [failed] * len(waiting))

    def _stored(self, together: Sequence[tuple[int, Reply]], results: list[Sent]) -> None:
        self._expected = min(MOST, self._under_way + len(self._waiting))
        self._under_way -= len(together)
        start = 0
        for count, reply in together:
            stop = start + count
            try:
                reply(results[start:stop])
            except Exception:
                # One client's answer must not take the answers of the others along.
                log.exception("an answer could not be given")
            start = stop
