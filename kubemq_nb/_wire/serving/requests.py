"""Commands and queries on the broker's side of the wire."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read

Kind = Literal["commands", "queries"]


class SentRequest(NamedTuple):
    """A command or query as it was sent."""

    kind: Kind | None
    client_id: str
    channel: str
    empty: bool
    timeout: int
    cache_key: str
    cache_ttl: int
    content: Callable[[str], bytes]


def read_request(data: bytes) -> tuple[SentRequest, str, str, Mapping[str, str]]:
    """The request, and its id, metadata and tags for the broker's own use."""
    request = read(pb.Request, data)
    request.RequestID = request.RequestID or new_id()
    kinds: dict[int, Kind] = {pb.Request.Command: "commands", pb.Request.Query: "queries"}

    def content(reply_channel: str) -> bytes:
        request.ReplyChannel = reply_channel
        return request.SerializeToString()

    sent = SentRequest(
        kinds.get(request.RequestTypeData),
        request.ClientID,
        request.Channel,
        not request.Metadata and not request.Body,
        request.Timeout,
        request.CacheKey,
        request.CacheTTL,
        content,
    )
    return sent, request.RequestID, request.Metadata, request.Tags


def read_response(data: bytes) -> tuple[str, str, str, bool, bytes]:
    """Client id, request id, reply channel, whether it was executed, the wire form but for that channel."""
    response = read(pb.Response, data)
    reply_channel = response.ReplyChannel
    response.ClearField("ReplyChannel")
    content = response.SerializeToString()
    return response.ClientID, response.RequestID, reply_channel, response.Executed, content


def command_response(content: bytes) -> bytes:
    """A response as the sender of a command gets it: executed or not, no more."""
    response = pb.Response.FromString(content)
    for name in ("Body", "Metadata", "CacheHit"):
        response.ClearField(name)
    return response.SerializeToString()


def cached_response(content: bytes, request_id: str) -> bytes:
    """A response kept from before, as the answer to another request."""
    return content + pb.Response(CacheHit=True, RequestID=request_id).SerializeToString()


def own_response(
    request_id: str, *, client_id: str, timestamp: int, body: bytes = b"", error: str = ""
) -> bytes:
    """A response of the broker itself."""
    return pb.Response(
        ClientID=client_id,
        RequestID=request_id,
        Body=body,
        Timestamp=timestamp,
        Executed=not error,
        Error=error,
    ).SerializeToString()
