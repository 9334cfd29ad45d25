"""The card of a transaction by itself: what is held, and what can be done with it."""

from collections.abc import Mapping

from traitlets import Dict

from kubemq_nb import render
from kubemq_nb.render.frames import raw
from kubemq_nb.render.live import where
from kubemq_nb.session import Transaction
from kubemq_nb.widgets import cells, peeked
from kubemq_nb.widgets.card import Card
from kubemq_nb.widgets.handover import Variables, variable_of
from kubemq_nb.widgets.message import editable, opened
from kubemq_nb.widgets.model_view import Action, Message, ModelView, module

_HELD = "Held: nobody else gets it."


class TransactionView(ModelView[Transaction]):
    """Shows what a transaction holds, with a countdown and a button for each of its verbs."""

    _esm = module("life.js", "message.js", "card.js", "transaction.js")

    card = Dict().tag(sync=True)
    detail = Dict().tag(sync=True)  # the message, when it is one
    editor = Dict().tag(sync=True)
    table = Dict().tag(sync=True)  # the messages, when they are several

    def __init__(self, source: Transaction, *, variables: Variables | None = None) -> None:
        self._card = Card(source, name=variable_of(source, variables or {}) or "tx")
        super().__init__(source, variables=variables)

    def version(self, source: Transaction) -> object:
        """Another after each change of state or deadline."""
        return source.version

    def over(self, source: Transaction) -> bool:
        """Whether nothing is held any more."""
        return source.finished

    def show(self, source: Transaction) -> None:
        """Write all of it into the traits."""
        place = where(source.connection)
        self.about = {
            "channel": source.channel,
            "kind": f"queue, {place}",
            "icon": "queues",
            "label": f"Held messages of {source.channel}",
        }
        self.card = self._card.state()
        if len(source.messages) == 1:
            self.detail = opened(peeked.first(source.df), hint=_HELD, is_held=True)
        elif source.messages:
            status = source.status()
            told = zip(status["sequence"].tolist(), status["state"].tolist(), source.messages, strict=True)
            self.table = {
                "rows": [
                    [render.count(number), state, cells.cut(raw(each.body))] for number, state, each in told
                ]
            }
        self.foot = {
            "code": self._code(source),
            "held": "nothing held"
            if source.finished
            else f"{render.counted(len(source.sequences), 'message')} held",
        }

    def _code(self, source: Transaction) -> str:
        if not self._card.call:
            return source.code or f"%kubemq queues transaction {source.channel}"
        self._card.name = variable_of(source, self._variables) or "tx"
        return f"{self._card.name}.{self._card.call}"

    def at_once(self) -> Mapping[str, Action]:
        """What needs no broker."""
        return {"edit": self._edit}

    def calls(self) -> Mapping[str, Action]:
        """The five verbs."""
        return {name: self._settling(call) for name, call in self._card.actions().items()}

    def _edit(self, message: Message) -> None:
        assert self.source
        self.editor = editable(peeked.first(self.source.df)) if message["on"] else {}

    def _settling(self, call: Action) -> Action:
        def settle(message: Message) -> None:
            call(message)
            if self.source and self.source.finished:
                self.editor = {}

        return settle
