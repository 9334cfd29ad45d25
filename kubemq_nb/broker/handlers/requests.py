"""Commands and queries: asking, and answering."""

import asyncio

from kubemq_nb import rules
from kubemq_nb._wire import serving
from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.engine.requests import Answer as EngineAnswer
from kubemq_nb.broker.engine.requests import Ask, Kind, Requests
from kubemq_nb.broker.handlers.calls import Answer, Context, refuse
from kubemq_nb.broker.handlers.streams import deliver

SUBSCRIBE_TYPES: dict[int, Kind] = {3: "commands", 4: "queries"}


class RequestHandlers:
    """Both kinds of requests."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def send(self, data: bytes, context: Context) -> bytes:
        """SendRequest."""
        request, request_id, _, _ = serving.read_request(data)
        answer: Answer[bytes | Refused] = Answer()
        try:
            forget = self._requests.send(
                Ask(*request),
                reply=answer.give,
                hit=lambda content: answer.give(serving.cached_response(content, request_id)),
                timed_out=lambda: answer.give(Refused(rules.text(301))),
            )
            content = await answer.wait(forget)
            if isinstance(content, Refused):
                raise content
        except Refused as error:
            await refuse(context, error)
        return serving.command_response(content) if request.kind == "commands" else content

    async def respond(self, data: bytes, context: Context) -> bytes:
        """SendResponse."""
        try:
            self._requests.respond(EngineAnswer(*serving.read_response(data)))
        except Refused as error:
            await refuse(context, error)
        return serving.nothing()

    async def subscribe(self, data: bytes, context: Context) -> None:
        """SubscribeToRequests."""
        request = serving.read_subscribe(data)
        kind = SUBSCRIBE_TYPES.get(request.type)
        wake = asyncio.Event()
        try:
            if kind is None:
                raise Refused(rules.text(207))
            subscription = self._requests.subscribe(
                kind, request.client_id, request.channel, request.group, wake.set
            )
        except Refused as error:
            await refuse(context, error)
        try:
            await deliver(subscription.take, wake, context)
        finally:
            self._requests.unsubscribe(kind, subscription)
