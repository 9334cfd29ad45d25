"""Commands and queries: ask, and wait for one answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from kubemq_nb.messages import Body, Duration, Request, Response, Tags, as_seconds, as_tags
from kubemq_nb.session import automatic, background
from kubemq_nb.session.answers import Answers
from kubemq_nb.session.link import Link
from kubemq_nb.session.outgoing import bytes_of, text, whole_seconds
from kubemq_nb.session.read_only import changes
from kubemq_nb.session.responders import WORKERS, Place, RequestHandler, Responder


class Commands:
    """Commands: do something, and tell whether it was done."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @changes
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
        return _ask(
            self._link,
            Request(
                kind="command",
                channel=text("channel", channel),
                id=text("id", id),
                metadata=text("metadata", metadata),
                client_id=text("client_id", client_id or self._link.client_id),
                body=bytes_of(body),
                tags=as_tags(tags),
                timeout=as_seconds(timeout),
            ),
        )

    @changes
    def respond(
        self,
        channel: str,
        handler: RequestHandler | None = None,
        *,
        reply: Body = None,
        echo: bool = False,
        manual: bool = False,
        think: Duration | None = None,
        group: str | None = None,
        client_id: str | None = None,
    ) -> "Responder | Answers":
        """Answer commands in the background.

        Responding again on the same channel and group, under the same client id, swaps the handler; no
        request is lost over it.

        Args:
            channel: Channel to listen on.
            handler: Function or coroutine function of one request. It may return nothing (executed), True or
                False, or a Response; what it raises makes the answer `executed` false.
            reply: Answer every command as executed.
            echo: Answer every command as executed, its own tags returned.
            manual: Answer by hand: requests wait at the session's desk, where commands and queries of all
                channels given to it come together.
            think: Seconds to let pass before each answer.
            group: Share the commands with the other members of this group.
            client_id: Name to answer under instead of the session's client id.
        """
        answering = _answering(handler, reply, echo=echo, manual=manual, think=think)
        return _respond(self._link, "commands", channel, answering, think, group or "", client_id)


class Queries:
    """Queries: ask for something, and get it as the answer's body."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @changes
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
        return _ask(
            self._link,
            Request(
                kind="query",
                channel=text("channel", channel),
                id=text("id", id),
                metadata=text("metadata", metadata),
                client_id=text("client_id", client_id or self._link.client_id),
                body=bytes_of(body),
                tags=as_tags(tags),
                timeout=as_seconds(timeout),
                cache_key=text("cache_key", cache_key),
                cache_ttl=whole_seconds("cache_ttl", cache_ttl),
            ),
        )

    @changes
    def respond(
        self,
        channel: str,
        handler: RequestHandler | None = None,
        *,
        reply: Body = None,
        echo: bool = False,
        manual: bool = False,
        think: Duration | None = None,
        group: str | None = None,
        client_id: str | None = None,
    ) -> "Responder | Answers":
        """Answer queries in the background.

        Responding again on the same channel and group, under the same client id, swaps the handler; no
        request is lost over it.

        Args:
            channel: Channel to listen on.
            handler: Function or coroutine function of one request. It returns the body of the answer (bytes,
                text, a dict or list as JSON) or a Response; what it raises makes the answer `executed` false.
            reply: Answer every query with this body.
            echo: Answer every query with its own body, metadata and tags.
            manual: Answer by hand: requests wait at the session's desk, where commands and queries of all
                channels given to it come together.
            think: Seconds to let pass before each answer.
            group: Share the queries with the other members of this group.
            client_id: Name to answer under instead of the session's client id.
        """
        answering = _answering(handler, reply, echo=echo, manual=manual, think=think)
        return _respond(self._link, "queries", channel, answering, think, group or "", client_id)


def _ask(link: Link, request: Request) -> Response:
    response = link.ready().requests.send(request)
    link.used("commands" if request.kind == "command" else "queries", request.channel)
    return response


def _answering(
    handler: RequestHandler | None, reply: Body, *, echo: bool, manual: bool, think: Duration | None
) -> RequestHandler | None:
    """The one of the four ways to answer that was given; None is by hand.

    Raises:
        TypeError: None, or more than one.
    """
    if (handler is not None) + (reply is not None) + echo + manual != 1:
        raise TypeError("respond needs one of handler, reply, echo or manual")
    if manual:
        if think is not None:
            raise TypeError("manual answers when you do: leave out think")
        return None
    if handler is not None:
        return background.checked(handler)
    return automatic.echo if echo else _constant(bytes_of(reply))


def _constant(body: bytes) -> Callable[[Request], Response]:
    return lambda _: Response(executed=True, body=body)


def _respond(
    link: Link,
    kind: Literal["commands", "queries"],
    channel: str,
    handler: RequestHandler | None,
    think: Duration | None,
    group: str,
    client_id: str | None,
) -> "Responder | Answers":
    """The responder of this channel, group and client with this handler, or the desk that it goes to."""
    link.ready()
    who = client_id or link.client_id
    place = (kind, channel, group, who)
    seconds = as_seconds(think or 0.0)
    with link.answering:
        responder = _running(link, place)
        if handler is None:
            desk = desk_of(link)
            desk.add(
                responder or _begun(link, place, automatic.echo, desk=desk),
                lambda: _respond(link, kind, channel, None, None, group, client_id),
            )
            return desk
        if responder:
            responder.swap(handler, think=seconds)
            return responder
        return _begun(link, place, handler, think=seconds)


def _begun(
    link: Link, place: Place, handler: RequestHandler, *, think: float = 0.0, desk: Answers | None = None
) -> Responder:
    """A new responder that takes requests."""
    kind, channel, group, who = place

    def reply(request: Request, response: Response) -> None:
        at = response.timestamp or datetime.now(UTC)
        link.requests.reply(request, replace(response, client_id=response.client_id or who, timestamp=at))

    responder = Responder(
        kind=kind,
        channel=channel,
        handler=handler,
        reply=reply,
        think=think,
        group=group,
        client_id=who,
        connection=link.name,
        code=f"kq.{kind}.respond({channel!r}, {'manual=True' if desk else '...'})",
    )
    if desk:
        responder.give_to(desk)  # before the first request
    responder.begin(
        lambda on_state: link.requests.subscribe(
            "command" if kind == "commands" else "query",
            channel,
            client_id=who,
            group=group,
            on_state=on_state,
        ),
        workers=WORKERS,
    )
    link.used(kind, channel)
    link.add(responder)
    return responder


def desk_of(link: Link) -> Answers:
    """The desk of a session; the first use makes it."""
    with link.answering:
        link.desk = link.desk or Answers(connection=link.name)
        return link.desk


def _running(link: Link, place: Place) -> Responder | None:
    """The responder at this place, if it still is in touch with its channel."""
    for job in link.jobs.all():
        if isinstance(job, Responder) and job.place == place:
            if job.state != "not connected":
                return job
            job.stop()
    return None
