"""Commands and queries: ask, and answer from a cell, a function, a fixed reply, or by hand."""

from kubemq_nb.magics.declaration import Command
from kubemq_nb.session import Answers
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
        examples=(
            'queries respond delays.mean --reply {"mean_delay": 9.5}',
            "queries respond delays.mean --manual",
        ),
    ),
    Command(
        "answers reply",
        Answers.reply,
        shorts=SEND,
        cell="body",
        examples=('answers reply 5d60bc1e {"mean_delay": 9.5}',),
    ),
    Command(
        "answers refuse",
        Answers.refuse,
        shorts=SEND,
        examples=('answers refuse 5d60bc1e --error "gate C71 is taken"',),
    ),
    Command(
        "answers auto",
        Answers.auto,
        shorts=SEND,
        examples=(
            'answers auto fixed {"mean_delay": 0} --after 50ms',
            'answers auto error --error "closed until 06:00"',
            "answers auto off",
        ),
    ),
)
