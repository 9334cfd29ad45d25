"""Answer by hand: what waits and the time that is left, the open request with its answer, and the log."""

from collections.abc import Mapping
from typing import Any

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.errors import DeadlineExceeded, RequestRejected
from kubemq_nb.render import clean, span
from kubemq_nb.render.live import where
from kubemq_nb.session import Answers, json_text, language
from kubemq_nb.session.draft import Draft
from kubemq_nb.session.entries import WrongEntry
from kubemq_nb.widgets import asked, captions, cells
from kubemq_nb.widgets.asked import Asked
from kubemq_nb.widgets.automatic import AutoForm
from kubemq_nb.widgets.handover import Variables, hand_over, variable_of
from kubemq_nb.widgets.message import body_note
from kubemq_nb.widgets.model_view import Action, Message, ModelView, module

_LOOKS = {
    **captions.LOOKS,
    **dict.fromkeys(("live", "paused"), ("taking requests", "good", "live")),
}
_LONGEST = 2_000  # characters of the line of code


class AnswersView(ModelView[Answers]):
    """Shows a desk: one request is open, with a form for its answer; what is typed stays with its request."""

    _esm = module("life.js", "cells.js", "grid.js", "fields.js", "message.js", "answers.js")

    status = Dict().tag(sync=True)
    waiting = Dict().tag(sync=True)
    log = Dict().tag(sync=True)
    auto = Dict().tag(sync=True)  # how it answers by itself, and what stands in the fields of that
    detail = Dict().tag(sync=True)  # the request that is open
    values = Dict().tag(sync=True)  # what stands in the form
    wrong = Dict().tag(sync=True)  # mistakes by field, and which of them is to be looked at now

    def __init__(self, source: Answers, *, variables: Variables | None = None) -> None:
        self._asked: dict[int, Asked] = {}  # by number, oldest first: what waits, and what is open
        self._count = 0
        self._open: Asked | None = None
        self._detail: dict[str, object] = {}  # of the open one: a body is read once
        self._auto = AutoForm()
        self._looked = ""  # the turn in which somebody wanted to answer with what cannot be read
        self._done = ("", "")  # the last call: in Python, and as a line
        self._spoken = ""  # what a screen reader says of the last answer
        self._handed = ""
        super().__init__(source, variables=variables)

    def version(self, source: Answers) -> object:
        """Another after each request, each answer, and each change of what is listened on."""
        return source.version, source.closed, source.code

    def over(self, source: Answers) -> bool:
        """Whether its connection was closed."""
        return source.closed

    def show(self, source: Answers) -> None:
        """Write all of it into the traits."""
        self._take(source)
        self._auto.follow(source.auto_answer)
        self.about = _about(source)
        self.status = {**_status(source), "spoken": self._spoken}
        waiting = [each for each in self._asked.values() if each.waits]
        self.waiting = {"rows": [each.row() for each in waiting[: asked.SHOWN]], "of": len(waiting)}
        self.log = {"rows": asked.log(source.tail(asked.SHOWN))}
        self.auto = self._auto.state(source.auto_answer)
        self.detail = {**self._detail, "end": self._open.end()} if self._open else {}
        self._show_form()
        name = variable_of(source, self._variables)
        held = render.counted(source.status().held, "row")
        code = self._done[0] and name and f"{name}.{self._done[0]}"
        self.foot = {
            "code": code or self._done[1] or source.code or "kq.answers",
            "held": f"{held} in {name}.df" if name else f"{held} held",
        }

    def _show_form(self) -> None:
        if not self._open:
            self.values, self.wrong = {}, {}
            return
        typed = self._open.draft
        mistakes = typed.mistakes()
        self.values = {
            "executed": "yes" if typed.executed else "no",
            "body": _body(typed, mistakes.get("body", "")),
            "metadata": typed.metadata,
            "error": typed.error,
            "tags": [list(pair) for pair in typed.tags],
        }
        told = {name: f"{text[:1].upper()}{text[1:].removesuffix('.')}." for name, text in mistakes.items()}
        self.wrong = {"mistakes": told, "field": next(iter(told), ""), "turn": self._looked}

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {
            "open": self._choose,
            "attend": self._attend,
            "format": self._format,
            "enter": self._enter,
            "keep": self._keep,
            "carry": self._carry,
            "discard": self._discard,
            "auto": self._answer_by_itself,
            "frame": lambda _: self._hand_over(),
        }

    def calls(self) -> Mapping[str, Action]:
        """What asks the broker."""
        return {"answer": self._answer, "stop": self._stop, "start": self._start, "retry": self._retry}

    # ---------------------------------------------------------------- which request is open

    def _take(self, source: Answers) -> None:
        """See what waits now, and have the oldest open when none is."""
        before = {id(each.opened): each for each in self._asked.values()}
        waiting = [before.get(id(opened)) or self._seen(opened) for opened in source.open]
        if self._open and self._open not in waiting and self._stays(self._open):
            waiting.insert(0, self._open)
        self._asked = {each.number: each for each in waiting}
        if self._open is None or self._open.number not in self._asked:
            by_hand = source.auto_answer is None
            self._show_open(next(iter(waiting), None) if by_hand else None)

    def _stays(self, chosen: Asked) -> bool:
        """Whether it is shown on: its answer is on its way, or it ended under somebody's hand."""
        return chosen.waits or chosen.attended or chosen.draft.touched

    def _seen(self, opened: Any) -> Asked:
        self._count += 1
        return Asked.of(self._count, opened)

    def _show_open(self, chosen: Asked | None) -> None:
        self._open = chosen
        self._detail = chosen.detail() if chosen else {}
        self._looked = ""

    def _choose(self, message: Message) -> None:
        """Open another request; what was typed for the one before stays with it while it waits."""
        if chosen := self._asked.get(int(message["number"])):
            chosen.attended = True
            self._show_open(chosen)

    def _attend(self, message: Message) -> None:
        """Keep a request in sight: somebody is in its form."""
        if chosen := self._asked.get(int(message["number"])):
            chosen.attended = True

    # ---------------------------------------------------------------- the form

    def _enter(self, message: Message) -> None:
        """Take what was typed, for the request that it was typed for."""
        fields = dict(message["fields"])
        self._auto.enter(fields)
        if chosen := self._asked.get(fields.get("of", 0)):
            chosen.draft.enter(fields)

    def _format(self, _message: Message) -> None:
        """Write a JSON body with one field a line."""
        if self._open:
            self._open.draft.body = json_text.indented(self._open.draft.body)

    def _keep(self, _message: Message) -> None:
        """Let what stands in the form be what the auto-answer would say."""
        if self._open:
            self._auto.keep(self._open.draft)
            on = "It is the automatic answer from now on." if self.auto["on"] else "Auto-answer on sends it."
            if self.auto["on"]:
                self._apply()
            self._say("good", "Kept.", on)

    def _carry(self, _message: Message) -> None:
        """Take what was typed for a request that ended over to the oldest one that waits."""
        ended = self._open
        found = next((each for each in self._asked.values() if each.waits), None)
        if ended and found:
            found.draft, found.attended = ended.draft, True
            self._show_open(found)

    def _discard(self, _message: Message) -> None:
        """Let go of a request that ended, with what was typed for it."""
        if self._open and not self._open.waits:
            self._show_open(None)

    # ---------------------------------------------------------------- calls

    def _answer(self, message: Message) -> None:
        """Reply or refuse, as the form says."""
        assert self.source
        chosen = self._asked.get(int(message["number"]))
        if chosen is None:
            return
        try:
            given = chosen.draft.arguments()
        except WrongEntry:
            self._looked = str(message["turn"])
            return
        verb = chosen.draft.verb
        try:
            sent = getattr(self.source, verb)(chosen.opened, **given)
        except (DeadlineExceeded, RequestRejected):
            if chosen.waits:
                raise
            return  # how it ended stands above the form
        self._did(verb, {"id": asked.short(chosen.request.id, self._ids()), **given})
        with self._guard:
            done = "Answered" if verb == "reply" else "Refused"
            self._spoken = f"{done} {cells.cut(chosen.request.channel)} after {span(sent.elapsed or 0)}"
            if self._open is chosen:
                self._show_open(None)
            else:
                chosen.attended, chosen.draft = False, Draft()

    def _ids(self) -> list[str]:
        return [each.request.id for each in self._asked.values()]

    def _answer_by_itself(self, message: Message) -> None:
        """Switch the auto-answer, or let it answer with what stands in its fields."""
        assert self.source
        self._auto.mode = message.get("mode", self._auto.mode)
        if message["on"]:
            self._apply()
        else:
            self.source.auto("off")
            self._did("auto", {"mode": "off"})

    def _apply(self) -> None:
        assert self.source
        try:
            given = self._auto.arguments()
        except WrongEntry:
            return  # the field says why
        self.source.auto(**given)
        self._did("auto", given)

    def _stop(self, _message: Message) -> None:
        assert self.source
        self._note("stop()", _lines(*(f"stop {each.id}" for each in self.source.responders)))
        self.source.stop()

    def _start(self, _message: Message) -> None:
        assert self.source
        begun = (f"{each.kind} respond {each.channel} --manual" for each in self.source.responders)
        self._note("start()", _lines(*begun))
        self.source.start()

    def _retry(self, _message: Message) -> None:
        assert self.source
        self._note("retry()", _lines(*(f"retry {each.id}" for each in self.source.responders)))
        self.source.retry()

    def _hand_over(self) -> None:
        assert self.source
        frame = self.source.df
        self._handed = hand_over(frame, self.source.channel, self._variables, name=self._handed)
        self.said = captions.handed(self._handed, len(frame))

    def _did(self, verb: str, given: Mapping[str, object]) -> None:
        """Note a call as the foot shows it."""
        plain = ("id", "mode", "body", *(["error"] if verb == "refuse" else []))
        said = [repr(value) if name in plain else f"{name}={value!r}" for name, value in given.items()]
        self._note(f"{verb}({', '.join(said)})", language.line(f"answers {verb}", given))

    def _note(self, call: str, line: str) -> None:
        self._done = (_bounded(call), _bounded(line))


