"""Messages that a form sent: what became of the last one, a line for each, and one of them in full."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubemq_nb import render
from kubemq_nb.frames import decode
from kubemq_nb.messages import Response, as_tags
from kubemq_nb.render import outcome, size, span
from kubemq_nb.session.entries import LONGEST
from kubemq_nb.visible import line
from kubemq_nb.widgets import cells
from kubemq_nb.widgets.controls import VERBS, label
from kubemq_nb.widgets.detail import shown_body

if TYPE_CHECKING:
    from kubemq_nb.session import SendForm
    from kubemq_nb.session.form import Sent

_OWN = ("channel", "body", "tags")  # what has a place of its own
_ICONS = {"good": "good", "warn": "alert", "bad": "bad"}


def result(source: "SendForm") -> dict[str, object]:
    """What became of the last message, with the answer if it got one.

    A refusal that the form lays at a field is said there, and not here.
    """
    last = source.last
    assert last
    if source.wrong and last.error:
        return {}
    said = outcome(last)
    return {
        "number": last.number,
        "tone": said.tone,
        "icon": _ICONS[said.tone],
        "head": said.head,
        "rest": said.rest,
        "again": VERBS[last.noun].again,
        "answer": _answer(last.result) if isinstance(last.result, Response) else {},
    }


def row(sent: "Sent") -> dict[str, object]:
    """One line of those that were sent."""
    said = outcome(sent)
    body = sent.body
    return {
        "number": sent.number,
        "at": int(sent.at.timestamp() * 1000),
        "noun": sent.noun,
        "channel": cells.cut(sent.channel),
        "body": _beginning(body),
        "size": size(len(body)),
        "outcome": cells.cut(sent.outcome),
        "tone": said.tone,
        "icon": _ICONS[said.tone],
        "took": span(sent.elapsed),
        "again": VERBS[sent.noun].again,
    }


def opened(sent: "Sent") -> dict[str, object]:
    """All that is shown of one of them."""
    said = outcome(sent)
    body = sent.body
    return {
        **row(sent),
        "head": f"Message {render.count(sent.number)}",
        "about": f"{sent.at:%Y-%m-%d %H:%M:%S} UTC, {size(len(body))}",
        "said": f"{said.head} {said.rest}".strip(),
        "decoded": shown_body(decode(body), body) if body else "",
        "tags": cells.tags(as_tags(sent.arguments.get("tags"))),
        "facts": [[name, text] for name, text in _facts(sent)],
        "answer": _answer(sent.result) if isinstance(sent.result, Response) else {},
    }


def _beginning(body: bytes) -> str:
    """A body on one line; one that no form edits is not even decoded for it."""
    if len(body) > LONGEST:
        return cells.cut(line(body[: cells.CUT].decode(errors="backslashreplace")))
    return cells.body(body, decode(body)) if body else ""


def _facts(sent: "Sent") -> Iterator[tuple[str, str]]:
    if sent.result and "id" not in sent.arguments:
        yield "Id", cells.cut(sent.result.id)
    for name, given in sent.arguments.items():
        if name not in _OWN:
            yield label(name), cells.cut(f"{given:g} s" if isinstance(given, float) else str(given))


def _answer(answer: Response) -> dict[str, object]:
    """What a responder said, as far as it can be shown."""
    by = cells.cut(answer.client_id)
    length = len(answer.body)
    told = [
        *([span(answer.elapsed)] if answer.elapsed is not None else []),
        size(length),
        *([f"answered by {by}"] if by else []),
    ]
    return {
        "word": "executed" if answer.executed else "not executed",
        "executed": answer.executed,
        "cached": answer.cache_hit,
        "about": ", ".join(told),
        "body": shown_body(decode(answer.body), answer.body) if length else "",
        "metadata": cells.cut(answer.metadata),
        "tags": cells.tags(answer.tags),
    }
