"""The send form: a message of any pattern to fill in, what became of the last one, and those sent before."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.errors import BrokerUnavailable, KubeMQError
from kubemq_nb.render.live import where
from kubemq_nb.session import SendForm, entries
from kubemq_nb.visible import clean, line
from kubemq_nb.widgets import controls, sent
from kubemq_nb.widgets.handover import Variables
from kubemq_nb.widgets.message import body_note, length
from kubemq_nb.widgets.model_view import Action, Message, ModelView, module

if TYPE_CHECKING:
    from kubemq_nb.messages import Response, SendResult

_BEGINNING = 2_000  # bytes of a body that is not edited


class SendFormView(ModelView[SendForm]):
    """Shows a form with a control for each field, and sends what stands in it."""

    _esm = module("life.js", "grid.js", "fields.js", "send_form.js")

    status = Dict().tag(sync=True)
    fields = Dict().tag(sync=True)  # the controls of the pattern
    values = Dict().tag(sync=True)  # what stands in them
    body = Dict().tag(sync=True)
    wrong = Dict().tag(sync=True)  # mistakes by field, and which of them is to be looked at now
    result = Dict().tag(sync=True)  # what became of the last message
    history = Dict().tag(sync=True)  # those sent before
    detail = Dict().tag(sync=True)  # one of them, in full

    def __init__(self, source: SendForm, *, variables: Variables | None = None) -> None:
        self._asked = ""  # the turn in which somebody wanted to send what cannot be read
        self._rows: dict[int, dict[str, object]] = {}  # lines of what was sent, by number
        self._opened: dict[str, object] = {}
        super().__init__(source, variables=variables)

    def version(self, source: SendForm) -> object:
        """Another after each change in the form, and of what its connection allows."""
        return source.version, source.locked

    def over(self, source: SendForm) -> bool:
        """Whether its connection was closed, and no message is on its way."""
        return source.session.closed and not source.sending

    def show(self, source: SendForm) -> None:
        """Write all of it into the traits."""
        mistakes = dict(source.mistakes)
        if source.wrong:
            mistakes[source.wrong.field] = _refusal(str(source.wrong))
        place = f"on {where(source.connection)}"
        self.about = {"label": f"Send form {place}", "kind": place}
        self.status = _status(source)
        self.fields = controls.layout(source)
        self.values = _values(source)
        self.body = _body(source, mistakes)
        self.wrong = {
            "mistakes": {name: _sentence(name, text) for name, text in mistakes.items()},
            "field": source.wrong.field if source.wrong else "",
            "turn": self._asked,
            "hint": _advice(source, mistakes),
        }
        self.result = sent.result(source) if source.last else {}
        self.history = {"rows": self._lines(source)}
        self.detail = self._opened
        self.foot = {"code": source.code, "held": f"{render.count(len(source.sent))} sent"}

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {
            "enter": self._enter,
            "choose": lambda message: self._source.choose(message["noun"]),
            "format": self._format,
            "clear": lambda _: self._source.clear(),
            "load": self._load,
            "open": self._open,
        }

    def calls(self) -> Mapping[str, Action]:
        """What asks the broker."""
        return {"send": self._send_form, "again": self._again}

    @property
    def _source(self) -> SendForm:
        assert self.source
        return self.source

    # ---------------------------------------------------------------- what a person does

    def _enter(self, message: Message) -> None:
        """Take what was typed."""
        given = dict(message["fields"])
        tags, body, body_as = (given.pop(name, None) for name in ("tags", "body", "body_as"))
        is_long = body is not None and len(body.encode()) > entries.LONGEST
        typed = {name: str(text) for name, text in given.items()}
        self._source.enter(typed, tags=tags, body=None if is_long else body, body_as=body_as)
        if is_long:
            self._keep(body)

    def _keep(self, text: str) -> None:
        """Take over a body that is too long to be edited: it is checked now, and stays in the kernel."""
        try:
            self._source.fill(body=entries.body_of(text, self._source.body_as))
        except entries.WrongEntry as wrong:
            raise ValueError(f"{_sentence('body', str(wrong))} The body stays as it was.") from None

    def _format(self, message: Message) -> None:
        try:
            self._source.format()
        except KubeMQError:
            self._asked = str(message["turn"])  # the field says why

    def _load(self, message: Message) -> None:
        self._source.load(int(message["number"]))

    def _open(self, message: Message) -> None:
        found = (each for each in self._source.sent if each.number == message["number"])
        self._opened = next((sent.opened(each) for each in found), {})

    def _send_form(self, message: Message) -> None:
        try:
            self._call(self._source.send)
        finally:
            self._asked = str(message["turn"])

    def _again(self, message: Message) -> None:
        self._call(lambda: self._source.again(int(message["number"])))

    def _call(self, send: "Callable[[], SendResult | Response]") -> None:
        """Send; what the form itself says of a failure is not said twice."""
        source, before = self._source, self._source.last
        try:
            send()
        except (KubeMQError, TypeError, ValueError):
            if source.wrong is None and source.last is before:
                raise

    def _lines(self, source: SendForm) -> list[dict[str, object]]:
        """A line for each message, newest first; each is made once."""
        kept = source.sent
        self._rows = {each.number: self._rows.get(each.number) or sent.row(each) for each in kept}
        return list(reversed(self._rows.values()))


def _status(source: SendForm) -> dict[str, object]:
    word, tone, icon = "", "", ""
    if source.session.closed:
        word, tone, icon = "closed", "off", "halt"
    elif source.last and isinstance(source.last.error, BrokerUnavailable):
        word, tone, icon = "not connected", "bad", "bad"
    return {
        "word": word,
        "tone": tone,
        "icon": icon,
        "locked": source.locked,
        "read_only": source.session.read_only,
    }


def _values(source: SendForm) -> dict[str, object]:
    """What stands in the controls, by field."""
    lines = [field.name for field in source.fields if field.meaning not in ("tags", "body")]
    texts = {name: source.entries.get(name, "") for name in lines}
    return {**texts, "tags": [list(pair) for pair in source.tags]}


def _body(source: SendForm, mistakes: Mapping[str, str]) -> dict[str, object]:
    """The body as the browser edits it: of a long one it has the beginning."""
    raw = source.raw
    state = {"as": source.body_as, "text": source.body, "kept": False, "tone": "", "note": "No body"}
    if raw is None or "body" in mistakes:
        return {**state, "tone": "bad", "note": _sentence("body", mistakes["body"])}
    if source.body_as == "bytes":
        note = f"{length(raw)}, kept as it was given: too long to be edited. Choose how another one is meant."
        return {**state, "kept": True, "text": _beginning(raw), "note": note}
    return {**state, "tone": "good", "note": body_note(source.body_as, raw)} if raw else state


def _beginning(raw: bytes) -> str:
    """How a body begins: as text, or in hexadecimal when it is none."""
    part = raw[:_BEGINNING]
    text = part.decode(errors="ignore")
    is_text = len(part) - len(text.encode()) < 4  # noqa: PLR2004  its last character may be cut
    return f"{clean(text) if is_text else part.hex(' ')}…"


def _refusal(text: str) -> str:
    """Why nothing was sent, and that nothing was."""
    return text if "nothing was" in text.lower() else f"{text.removesuffix('.')}. Nothing was sent."


def _sentence(name: str, text: str) -> str:
    """A sentence that stands below the field, which therefore need not be named in it."""
    told = line(text).removeprefix(f"{name} is ")
    return f"{told[:1].upper()}{told[1:].removesuffix('.')}."


def _advice(source: SendForm, mistakes: Mapping[str, str]) -> str:
    """What to do about the mistakes."""
    if not mistakes:
        return ""
    name, *others = mistakes
    if others:
        return "Fix what is marked."
    as_text = ", or send it as text" if name == "body" and source.body_as != "text" else ""
    return f"Fix the {controls.label(name).lower()}{as_text}."
