"""Commands and queries: asking, and answering."""

import asyncio

from kubemq_nb import rules
from kubemq_nb._wire.serving import common
from kubemq_nb._wire.serving import events as event_wire
from kubemq_nb._wire.serving import requests as request_wire
from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.engine.requests import Answer as EngineAnswer
from kubemq_nb.broker.engine.requests import Ask, Kind, Requests, request_error
from kubemq_nb.broker.handlers.calls import Answer, Context
from kubemq_nb.broker.handlers.channels import CHANNEL as MANAGEMENT
from kubemq_nb.broker.handlers.channels import ChannelHandlers
from kubemq_nb.broker.handlers.streams import deliver

SUBSCRIBE_TYPES: dict[int, Kind] = {3: "commands", 4: "queries"}


class RequestHandlers:
    """Both kinds of requests."""

    def __init__(self, requests: Requests, channels: ChannelHandlers) -> None:
        self._requests = requests
        self._channels = channels

    async def send(self, data: bytes, _: Context) -> bytes:
        """SendRequest."""
        request, request_id, metadata, tags = request_wire.read_request(data)
        if request.channel == MANAGEMENT and not request_error(Ask(*request)):
            return await self._channels.answer(request_id, metadata, tags)
        answer: Answer[bytes | Refused] = Answer()
        forget = self._requests.send(
            Ask(*request),
            reply=answer.give,
            hit=lambda content: answer.give(request_wire.cached_response(content, request_id)),
            timed_out=lambda: answer.give(Refused(rules.text(301))),
        )
        content = await answer.wait(forget)
        if isinstance(content, Refused):
            raise content
        return request_wire.command_response(content) if request.kind == "commands" else content

    async def respond(self, data: bytes, _: Context) -> bytes:
        """SendResponse."""
        self._requests.respond(EngineAnswer(*request_wire.read_response(data)))
        return common.nothing()

    async def subscribe(self, data: bytes, context: Context) -> None:
        """SubscribeToRequests."""
        request = event_wire.read_subscribe(data)
        kind = SUBSCRIBE_TYPES.get(request.type)
        wake = asyncio.Event()
        if kind is None:
            raise Refused(rules.text(207))
        subscription = self._requests.subscribe(
            kind, request.client_id, request.channel, request.group, wake.set
        )
        try:
            await deliver(subscription.take, wake, context)
        finally:
            self._requests.unsubscribe(kind, subscription)
