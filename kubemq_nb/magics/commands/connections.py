"""Connections, the embedded broker, channels and jobs."""

import os
import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from kubemq_nb.magics.declaration import Command
from kubemq_nb.magics.history import VARIABLE_NAME
from kubemq_nb.render import Text
from kubemq_nb.session import Session, connect, registry
from kubemq_nb.session.broker import Broker
from kubemq_nb.session.channels import Channels

if TYPE_CHECKING:
    from kubemq_nb.magics.call import Call

VARIABLE = "kq"  # the current session in the user's namespace


def _connect(call: "Call") -> Session:
    """Connect, and make the session the current one."""
    if not re.fullmatch(VARIABLE_NAME, str(call.arguments.get("token_env", "_"))):
        # The value may be the token itself, so the refusal does not repeat it.
        raise UsageError("--token-env wants the name of an environment variable, not a token")
    given = {name: _expanded(value) for name, value in call.arguments.items()}
    try:
        session = call._replace(arguments=given).invoke()
    except (TypeError, ValueError) as error:
        raise UsageError(_unexpanded(str(error), call.arguments, given)) from None
    return bind(call, session)


def bind(call: "Call", session: object) -> Session:
    """Put the session into the namespace, where Python finds it as `kq`."""
    assert isinstance(session, Session)
    call.shell.user_ns[VARIABLE] = session
    return session


def _expanded(value: object) -> object:
    """Replace `$NAME` from the environment."""
    if not isinstance(value, str):
        return value
    expanded = os.path.expandvars(value)
    if "$" in expanded:
        raise UsageError(f"{value} names an environment variable that is not set")
    return expanded


def _unexpanded(told: str, typed: dict[str, object], given: dict[str, object]) -> str:
    """An error in the words of the line: what a variable holds may be a secret in the wrong place."""
    for name, value in typed.items():
        if value != given[name]:
            told = told.replace(str(given[name]), str(value))
    return told


def _use(call: "Call") -> Session:
    return bind(call, call.invoke(call.session))


def _ui(call: "Call") -> object:
    """Open a view, which says at its foot what was typed."""
    view: Any = call.invoke(call.session)
    if not call.arguments.get("send"):  # a form says what stands in it
        view.code = call.line
    return view


def _close(call: "Call") -> Text:
    """Close, and let `kq` be whichever session is the current one then; nothing is connected for it."""
    session = registry.get(call.presentation.on) if call.presentation.on else registry.current()
    name = call.arguments.get("name") or session.name
    call.invoke(session)
    if not registry.all():
        return Text(f"{name} is closed")
    return Text(f"{name} is closed, and {bind(call, registry.current()).name} is the current connection")


def _deleted(call: "Call") -> str:
    kind, channel = call.arguments["kind"], call.arguments["channel"]
    return f"The {kind} channel {channel} would be deleted with all that it holds"


def _everything(call: "Call") -> str:
    return f"All channels and messages of {call.session.name} would be forgotten for good"


COMMANDS = (
    Command(
        "connect",
        connect,
        run=_connect,
        examples=(
            "connect",
            "connect --store lessons --name lessons",
            "connect $KUBEMQ_HOST --name production",
            "connect --profile production --read-only",
        ),
    ),
    Command("ping", Session.ping, examples=("ping",)),
    Command("status", Session.status, examples=("status",)),
    Command("connections", Session.connections, examples=("connections",)),
    Command("use", Session.use, run=_use, examples=("use lessons",)),
    Command("close", Session.close, run=_close, examples=("close lessons",)),
    Command("broker start", Broker.start, examples=("broker start",)),
    Command("broker stop", Broker.stop, examples=("broker stop",)),
    Command("broker restart", Broker.restart, examples=("broker restart",)),
    Command("broker damage", Broker.damage, examples=("broker damage",)),
    Command("broker reset", Broker.reset, destroys=_everything, examples=("broker reset -y",)),
    Command("channels", Channels.list, owner="channels", examples=("channels --pattern queues",)),
    Command(
        "channels create",
        Channels.create,
        examples=("channels create queues orders",),
    ),
    Command(
        "channels delete",
        Channels.delete,
        destroys=_deleted,
        examples=("channels delete queues orders -y",),
    ),
    Command("stats", Session.stats, examples=("stats orders",)),
    Command("ui", Session.ui, run=_ui, examples=("ui", "ui queues orders", "ui events gates")),
    Command("jobs", Session.jobs, examples=("jobs",)),
    Command("stop", Session.stop, examples=("stop all",)),
    Command("pause", Session.pause, examples=("pause 1",)),
    Command("resume", Session.resume, examples=("resume 1",)),
    Command("clear", Session.clear, examples=("clear 1",)),
    Command("filter", Session.filter, examples=('filter 1 --where "body.dep_delay > 60"',)),
    Command("retry", Session.retry, examples=("retry 1",)),
    Command("restart", Session.restart, examples=("restart 1 --start seq:1200",)),
)