def _bounded(code: str) -> str:
    return clean(code if len(code) <= _LONGEST else f"{code[:_LONGEST]}…")


def _lines(*lines: str) -> str:
    """Lines as one of them, or as the cell that has them all."""
    return f"%kubemq {lines[0]}" if len(lines) == 1 else "\n".join(["%%kubemq", *lines])


def _about(source: Answers) -> dict[str, object]:
    name = source.channel or "Answer by hand"
    return {
        "channel": cells.cut(name),
        "kind": f"by hand, {where(source.connection)}",
        "icon": "answer",
        "label": f"Answer by hand: {cells.cut(source.channel) or 'no channel yet'}",
        "ask": next((f"%kubemq {each.kind} send {each.channel} BODY" for each in source.responders), ""),
    }


def _status(source: Answers) -> dict[str, object]:
    now = source.status()
    word, tone, icon = _LOOKS["closed" if source.closed else now.state]
    counts = {"answered": now.answered, "refused": now.refused, "too late": now.unanswered}
    latency = source.latency()
    return {
        "state": "closed" if source.closed else now.state,
        "word": word,
        "tone": tone,
        "icon": icon,
        "counts": [
            ["waiting", render.count(len(source.open))],
            *([name, render.count(count)] for name, count in counts.items()),
        ],
        "latency": f"latency p50 {span(latency[0])}, p99 {span(latency[1])}"
        if latency
        else "latency none yet",
        "note": captions.notice(now, []) or {},
        "outage": captions.outage(now),
        "as_of": int(now.as_of.timestamp() * 1000),
    }


def _body(typed: Draft, mistake: str) -> dict[str, object]:
    """The body as the browser edits it."""
    state = {"as": typed.body_as, "text": typed.body, "kept": False, "tone": "", "note": "No body"}
    if mistake:
        return {**state, "tone": "bad", "note": mistake}
    raw = typed.raw
    return {**state, "tone": "good", "note": body_note(typed.body_as, raw)} if raw else state
