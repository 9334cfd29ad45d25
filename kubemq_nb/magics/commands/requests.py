"""Commands and queries: ask, and answer from a cell, a function, or a fixed reply."""

from kubemq_nb.magics.declaration import Command
from kubemq_nb.session.requests import Commands, Queries

SEND = {"metadata": "-m", "tags": "-t"}
RESPOND = {"group": "-g"}

COMMANDS = (
    Command(
        "commands send",
        Commands.send,
        shorts=SEND,
        cell="body",
        examples=('commands send gates.assign {"flight": 1545} --timeout 2s',),
    ),
    Command(
        "commands respond",
        Commands.respond,
        shorts=RESPOND,
        cell="handler",
        examples=("commands respond gates.assign --echo",),
    ),
    Command(
        "queries send",
        Queries.send,
        shorts=SEND,
        cell="body",
        examples=(
            "queries send delays.mean B6",
            "queries send delays.mean B6 --cache-key B6 --cache-ttl 60s",
        ),
    ),
    Command(
        "queries respond",
        Queries.respond,
        shorts=RESPOND,
        cell="handler",
        examples=('queries respond delays.mean --reply {"mean_delay": 9.5}',),
    ),
)
