"""Events and events store: send, and receive bounded or live."""

from kubemq_nb.magics.declaration import Command
from kubemq_nb.session.events import Events
from kubemq_nb.session.events_store import EventsStore

SEND = {"metadata": "-m", "tags": "-t"}
READ = {"count": "-n", "group": "-g"}

COMMANDS = (
    Command(
        "events send",
        Events.send,
        shorts=SEND,
        cell="body",
        examples=('events send gates.EWR {"flight": 1545, "gate": "C71"} -t day=1',),
    ),
    Command(
        "events receive",
        Events.receive,
        shorts=READ,
        examples=("events receive gates.* --live", "events receive gates.EWR -n 5 --timeout 1s"),
    ),
    Command(
        "events_store send",
        EventsStore.send,
        shorts=SEND,
        cell="body",
        examples=('events_store send departures {"flight": 1545, "dep_delay": 2}',),
    ),
    Command(
        "events_store receive",
        EventsStore.receive,
        shorts=READ,
        examples=(
            "events_store receive departures",
            "events_store receive departures --start seq:1 --to seq:1 -o first",
            "events_store receive departures --start 10m",
            "events_store receive departures --start first --live",
        ),
    ),
    Command(
        "events_store scrub",
        EventsStore.scrub,
        examples=("events_store scrub departures", "events_store scrub departures --fold {{max}}"),
    ),
)
