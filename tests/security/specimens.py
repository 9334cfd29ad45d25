"""Each thing that shows something, filled with one text of others wherever such a text may stand."""

import json
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd

from kubemq_nb import errors, frames, messages, render
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.results import Results
from kubemq_nb.magics import follow, present
from kubemq_nb.messages import Event, QueueMessage, Request, Response, SendResult, ServerInfo, Settlement
from kubemq_nb.render import Column, Look, Shown, Table
from kubemq_nb.render.form import outcome

AT = datetime(2026, 11, 23, 21, 4, 9, 114_000, tzinfo=UTC)
LOOK = Look()


def sendable(text: str) -> str:
    """As much of a text as protobuf carries: halves of surrogate pairs do not get that far."""
    return text.encode(errors="ignore").decode()


def queue_frame(text: str, body: str | None = None, **attrs: object) -> Any:
    """One message of a queue that says this everywhere."""
    text = sendable(text)
    attributes = {
        "Timestamp": 1,
        "Sequence": 1,
        "ReceiveCount": 1,
        "ReRouted": True,
        "ReRoutedFromQueue": text,
    }
    message = pb.QueueMessage(
        MessageID=text,
        ClientID=text,
        Channel=text,
        Metadata=text,
        Body=(text if body is None else body).encode(errors="ignore"),
        Tags={text: text},
        Attributes=pb.QueueMessageAttributes(**attributes),
        Policy=pb.QueueMessagePolicy(MaxReceiveQueue=text),
    )
    facts = {"channel": text, "kind": "queues", "is_peek": True, "note": text, "notes": [text]}
    return frames.queue_messages([message.SerializeToString()], **facts | attrs)


def json_frame(text: str) -> Any:
    """One whose body is an object with this as name and as value."""
    return queue_frame(text, json.dumps({text: text, "deep": [{text: text}]}, ensure_ascii=True))


def fields_frame(text: str) -> Any:
    """One of which a reader asked for a field of this name."""
    name = sendable(text)  # pandas has no half of a surrogate pair in a name
    frame = queue_frame(text, fields=[name])
    frame[name] = pd.Series([text], dtype=object)
    return frame


def event_frame(text: str) -> Any:
    text = sendable(text)
    event = pb.EventReceive(
        EventID=text, Channel=text, Metadata=text, Body=text.encode(), Sequence=1, Tags={text: text}
    )
    return frames.events(
        [event.SerializeToString()], "events_store", complete=False, ended_by=text, channel=text
    )


def request_frame(text: str, form: str = "desk") -> Any:
    """One request that was refused, with this as everything."""
    sent = sendable(text)
    request = pb.Request(
        RequestID=sent, ClientID=sent, Channel=sent, Metadata=sent, Body=sent.encode(), CacheKey=sent
    )
    request.Tags[sent] = sent
    beside = {
        "kind": ["query"],
        "timestamp": [1],
        "executed": [False],
        "answer": [text],
        "error": [text],
        "elapsed": [0.1],
        "line": [1],
        "outcome": ["refused"],
        "by": ["hand"],
        "left": [1.0],
        "deadline": [1],
    }
    wanted = {name: beside[name] for name in frames.COLUMNS[form] if name in beside}
    return frames.requests([request.SerializeToString()], wanted, form=form, channel=text)


def facts_frame(text: str) -> Any:
    """Any other table: channels, jobs, connections."""
    columns = {
        "name": [text],
        "note": [text],
        sendable(text): [text],
        "value": [{text: [text]}],
        "raw": [text.encode(errors="replace")],
    }
    return frames.table(columns, dict.fromkeys(columns, "object"), channel=text, kind="queues", notes=[text])


def refused_frame(text: str) -> Any:
    sent = Results.of([SendResult(id=text, channel=text, error=text), SendResult(id=text, channel=text)])
    return frames.results(sent.columns, channel=text)


def status(text: str) -> Any:
    counts = dict.fromkeys(("received", "dropped", "errors", "answered", "refused", "unanswered"), 1)
    return SimpleNamespace(state="reconnecting", note=text, as_of=AT, **counts)


def feed(text: str) -> Any:
    """A feed that has ended, with one row."""
    rows = event_frame(text)
    rows.attrs["last"] = 1
    return SimpleNamespace(
        kind="events",
        channel=text,
        connection=text,
        id=1,
        finished=True,
        status=lambda: status(text),
        tail=lambda _: rows,
        behind=lambda _: rows,
    )


def transaction(text: str, *, empty: bool = False) -> Any:
    held = () if empty else (1,)
    return SimpleNamespace(
        channel=text, state=text, empty=empty, sequences=held, deadline=AT, df=queue_frame(text)
    )


def desk(text: str) -> Any:
    return SimpleNamespace(
        connection=text,
        channel=text,
        waiting=request_frame(text, "waiting"),
        status=lambda: status(text),
        tail=lambda _: request_frame(text),
    )


def form(text: str, result: object = None, error: Exception | None = None) -> Any:
    sent = SimpleNamespace(noun="queues", channel=text, elapsed=0.1, result=result, error=error)
    return SimpleNamespace(
        noun="queues",
        entries={"metadata": text, text: text},
        tags=[(text, text)],
        body=text,
        last=sent,
        connection=text,
        channel=text,
        locked=text,
        df=refused_frame(text),
        code=text,
    )


