"""The door of the broker: which handler a call goes to, and whether its caller may come in."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc

from kubemq_nb._wire import large, methods
from kubemq_nb._wire.serving import common
from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.handlers.calls import Context

Handler = Callable[[Any, Context], Awaitable[Any]]

FREE = methods.path("Ping")  # official clients send no token with it
WRONG_TOKEN = "this broker wants its token in the metadata `authorization`"  # noqa: S105  (a sentence)

_WRAPPERS = {
    methods.UNARY: grpc.unary_unary_rpc_method_handler,
    methods.SERVER_STREAM: grpc.unary_stream_rpc_method_handler,
    methods.TWO_WAY: grpc.stream_stream_rpc_method_handler,
}

SHAPES = {
    **methods.METHODS,
    **methods.OWN,
    # It writes its one answer itself: on the wire that is the same as a call with one answer.
    "ReceiveQueueMessages": methods.SERVER_STREAM,
}

log = logging.getLogger(__name__)


class Service(grpc.GenericRpcHandler):
    """All methods, bytes in and bytes out; callers without the token are answered UNAUTHENTICATED.

    Args:
        handlers: What answers each method, by its name.
        token: What callers show; None lets everybody in.
    """

    def __init__(self, handlers: Mapping[str, Handler], token: str | None) -> None:
        self._token = token.encode() if token is not None else None
        self._open = {methods.path(name): made(name, guarded(handler)) for name, handler in handlers.items()}
        self._closed = {methods.path(name): made(name, turn_away) for name in handlers}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """The handler for one call."""
        path = handler_call_details.method
        free = self._token is None or path == FREE
        known = free or self._is_known(handler_call_details.invocation_metadata)
        return (self._open if known else self._closed).get(path) or unknown(path)

    def _is_known(self, metadata: Any) -> bool:
        shown: str | bytes = ""
        for key, value in metadata or ():
            if key == "authorization":
                shown = value
                break
        shown = shown if isinstance(shown, bytes) else shown.encode()
        return hmac.compare_digest(shown, self._token or b"")


def made(name: str, handler: Handler) -> "grpc.RpcMethodHandler[Any, Any]":
    """A handler in the shape of its method, without serializers."""
    return _WRAPPERS[SHAPES[name]](handler)


def guarded(handler: Handler) -> Handler:
    """Keep what goes wrong in one call inside that call."""

    async def guard(request: Any, context: Context) -> Any:
        if isinstance(request, bytes):
            large.give_back(len(request))
        try:
            return await handler(request, context)
        except (common.Malformed, Refused) as error:
            # The real server refuses with this status, and the text as its details.
            await context.abort(grpc.StatusCode.INTERNAL, str(error))
        except grpc.aio.AbortError:
            raise
        except Exception:
            log.exception("a call failed inside the broker")
            await context.abort(grpc.StatusCode.INTERNAL, "the broker failed to answer; see its log")

    return guard


def unknown(path: str) -> "grpc.RpcMethodHandler[Any, Any]":
    """Answers a call of a method that there is not, in the words of the real server."""
    service, _, method = path.removeprefix("/").rpartition("/")

    async def refuse(_: Any, context: Context) -> None:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown method {method} for service {service}")

    return grpc.stream_stream_rpc_method_handler(refuse)


async def turn_away(_: Any, context: Context) -> None:
    """Answer a caller without the token."""
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, WRONG_TOKEN)
