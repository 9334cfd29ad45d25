"""Run in an environment of an official SDK: one message each way and pattern, both packages in one process.

both_ways.py ADAPTER ORDER ADDRESS CHANNEL, the token on standard input; prints what arrived, as JSON.
"""

import importlib
import json
import queue
import sys
import time
from collections.abc import Callable

WAIT = 20.0  # seconds until something that should arrive counts as lost
MESSAGE = {"body": b'{"n": 1}', "metadata": "Grüße", "tags": {"k": "v"}}


def load(adapter: str, order: str) -> tuple[object, object]:
    """Import both packages, the one named by `order` first."""
    if order == "ours first":
        importlib.import_module("kubemq_nb.session")
    sys.path.insert(0, __file__.rpartition("/")[0])
    theirs = importlib.import_module(adapter)
    return importlib.import_module("kubemq_nb"), theirs


def plain(message: object) -> dict[str, object]:
    """The fields that every pattern carries, of a message of either package."""
    return {
        "body": bytes(message.body).decode(),
        "metadata": message.metadata,
        "tags": dict(message.tags or {}),
    }


def row(frame: object) -> dict[str, object]:
    return plain(frame.iloc[0])


def until(arrived: "queue.Queue[object]", send: Callable[[], object]) -> object:
    """Send until one arrives: a subscription of the official SDK does not say when it is live."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        send()
        try:
            return arrived.get(timeout=0.2)
        except queue.Empty:
            continue
    raise TimeoutError("nothing arrived")


def ask(send: Callable[[], object]) -> object:
    """Ask until there is an answer, for the same reason."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            return send()
        except TimeoutError:
            if time.monotonic() > deadline:
                raise


def exchange(kq: object, theirs: object, channel: str) -> dict[str, object]:
    """One message of every pattern in both directions."""
    heard: dict[str, object] = {}

    theirs.send_queue(f"{channel}.q1", **MESSAGE)
    heard["queues: theirs to ours"] = row(kq.queues.receive(f"{channel}.q1", count=1, wait=5))
    kq.queues.send(f"{channel}.q2", **MESSAGE)
    heard["queues: ours to theirs"] = plain(theirs.receive_queue(f"{channel}.q2"))

    feed = kq.events.receive(f"{channel}.e1", live=True)
    theirs.send_event(f"{channel}.e1", **MESSAGE)
    feed.wait(count=1, timeout=WAIT)
    heard["events: theirs to ours"] = row(feed.df)
    arrived: queue.Queue[object] = queue.Queue()
    theirs.on_event(f"{channel}.e2", arrived.put)
    send = lambda: kq.events.send(f"{channel}.e2", **MESSAGE)  # noqa: E731
    heard["events: ours to theirs"] = plain(until(arrived, send))

    theirs.send_stored(f"{channel}.s1", **MESSAGE)
    heard["events_store: theirs to ours"] = row(kq.events_store.receive(f"{channel}.s1", start="first"))
    kq.events_store.send(f"{channel}.s2", **MESSAGE)
    stored: queue.Queue[object] = queue.Queue()
    theirs.on_stored(f"{channel}.s2", stored.put)
    heard["events_store: ours to theirs"] = plain(stored.get(timeout=WAIT))

    seen: queue.Queue[object] = queue.Queue()
    kq.commands.respond(f"{channel}.c1", seen.put)
    answer = theirs.command(f"{channel}.c1", **MESSAGE)
    executed = getattr(answer, "is_executed", getattr(answer, "executed", None))
    heard["commands: theirs to ours"] = plain(seen.get(timeout=WAIT)) | {"executed": executed}
    theirs.answer_commands(f"{channel}.c2")
    heard["commands: ours to theirs"] = ask(
        lambda: kq.commands.send(f"{channel}.c2", timeout=1.0, **MESSAGE)
    ).executed

    kq.queries.respond(f"{channel}.r1", lambda request: b"answer to " + request.body)
    heard["queries: theirs to ours"] = bytes(theirs.query(f"{channel}.r1", **MESSAGE).body).decode()
    theirs.answer_queries(f"{channel}.r2")
    response = ask(lambda: kq.queries.send(f"{channel}.r2", timeout=1.0, **MESSAGE))
    heard["queries: ours to theirs"] = {"body": response.text, "metadata": response.metadata}
    return heard


def main() -> None:
    adapter, order, address, channel = sys.argv[1:]
    token = sys.stdin.readline().strip()
    ours, theirs = load(adapter, order)
    official = theirs.Theirs(address, token)
    kq = ours.connect(address, token_file=sys.stdin.readline().strip())
    heard = exchange(kq, official, channel)
    official.close()
    kq.close()
    print(json.dumps(heard))  # noqa: T201


main()
