"""Queues: send, peek, receive, purge, and transactions with their verbs."""

from typing import TYPE_CHECKING

from kubemq_nb.errors import TransactionClosed
from kubemq_nb.magics.declaration import Command
from kubemq_nb.session import Transaction
from kubemq_nb.session.queues import Queues

if TYPE_CHECKING:
    from kubemq_nb.magics.call import Call

READ = {"count": "-n", "wait": "-w"}
SEND = {"metadata": "-m", "tags": "-t"}


def _waiting(call: "Call") -> str:
    """How many messages a purge would remove, as far as the server tells."""
    channel = call.arguments["channel"]
    listed = call.session.channels.list("queues", channel)
    found = listed[listed["channel"] == channel]
    waiting = found["waiting"].iloc[0] if len(found) else None
    told = waiting is not None and not listed["waiting"].isna().any()
    count = f"{waiting:,} waiting message{'' if waiting == 1 else 's'}" if told else "All waiting messages"
    return f"{count} would be removed from {channel} for good"


def _on_newest(call: "Call") -> object:
    """Act on the open transaction that began last; without one, let the last of this shell say why not."""
    transactions = [job for job in call.session.open_jobs() if isinstance(job, Transaction)]
    newest = transactions[-1] if transactions else call.latest
    if newest is None:
        raise TransactionClosed("No transaction is open; `%kubemq queues transaction CHANNEL` opens one.")
    return call.invoke(newest)


COMMANDS = (
    Command(
        "queues send",
        Queues.send,
        shorts=SEND,
        cell="body",
        examples=(
            'queues send orders {"id": 17, "total": 99.5}',
            'queues send orders "two words" -m note -t lang=en --delay 2s --expiration 5m',
            'queues send orders --rows {{[{"id": n} for n in range(3)]}}',
        ),
    ),
    Command(
        "queues peek",
        Queues.peek,
        shorts=READ,
        examples=(
            "queues peek orders -n 5",
            'queues peek orders --where "body.total > 10" --fields total,tags.day',
        ),
    ),
    Command("queues receive", Queues.receive, shorts=READ, examples=("queues receive orders -n 2 -o taken",)),
    Command("queues ack_all", Queues.ack_all, destroys=_waiting, examples=("queues ack_all orders -y",)),
    Command(
        "queues transaction",
        Queues.transaction,
        shorts=READ,
        examples=("queues transaction orders --visibility 30s",),
    ),
    Command("tx ack", Transaction.ack, run=_on_newest, examples=("tx ack",)),
    Command("tx reject", Transaction.reject, run=_on_newest, examples=("tx reject",)),
    Command("tx extend", Transaction.extend, run=_on_newest, examples=("tx extend 1m",)),
    Command("tx resend", Transaction.resend, run=_on_newest, examples=("tx resend orders.later",)),
    Command(
        "tx modify",
        Transaction.modify,
        run=_on_newest,
        shorts=SEND,
        examples=('tx modify {"id": 17, "total": 0} -t edited=yes',),
    ),
    Command("tx status", Transaction.status, run=_on_newest, examples=("tx status",)),
)
