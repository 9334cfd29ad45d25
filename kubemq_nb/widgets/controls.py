"""What the controls of a form are called, and where they stand: one for each option of `send`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from kubemq_nb.session import SendForm
from kubemq_nb.session.entries import Field

if TYPE_CHECKING:
    from kubemq_nb.messages import Kind


class Verb(NamedTuple):
    """What sending is called: on the button, while it is done, and once more."""

    name: str
    waits: str
    again: str


class _Control(NamedTuple):
    label: str
    unit: str = ""
    placeholder: str = ""
    look: str = ""


class _Row(NamedTuple):
    names: tuple[str, ...]
    columns: str = ""
    legend: str = ""


_SEND = Verb("Send", "Sending", "Send again")
VERBS: "Final[dict[Kind, Verb]]" = {
    "queues": _SEND,
    "events": _SEND,
    "events_store": _SEND,
    "commands": Verb("Run", "Running", "Run again"),
    "queries": Verb("Ask", "Asking", "Ask again"),
}
_CONTROLS: Final = {
    "channel": _Control("Channel", look="mono"),
    "id": _Control("Id", placeholder="made for you", look="mono"),
    "metadata": _Control("Metadata", placeholder="any text"),
    "client_id": _Control("Sender", look="mono"),
    "tags": _Control("Tags"),
    "delay": _Control("Delay", "s", "0", "num"),
    "expiration": _Control("Expires after", "s", "never", "num"),
    "max_receive_count": _Control("Dead letter after", "receives", "", "num"),
    "dead_letter": _Control("Dead letter queue", "", "none", "mono"),
    "timeout": _Control("Timeout", "s", "", "num"),
    "cache_key": _Control("Cache key", "", "none", "mono"),
    "cache_ttl": _Control("Cache for", "s", "", "num"),
}
_ROWS: Final = (
    _Row(("channel", "id"), "wide-first"),
    _Row(("metadata", "client_id")),
    _Row(("tags",)),
    _Row(("delay", "expiration", "max_receive_count", "dead_letter"), legend="Policy"),
    _Row(("timeout", "cache_key", "cache_ttl"), "three"),
)


def label(name: str) -> str:
    """What a field is called."""
    return _CONTROLS[name].label if name in _CONTROLS else name.replace("_", " ").capitalize()


def layout(source: SendForm) -> dict[str, object]:
    """Controls of the pattern of a form, row by row, and its verb."""
    return {"noun": source.noun, "verb": VERBS[source.noun]._asdict(), "rows": list(_rows(source))}


def _rows(source: SendForm) -> Iterator[dict[str, object]]:
    fields = {field.name: field for field in source.fields if field.meaning != "body"}
    placed = {name for row in _ROWS for name in row.names}
    others = tuple(_Row((name,)) for name in fields if name not in placed)
    for row in (*_ROWS, *others):
        if found := [fields[name] for name in row.names if name in fields]:
            yield {
                "columns": row.columns,
                "legend": row.legend,
                "controls": [_control(field, source) for field in found],
            }


def _control(field: Field, source: SendForm) -> dict[str, str]:
    control = _CONTROLS.get(field.name, _Control(label(field.name)))
    placeholder = control.placeholder
    if field.name == "client_id":
        placeholder = source.session.client_id
    elif field.meaning == "seconds" and field.default:
        placeholder = f"{field.default:g}"
    return {
        "name": field.name,
        "kind": "tags" if field.meaning == "tags" else "text",
        "label": control.label,
        "title": f"{field.name} in Python",
        "unit": control.unit,
        "placeholder": placeholder,
        "look": control.look,
    }
