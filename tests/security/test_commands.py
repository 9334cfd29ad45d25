"""Every command on a channel, with messages, that are hostile: what a cell shows of them is text."""

import uuid

import pytest

from kubemq_nb import widgets
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.session import registry
from kubemq_nb.widgets.views import Views
from tests.security.test_markup import strange
from tests.security.test_visible import harmful
from tests.unit.magics.test_same_result import SAME, newest

pytestmark = pytest.mark.embedded_only

TEXT = "</td></table><img src=x onerror=alert(1)>\x1b]0;x\x07\u202e\u2063"
CHANNEL = "kubemq-nb-test.<u&lt;\u2066\u200b"  # as much as a broker takes
OURS = ("_esm", "_css", "_view_name", "_model_name", "_view_module", "_model_module", "_anywidget_id")
NOT_SHOWN = (
    "field",
    "copy",
)  # by which a view finds the values of a column; what a button puts on the clipboard


@pytest.fixture
def kq(shell, broker, closing):
    connect = f"%kubemq connect {broker.address} --token-file {broker.token_file} --name lab -q"
    shell.run_cell(connect).raise_error()
    yield shell.user_ns["kq"]
    for session in registry.all():
        session.close()


def strings(value, name=""):
    """All texts of the state of a widget, with what they are called."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(each, str(key))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each, name)


def seen(view):
    """What a view sends to the browser, where it is written as text."""
    state = {name: each for name, each in view.get_state().items() if name not in OURS}
    return [text for name, text in strings(state) if name not in NOT_SHOWN]


@pytest.mark.parametrize("words", [each.words for each in COMMANDS if not SAME[each.words].own])
def test_no_command_shows_more_of_others_than_text(shell, kq, capsys, words):
    """Found by the list of commands: a new one is tried as soon as it exists."""
    channel = f"{CHANNEL}{uuid.uuid4().hex[:8]}"
    hostile = {"metadata": TEXT, "tags": {TEXT: TEXT}, "id": TEXT}
    kq.queues.send(channel, TEXT, dead_letter=channel + "d", max_receive_count=1, **hostile)
    kq.queues.send(channel, {TEXT: TEXT}, **hostile)
    kq.events_store.send(channel, TEXT, **hostile)
    same = SAME[words]
    same.before(kq, channel)
    line = same.line.replace("CH", channel)
    result = shell.run_line_magic(
        "kubemq", line.replace("{job}", str(newest(kq).id) if kq.open_jobs() else "")
    )
    capsys.readouterr()

    shown = shell.display_formatter.format(result)[0] if result is not None else {}

    assert strange(shown.get("text/html", "")) == []
    assert harmful(shown.get("text/plain", "")) == []
    if isinstance(result, tuple(widgets.MAKE)):
        view = Views({}).of(result)
        told = seen(view)
        view.close()
        assert told
        assert [text for text in told if set(harmful(text)) & set(TEXT)] == []  # names stand as they are
