"""Many events over one stream: stored ones are answered one by one, live ones only when they fail."""

from collections import deque
from collections.abc import Callable, Iterable

from kubemq_nb._wire import codec
from kubemq_nb._wire.status import broken, never_left, too_late
from kubemq_nb.client import checks
from kubemq_nb.client.calls import Cancellation
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.ids import new_id
from kubemq_nb.errors import KubeMQError, OutcomeUnknown, RequestRejected
from kubemq_nb.messages import Event, SendResult

Progress = Callable[[int], None]

MOST_UNANSWERED = 1000
"""Stored events under way at once: enough to keep a broker busy, and a bound on what a break leaves open."""


def send_stream(
    connection: Connection, events: Iterable[Event], *, store: bool, progress: Progress | None = None
) -> list[SendResult]:
    """Send them in order; one result an event. Refused ones have an `error`, the others go on.

    Raises:
        OutcomeUnknown: The stream broke; `.results` are those of the events before.
    """

    def work(cancellation: Cancellation) -> list[SendResult]:
        sending = _Sending(connection, store=store, progress=progress)
        try:
            cancellation.attach(sending.stream)
            return sending.send(events)
        finally:
            sending.stream.cancel()

    return connection.run(work, kind="send", channel="events_store" if store else "events")


class _Sending:
    def __init__(self, connection: Connection, *, store: bool, progress: Progress | None) -> None:
        self._connection = connection
        self._store = store
        self._progress = progress
        self._results: list[SendResult] = []
        self._unanswered: deque[int] = deque()  # indices of stored events, in the order of their answers
        self._by_id: dict[str, int] = {}  # of live events, whose failures are answered by id
        self._attempt = connection.attempt("the stream of events", effect=True)
        self.stream = connection.converse(connection.stub.send_events_stream, kind="send", channel="stream")

    def send(self, events: Iterable[Event]) -> list[SendResult]:
        try:
            try:
                for event in events:
                    self._send(event)
                    self._take_turn()
            finally:  # also when the iterable itself fails: what it gave before is sent
                self._finish()
        except KubeMQError as error:
            raise self._broken_off(error) from None
        return self._results

    def _send(self, event: Event) -> None:
        index = len(self._results)
        try:
            checks.check_event(event)
        except RequestRejected as error:
            refused = SendResult(id=event.id, channel=event.channel, sent=False, error=str(error))
            self._results.append(refused)
            return
        id = event.id or new_id()
        self._results.append(SendResult(id=id, channel=event.channel))
        if self._store:
            self._unanswered.append(index)
        else:
            self._by_id[id] = index
        wire = codec.encode_event(event, store=self._store, id=id)
        try:
            self.stream.send(wire, timeout=self._attempt.timeout)
        except TimeoutError:
            raise too_late(self._attempt) from None

    def _take_turn(self) -> None:
        """Take the answers that are there; wait for some when too much is under way."""
        while self.stream.answered:
            self._take()
        while len(self._unanswered) >= MOST_UNANSWERED:
            self._take()
        if self._progress and not len(self._results) % MOST_UNANSWERED:
            self._progress(len(self._results))

    def _finish(self) -> None:
        try:
            self.stream.half_close()
        except TimeoutError:
            raise too_late(self._attempt) from None
        while self._unanswered:
            self._take()
        while self._take():
            pass
        if self._progress:
            self._progress(len(self._results))

    def _take(self) -> bool:
        """Take one answer; False at the end of the stream."""
        answer = self._connection.answer_or_end(self.stream, self._attempt)
        if answer is None:
            if self._unanswered:
                raise broken(self._attempt)
            return False
        index = self._unanswered.popleft() if self._unanswered else self._by_id.get(answer.EventID)
        if index is not None:
            channel = self._results[index].channel
            self._results[index] = codec.decode_event_result(answer, channel=channel)
        return True

    def _broken_off(self, error: KubeMQError) -> KubeMQError:
        """The error for a stream that broke; of stored events it is known which were answered."""
        if never_left(error):
            return error
        if not self._store:
            return error
        answered = self._unanswered[0] if self._unanswered else len(self._results)
        return OutcomeUnknown(
            f"{answered:,} events were stored. Of the {len(self._unanswered):,} after them it is not known."
            f" {error}",
            results=self._results[:answered],
            channel=error.channel,
            reason=error.reason,
        )
