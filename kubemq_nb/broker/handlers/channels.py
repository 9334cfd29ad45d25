"""Channel management as official clients ask for it: queries to a channel of the broker's own."""

import json
from collections.abc import Callable, Mapping

from kubemq_nb._wire.serving import requests as request_wire
from kubemq_nb.broker.engine.channels import ChannelFigures, Channels, kind_error
from kubemq_nb.broker.handlers.calls import Answer

CHANNEL = "kubemq.cluster.internal.requests"
CLIENT_ID = "kubemq-nb-broker"


class ChannelHandlers:
    """Answers the queries that are for the broker itself."""

    def __init__(self, channels: Channels, now: Callable[[], int]) -> None:
        self._channels = channels
        self._now = now

    async def answer(self, request_id: str, verb: str, tags: Mapping[str, str]) -> bytes:
        """The response to one query: its metadata is the verb, its tags say about what."""
        kind, name = tags.get("channel_type", ""), tags.get("channel", "")
        body, error = b"", ""
        if verb == "list-channels":
            error = kind_error(kind)
            body = listed(self._channels.matching(kind, tags.get("channel_search", ""))) if not error else b""
        elif verb in ("create-channel", "delete-channel"):
            done: Answer[str] = Answer()
            change = self._channels.create if verb == "create-channel" else self._channels.delete
            change(kind, name, done.give)
            error = await done.wait()
        else:
            error = f"{verb!r} is none of create-channel, delete-channel, list-channels"
        return request_wire.own_response(
            request_id, client_id=CLIENT_ID, timestamp=self._now(), body=body, error=error
        )


def listed(channels: list[ChannelFigures]) -> bytes:
    """Channels as JSON, in the words of the official clients."""
    items = [
        {
            "name": channel.name,
            "type": channel.kind,
            "lastActivity": channel.last_activity,
            "isActive": channel.active,
            "incoming": channel.incoming,
            "outgoing": channel.outgoing,
        }
        for channel in channels
    ]
    return json.dumps(items, ensure_ascii=False).encode()