def forms(text: str) -> Iterator[Any]:
    yield form(text, SendResult(id=text, channel=text))
    yield form(text, SendResult(id=text, channel=text, error=text))
    yield form(text, Response(executed=False, error=text))
    yield form(text, error=ValueError(text))


def board(text: str) -> Any:
    figures = SimpleNamespace(channel=text, kind="queues", waiting=1, sent=1, last_activity=AT)
    rows = [SimpleNamespace(figures=figures, rate_in=1.0)]
    return SimpleNamespace(connection=text, state=text, note=text, as_of=AT, rows=rows, waiting=1)


def browser(text: str) -> Any:
    figures = SimpleNamespace(waiting=1, delayed=1, held=1)
    return SimpleNamespace(channel=text, as_of=AT, df=queue_frame(text), connection=text, figures=figures)


def scrubbed(text: str) -> Any:
    event = Event(channel=text, body=text.encode(errors="replace"), id=text, timestamp=AT)
    lines = SimpleNamespace(columns=(text,), rows={text: (text,), f"{text}2": ({text: text},)})
    return SimpleNamespace(
        channel=text,
        connection=text,
        sequence=1,
        span=(1, 2),
        event=event,
        fold_name=text,
        lines=lines,
        failure=SimpleNamespace(text=text),
    )


def results(text: str) -> Iterator[Any]:
    """Each result of a single operation."""
    yield SendResult(id=text, channel=text)
    yield SendResult(id=text, channel=text, error=text)
    yield Settlement(action="resend", channel=text, sequences=(1,), to=text)
    yield Settlement(action="ack", channel=text, sequences=(1,), error=text)
    yield ServerInfo(address=text, host=text, version=text, start_time=AT, uptime=timedelta(1))
    body = text.encode(errors="replace")
    yield Response(executed=False, error=text, body=body, channel=text, metadata=text, tags={text: text})


FRAMES = (queue_frame, json_frame, fields_frame, event_frame, request_frame, facts_frame, refused_frame)

SHOWN: dict[str, Callable[[str], list[Shown]]] = {
    "render.desk.desk": lambda text: [render.desk(desk(text))],
    "render.form.form": lambda text: [render.form(each) for each in forms(text)],
    "render.frames.frame": lambda text: [render.frame(make(text)) for make in FRAMES],
    "render.live.live": lambda text: [render.live(feed(text))],
    "render.live.transaction": lambda text: [
        render.transaction(each) for each in (transaction(text), transaction(text, empty=True))
    ],
    "render.results.describe": lambda text: [render.describe(each, LOOK) for each in results(text)],
    "render.scrub.scrubber": lambda text: [render.scrubber(scrubbed(text))],
    "render.tables.Table.shown": lambda text: [
        Table([Column(text, [text])], caption=(text, text), note=text).shown()
    ],
    "render.views.dashboard": lambda text: [render.dashboard(board(text))],
    "render.views.queue_browser": lambda text: [render.queue_browser(browser(text))],
    "magics.present.shown": lambda text: [present.shown(queue_frame(text), LOOK)],
}
"""Whatever has two forms, text and HTML: each public function of the package that gives a `Shown`."""


def error_texts(text: str) -> Iterator[str]:
    """What each error says that quotes somebody."""
    for kind in kinds_of_errors():
        more = {"timeout": 1.0} if kind is errors.DeadlineExceeded else {}
        error = kind(text, **more)
        yield str(error)
        present.shorten(error)
        yield from error._render_traceback_()


def kinds_of_errors(kind: type = errors.KubeMQError) -> Iterator[type]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds_of_errors(each)


def reprs(text: str) -> Iterator[str]:
    """How each record of the package writes itself."""
    for kind in (QueueMessage, Event, Request, Response, SendResult, Settlement, ServerInfo):
        yield repr(filled(kind, text))


NEEDED = {
    "kind": "query",
    "executed": True,
    "action": "ack",
    "sequences": (1,),
    "start_time": AT,
    "uptime": timedelta(1),
}


def filled(kind: Any, text: str) -> Any:
    """A record with this in all its texts."""
    bare = [each for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    record = kind(**{each.name: NEEDED.get(each.name, text) for each in bare})
    names = [each.name for each in fields(kind) if isinstance(getattr(record, each.name), str)]
    body = {"body": text.encode(errors="replace")} if hasattr(record, "body") else {}
    return replace(record, **{name: text for name in names if name not in NEEDED}, **body)


def records() -> list[type]:
    """Every record of kubemq_nb.messages that has a text of others."""
    return [kind for kind in vars(messages).values() if is_dataclass(kind) and isinstance(kind, type)]


def followed(text: str) -> Iterator[str]:
    written: list[str] = []
    yield follow.follow(feed(text), written.append)
    yield from written


TEXTS: dict[str, Callable[[str], list[str]]] = {
    "errors": lambda text: list(error_texts(text)),
    "records": lambda text: list(reprs(text)),
    "rows of a feed": lambda text: render.lines(event_frame(text)),
    "a feed in a terminal": lambda text: list(followed(text)),
    "JSON": lambda text: [render.as_json(make(text), lines=True) for make in FRAMES],
    "outcomes": lambda text: [part for each in forms(text) for part in outcome(each.last)],
}
"""Whatever has a text alone."""
