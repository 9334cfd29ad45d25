"""Each command gives the object that its method gives: of one type, one form and one content.

That its parameters and defaults are the method's as well is held by tests/unit/magics/test_reference.py.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass

import pandas as pd
import pytest
from IPython import get_ipython

import kubemq_nb
from kubemq_nb.errors import KubeMQError
from kubemq_nb.magics.commands import COMMANDS, information
from kubemq_nb.render import Text
from kubemq_nb.session import Feed, Responder, Transaction

CONTENT = ["metadata", "body", "decoded", "tags", "sequence", "sent", "kind", "state", "waiting", "executed"]


def nothing(kq, channel):
    """What is there before the line and the call."""


def message(kq, channel):
    kq.queues.send(channel, {"n": 1}, metadata="note", tags={"a": "b"})


def held(kq, channel):
    message(kq, channel)
    kq.queues.transaction(channel)


def event(kq, channel):
    kq.events_store.send(channel, {"n": 1}, metadata="note", tags={"a": "b"})


def listener(kq, channel):
    kq.events.receive(channel, live=True)


def answering(kq, channel):
    kq.commands.respond(channel, echo=True)
    kq.queries.respond(channel, reply={"n": 2})


def asked(kq, channel):
    """Somebody asks `ask-CHANNEL`, and nobody has answered yet."""
    desk = kq.queries.respond(channel, manual=True)

    def ask():
        with suppress(KubeMQError):  # the session may be closed before it has the answer
            kq.queries.send(channel, "?", id=f"ask-{channel}", timeout=20)

    threading.Thread(target=ask, daemon=True).start()
    assert desk.wait()


def newest(kq):
    return kq.open_jobs()[-1]


def config(*values):
    return information.config(get_ipython().magics_manager.registry["KubeMQMagics"], *values)


@dataclass(frozen=True)
class Same:
    """A line and the call that means the same; CH stands for the channel, which is another one for each."""

    line: str
    call: Callable[..., object]
    before: Callable[..., None] = nothing
    own: bool = False  # needs a broker of the session's own


SAME = {
    "connect": Same(
        "connect {access} --name CH --client-id me",
        lambda kq, ch: kubemq_nb.connect(kq.address, token_file=kq.token_file, name=ch, client_id="me"),
        own=True,
    ),
    "ping": Same("ping", lambda kq, _: kq.ping()),
    "status": Same("status", lambda kq, _: kq.status()),
    "connections": Same("connections", lambda kq, _: kq.connections()),
    "use": Same("use lab", lambda kq, _: kq.use("lab")),
    "close": Same("close", lambda kq, _: kq.close() or Text("lab is closed")),  # a line says what it did
    "broker start": Same("broker start", lambda kq, _: kq.broker.start(), own=True),
    "broker stop": Same("broker stop", lambda kq, _: kq.broker.stop(), own=True),
    "broker restart": Same("broker restart", lambda kq, _: kq.broker.restart(), own=True),
    "broker damage": Same("broker damage", lambda kq, _: kq.broker.damage(), own=True),
    "broker reset": Same("broker reset -y", lambda kq, _: kq.broker.reset(), own=True),
    "channels": Same("channels --filter CH", lambda kq, ch: kq.channels.list(filter=ch), message),
    "channels create": Same("channels create queues CH", lambda kq, ch: kq.channels.create("queues", ch)),
    "channels delete": Same(
        "channels delete queues CH -y", lambda kq, ch: kq.channels.delete("queues", ch), message
    ),
    "stats": Same("stats CH", lambda kq, ch: kq.stats(ch), message),
    "ui": Same("ui queues CH", lambda kq, ch: kq.ui("queues", ch), message),
    "jobs": Same("jobs", lambda kq, _: kq.jobs(), listener),
    "pause": Same("pause {job}", lambda kq, _: kq.pause(newest(kq).id), listener),
    "resume": Same("resume {job}", lambda kq, _: kq.resume(newest(kq).id), listener),
    "clear": Same("clear {job}", lambda kq, _: kq.clear(newest(kq).id), listener),
    "filter": Same("filter {job} --where late", lambda kq, _: kq.filter(newest(kq).id, "late"), listener),
    "retry": Same("retry {job}", lambda kq, _: kq.retry(newest(kq).id), listener),
    "restart": Same("restart {job}", lambda kq, _: kq.restart(newest(kq).id), listener),
    "stop": Same("stop all", lambda kq, _: kq.stop("all"), listener),
    "queues send": Same(
        'queues send CH {"n": 1} -m note -t a=b --expiration 1m --max-receive-count 2 --dead-letter dead',
        lambda kq, ch: kq.queues.send(
            *(ch, {"n": 1}),
            metadata="note",
            tags={"a": "b"},
            expiration=60,
            max_receive_count=2,
            dead_letter="dead",
        ),
    ),
    "queues peek": Same("queues peek CH -n 1", lambda kq, ch: kq.queues.peek(ch, count=1), message),
    "queues receive": Same("queues receive CH -n 1", lambda kq, ch: kq.queues.receive(ch, count=1), message),
    "queues ack_all": Same("queues ack_all CH -y", lambda kq, ch: kq.queues.ack_all(ch), message),
    "queues transaction": Same(
        "queues transaction CH --hold 5s", lambda kq, ch: kq.queues.transaction(ch, hold=5), message
    ),
    "tx ack": Same("tx ack", lambda kq, _: newest(kq).ack(), held),
    "tx reject": Same("tx reject", lambda kq, _: newest(kq).reject(), held),
    "tx extend": Same("tx extend 20s", lambda kq, _: newest(kq).extend(20), held),
    "tx resend": Same("tx resend CH.later", lambda kq, ch: newest(kq).resend(f"{ch}.later"), held),
    "tx modify": Same("tx modify x -t c=d", lambda kq, _: newest(kq).modify("x", tags={"c": "d"}), held),
    "tx status": Same("tx status", lambda kq, _: newest(kq).status(), held),
    "events send": Same("events send CH hello", lambda kq, ch: kq.events.send(ch, "hello")),
    "events receive": Same(
        "events receive CH --timeout 50ms", lambda kq, ch: kq.events.receive(ch, timeout=0.05)
    ),
    "events_store send": Same(
        'events_store send CH --rows ["a","b"]', lambda kq, ch: kq.events_store.send(ch, rows=["a", "b"])
    ),
    "events_store receive": Same(
        "events_store receive CH --start seq:1 --fields n",
        lambda kq, ch: kq.events_store.receive(ch, start="seq:1", fields="n"),
        event,
    ),
    "events_store scrub": Same("events_store scrub CH", lambda kq, ch: kq.events_store.scrub(ch), event),
    "commands send": Same(
        "commands send CH go -t a=b --timeout 20s",
        lambda kq, ch: kq.commands.send(ch, "go", tags={"a": "b"}, timeout=20),
        answering,
    ),
    "commands respond": Same(
        "commands respond CH --echo", lambda kq, ch: kq.commands.respond(ch, echo=True)
    ),
    "queries send": Same(
        "queries send CH x --timeout 20s", lambda kq, ch: kq.queries.send(ch, "x", timeout=20), answering
    ),
    "queries respond": Same(
        'queries respond CH --reply {"n":2}', lambda kq, ch: kq.queries.respond(ch, reply='{"n":2}')
    ),
    "answers reply": Same(
        'answers reply ask-CH {"n":1} -t a=b',
        lambda kq, ch: kq.answers.reply(f"ask-{ch}", '{"n":1}', tags={"a": "b"}),
        asked,
    ),
    "answers refuse": Same(
        "answers refuse ask-CH --error closed", lambda kq, ch: kq.answers.refuse(f"ask-{ch}", "closed"), asked
    ),
    "answers auto": Same("answers auto echo", lambda kq, _: kq.answers.auto("echo")),
    "help": Same("help queues peek", lambda *_: information.help(COMMANDS, "queues", "peek")),
    "config": Same("config max_rows 20", lambda *_: config("max_rows", "20")),
    "version": Same("version", lambda *_: information.version()),
}  # fmt: skip


def form(result):
    """What a result is, without what differs from call to call: ids, times, channels and spans."""
    if isinstance(result, pd.DataFrame):
        content = [name for name in CONTENT if name in result]
        return (result.dtypes.to_dict(), sorted(result.attrs), result[content].to_dict("records"))
    if isinstance(result, Feed | Responder | Transaction):
        return (type(result), result.kind, result.state)
    if is_dataclass(result):
        said = {each.name: getattr(result, each.name) for each in fields(result)}
        return (type(result), {name: known(name, value) for name, value in said.items()})
    return (type(result), result if isinstance(result, str | int) else None)


def known(name, value):
    return value if name in (*CONTENT, "action") or isinstance(value, bool | None) else type(value)


@pytest.fixture
def kq(request, lab):
    """The session that a case is about, current in the shell as well."""
    if SAME[request.node.callspec.params["words"]].own:
        lab.run_cell("%kubemq connect --name own -q").raise_error()
    return lab.user_ns["kq"]


@pytest.mark.embedded_only
@pytest.mark.rows("M-49")
@pytest.mark.parametrize("words", [command.words for command in COMMANDS])
def test_a_line_gives_what_the_method_gives(lab, kq, channel, words):
    same = SAME[words]
    line = same.line.replace("CH", f"{channel}.line")
    line = line.replace("{access}", f"{kq.address} --token-file {kq.token_file}")

    same.before(kq, f"{channel}.line")
    line = line.replace("{job}", str(newest(kq).id) if kq.open_jobs() else "")
    typed = lab.run_line_magic("kubemq", line)
    shown = form(typed)
    kq.stop("all")
    same.before(kq, f"{channel}.call")
    called = form(same.call(kq, f"{channel}.call"))

    assert shown == called


def test_no_command_is_left_out():
    assert {command.words for command in COMMANDS} - set(SAME) == set()
