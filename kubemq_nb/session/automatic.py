"""How a desk answers by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kubemq_nb.messages import Body, Duration, Request, Response, Tags, as_seconds, as_tags
from kubemq_nb.session.outgoing import bytes_of, text
from kubemq_nb.session.responders import RequestHandler

Mode = Literal["off", "echo", "fixed", "delay", "error"]
"""Not at all, with what was asked, with one body, late, with a refusal."""

LATE = 1.0  # seconds that the mode "delay" lets pass when nothing else is said


@dataclass(frozen=True, slots=True)
class Auto:
    """How a desk answers by itself.

    Attributes:
        mode: In a word.
        handler: What makes the answers.
        after: Seconds after its arrival when a request is answered.
        code: The call that chose it, without its owner.
        response: The one answer that fixed and error have; None where the request decides.
    """

    mode: Mode
    handler: RequestHandler
    after: float
    code: str
    response: Response | None = None


def auto(
    mode: Mode, body: Body, *, metadata: str, tags: Tags | None, error: str, after: Duration | None
) -> Auto | None:
    """What `Answers.auto` was told; None when the hand is to answer.

    Raises:
        TypeError: The mode has no use for something that was given, or fixed has no answer; "" is one, which
            says that a command was executed.
        ValueError: There is no such mode, or it would answer before it was asked.
    """
    fixed = Response(
        executed=True, body=bytes_of(body), metadata=text("metadata", metadata), tags=as_tags(tags)
    )
    if (fixed.body or fixed.metadata or fixed.tags) and mode != "fixed":
        raise TypeError(f"{mode} has no body, metadata or tags of its own: only fixed has")
    if error and mode != "error":
        raise TypeError(f"{mode} gives no reason: only error does")
    if mode == "fixed" and body is None and not metadata:
        raise TypeError(
            "fixed wants the answer: a body or metadata; an empty body, '', answers commands alone"
        )
    seconds = as_seconds(after) if after is not None else LATE if mode == "delay" else 0.0
    if seconds < 0:
        raise ValueError(f"an answer comes 0 seconds after its request or later, not {seconds:g}")
    refusal = Response(executed=False, error=text("error", error) or "refused automatically")
    handlers: dict[Mode, RequestHandler | None] = {
        "off": None,
        "echo": echo,
        "fixed": lambda _: fixed,
        "delay": echo,
        "error": lambda _: refusal,
    }
    if mode not in handlers:
        raise ValueError(f"mode is {', '.join(handlers)}; not {mode}")
    handler = handlers[mode]
    said = {"body": body, "metadata": metadata, "tags": tags, "error": error, "after": after}
    one: dict[Mode, Response] = {"fixed": fixed, "error": refusal}
    return Auto(mode, handler, seconds, _code(mode, said), one.get(mode)) if handler else None


def echo(request: Request) -> Response:
    """Answer with what was asked."""
    return Response(executed=True, body=request.body, metadata=request.metadata, tags=request.tags)


def _code(mode: Mode, given: Mapping[str, object]) -> str:
    """The call of `auto` that says this."""
    empty = mode == "fixed" and given["body"] == ""  # which is an answer
    kept = {name: value for name, value in given.items() if value or (empty and name == "body")}
    said = [f"{name}={value!r}" if name != "body" else repr(value) for name, value in kept.items()]
    return f"auto({', '.join([repr(mode), *said])})"
