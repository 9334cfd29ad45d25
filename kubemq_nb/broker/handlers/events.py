"""Sending and hearing events, live and stored."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from kubemq_nb import rules
from kubemq_nb._wire.serving import common, sending
from kubemq_nb._wire.serving import events as event_wire
from kubemq_nb.broker.engine.durable import Reader
from kubemq_nb.broker.engine.events import Events, Outgoing, Refused, Subscription, batch_of, event_error
from kubemq_nb.broker.engine.events_store import EventsStore, Page, Start
from kubemq_nb.broker.handlers.calls import Answer, Context
from kubemq_nb.broker.handlers.streams import OrderedAnswers, deliver, incoming

EVENTS, EVENTS_STORE = 1, 2
TOGETHER = 1000  # events of a batch at most
PAUSE = 0.02  # seconds behind each batch, in which the next events come together
READER = "page"  # the client id that a page has: it is remembered nowhere


def read_sent(data: bytes) -> Outgoing:
    """An event of a batch; one that does not decode becomes one that is refused."""
    try:
        return Outgoing(*event_wire.read_event(data))
    except common.Malformed as error:
        return Outgoing("", "", "", True, True, b"", error=str(error))


class EventHandlers:
    """Both kinds of events; whether one is stored is said by the event."""

    def __init__(self, events: Events, events_store: EventsStore) -> None:
        self._events = events
        self._store = events_store

    async def send(self, data: bytes, _: Context) -> bytes:
        """SendEvent."""
        event = Outgoing(*event_wire.read_event(data))
        error = event_error(event)
        if error:
            raise Refused(error)
        id = event.id
        if event.stored:
            answer: Answer[str] = Answer()
            self._store.send(event, answer.give)
            del event  # a large one is copied often enough
            return event_wire.event_result(id, await answer.wait())
        self._events.send(event)
        return event_wire.event_result(id)

    async def send_stream(self, _: object, context: Context) -> None:
        """SendEventsStream: stored events are answered one by one, in order; others only when refused."""
        answers = OrderedAnswers(context)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answers.write())
            async for data in incoming(context):
                self._send_one(data, answers.expect(len(data)))
                await answers.room()
            answers.close()

    def _send_one(self, data: bytes, answer: Callable[[bytes | None], None]) -> None:
        try:
            event = Outgoing(*event_wire.read_event(data))
        except common.Malformed as malformed:
            answer(event_wire.event_result("", str(malformed)))
            return
        error = event_error(event)
        if error:
            answer(event_wire.event_result(event_wire.given_event_id(data), error))
        elif event.stored:
            self._store.send(event, lambda reason: answer(event_wire.event_result(event.id, reason)))
        else:
            self._events.send(event)
            answer(None)

    async def subscribe(self, data: bytes, context: Context, *, in_batches: bool = False) -> None:
        """SubscribeToEvents."""
        request = event_wire.read_subscribe(data)
        if request.type == EVENTS:
            await self._listen(request, context, in_batches=in_batches)
        elif request.type == EVENTS_STORE:
            await self._read(request, context, in_batches=in_batches)
        else:
            raise Refused(rules.text(207))

    async def subscribe_in_batches(self, data: bytes, context: Context) -> None:
        """SubscribeToEventsInBatches, a call of our own: the same, several events a message."""
        await self.subscribe(data, context, in_batches=True)

    async def read_page(self, data: bytes, _: Context) -> bytes:
        """ReadEventsPage, the call of our own; nobody's position moves."""
        request = event_wire.read_page_request(data)
        answer: Answer[Page] = Answer()
        self._store.page(Start(READER, request.channel, "", *request[1:3]), request.last, answer.give)
        page = await answer.wait()
        if page.error:
            raise Refused(page.error)
        events = [event.content for event in page.events]
        size = sum(map(len, events))
        if 0 < request.most < size:
            return event_wire.events_page([], page.last, page.events[0].sequence, size=size)
        return event_wire.events_page(events, page.last, page.following)

    async def send_batch(self, data: bytes, _: Context) -> bytes:
        """SendEventsBatch, a call of our own: one result an event; those to be stored are in one plan."""
        batch_id, batch = sending.read_batch(data)
        events = [read_sent(event) for event in batch]
        answer: Answer[list[str]] = Answer()
        self._store.send_many([event for event in events if event.stored], answer.give)
        told = iter(await answer.wait())
        errors = [next(told) if event.stored else self._send_live(event) for event in events]
        results = [(event.id, 0, 0, 0, error) for event, error in zip(events, errors, strict=True)]
        return sending.batch_response(batch_id, results, have_errors=any(errors))

    def _send_live(self, event: Outgoing) -> str:
        error = event_error(event)
        if not error:
            self._events.send(event)
        return error

    async def _listen(
        self, request: event_wire.SubscribeRequest, context: Context, *, in_batches: bool
    ) -> None:
        wake = asyncio.Event()
        subscription = self._events.subscribe(
            request.client_id, request.channel, request.group, request.start, wake.set
        )
        try:
            upcoming = next_batch if in_batches else next_event
            await deliver(partial(upcoming, subscription), wake, context, PAUSE if in_batches else 0.0)
        finally:
            self._events.unsubscribe(subscription)

    async def _read(
        self, request: event_wire.SubscribeRequest, context: Context, *, in_batches: bool
    ) -> None:
        wake = asyncio.Event()
        reader = self._store.subscribe(Start(*request[1:]), wake.set)
        try:
            await context.send_initial_metadata(())
            while True:
                wake.clear()
                taken = reader.take()
                if not taken:
                    await wake.wait()
                elif in_batches:
                    await write_batches(deque(taken), reader, context)
                    await asyncio.sleep(PAUSE)
                else:
                    for event in reader.one_by_one(taken):
                        await context.write(event)
                    del event  # a large one is not kept until the next one comes
        finally:
            self._store.unsubscribe(reader)


async def write_batches(taken: deque[bytes], reader: Reader, context: Context) -> None:
    """Write events, some in each message."""
    while taken:
        batch = batch_of(taken, TOGETHER)
        await context.write(event_wire.events_batch(batch))
        reader.written(len(batch))


def next_event(subscription: Subscription) -> bytes | None:
    """What a listener gets next; with it, how many events were dropped because it reads too slowly."""
    event = subscription.take()
    if event is not None and (missed := subscription.missed()):
        event += event_wire.missed(missed)
    return event


def next_batch(subscription: Subscription) -> bytes | None:
    """The same for many events in one message."""
    batch = subscription.take_many(TOGETHER)
    if batch and (missed := subscription.missed()):
        batch[0] += event_wire.missed(missed)
    return event_wire.events_batch(batch) if batch else None
