"""Commands and queries: ask, and wait for one answer."""

from typing import TYPE_CHECKING

from kubemq_nb.messages import Body, Duration, Response, Tags
from kubemq_nb.session.responders import RequestHandler, Responder

if TYPE_CHECKING:
    from kubemq_nb.session.connection import Session


class Commands:
    """Commands: do something, and tell whether it was done."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        id: str | None = None,
        timeout: Duration = 5.0,
        client_id: str | None = None,
    ) -> Response:
        """Send a command and wait until a responder says whether it was executed.

        A refusal (`executed` false, its reason in `error`) is an answer, not an exception.

        Args:
            channel: Channel that a responder listens on.
            body: What to send: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body.
            tags: Text to text.
            id: Id of the command; one is made when it is left out.
            timeout: Seconds to wait for the answer.
            client_id: Sender to be named instead of the session's client id.

        Raises:
            DeadlineExceeded: Nobody answered in time.
        """
        raise NotImplementedError

    def respond(
        self,
        channel: str,
        handler: RequestHandler | None = None,
        *,
        reply: Body = None,
        echo: bool = False,
        think: Duration | None = None,
        group: str | None = None,
        client_id: str | None = None,
    ) -> Responder:
        """Answer commands in the background.

        Responding again on the same channel and group swaps the handler; no request is lost over it.

        Args:
            channel: Channel to listen on.
            handler: Function or coroutine function of one request. It may return nothing (executed), True or
                False, or a Response; what it raises makes the answer `executed` false.
            reply: Answer every command as executed.
            echo: Answer every command as executed, its own tags returned.
            think: Seconds to let pass before each answer.
            group: Share the commands with the other members of this group.
            client_id: Name to answer under instead of the session's client id.
        """
        raise NotImplementedError


class Queries:
    """Queries: ask for something, and get it as the answer's body."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def send(
        self,
        channel: str,
        body: Body = None,
        *,
        metadata: str = "",
        tags: Tags | None = None,
        id: str | None = None,
        timeout: Duration = 5.0,
        cache_key: str | None = None,
        cache_ttl: Duration | None = None,
        client_id: str | None = None,
    ) -> Response:
        """Send a query and wait for its answer.

        A refusal (`executed` false, its reason in `error`) is an answer, not an exception.

        Args:
            channel: Channel that a responder listens on.
            body: What to send: bytes, text, or a dict or list as JSON.
            metadata: Text beside the body.
            tags: Text to text.
            id: Id of the query; one is made when it is left out.
            timeout: Seconds to wait for the answer.
            cache_key: Name under which the broker keeps the answer; asking again under it is a cache hit.
            cache_ttl: Seconds for which it keeps it; whole. Community servers have no cache.
            client_id: Sender to be named instead of the session's client id.

        Raises:
            DeadlineExceeded: Nobody answered in time.
        """
        raise NotImplementedError

    def respond(
        self,
        channel: str,
        handler: RequestHandler | None = None,
        *,
        reply: Body = None,
        echo: bool = False,
        think: Duration | None = None,
        group: str | None = None,
        client_id: str | None = None,
    ) -> Responder:
        """Answer queries in the background.

        Responding again on the same channel and group swaps the handler; no request is lost over it.

        Args:
            channel: Channel to listen on.
            handler: Function or coroutine function of one request. It returns the body of the answer (bytes,
                text, a dict or list as JSON) or a Response; what it raises makes the answer `executed` false.
            reply: Answer every query with this body.
            echo: Answer every query with its own body, metadata and tags.
            think: Seconds to let pass before each answer.
            group: Share the queries with the other members of this group.
            client_id: Name to answer under instead of the session's client id.
        """
        raise NotImplementedError
