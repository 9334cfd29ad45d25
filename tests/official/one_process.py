"""Run in an environment of an official SDK: one message each way and pattern, both packages in one process.

one_process.py DRIVER ORDER ADDRESS CHANNEL, the token and its file on standard input; prints what arrived, as
JSON. The driver's methods are called directly here.
"""

import importlib
import json
import os
import queue
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

DRIVERS = Path(__file__).parent / "drivers"
WAIT = 20.0  # seconds until something that should arrive counts as lost
MESSAGE = {"body": b'{"n": 1}', "metadata": "Grüße", "tags": {"k": "v"}}
EXECUTED = {"executed": True}
ANSWER = EXECUTED | {"body": b'answer to {"n": 1}', "metadata": "Grüße"}


def load(driver: str, order: str) -> tuple[object, object]:
    """Import both packages, the one named by `order` first."""
    if order == "ours first":
        importlib.import_module("kubemq_nb.session")
    sys.path.insert(0, str(DRIVERS))
    theirs = importlib.import_module(driver)
    return importlib.import_module("kubemq_nb"), theirs


def plain(message: dict[str, object]) -> dict[str, object]:
    """The fields that every pattern carries."""
    return {
        "body": bytes(message["body"]).decode(),
        "metadata": message["metadata"],
        "tags": dict(message["tags"]),
    }


def row(frame: object) -> dict[str, object]:
    return plain(frame.iloc[0].to_dict())


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


def exchange(
    kq: object, theirs: object, told: dict[int, "queue.Queue[dict[str, object]]"], channel: str
) -> dict[str, object]:
    """One message of every pattern in both directions."""
    heard: dict[str, object] = {}

    theirs.send_queue(channel=f"{channel}.q1", **MESSAGE)
    heard["queues: theirs to ours"] = row(kq.queues.receive(f"{channel}.q1", count=1, wait=5))
    kq.queues.send(f"{channel}.q2", **MESSAGE)
    held = theirs.hold(channel=f"{channel}.q2", wait=5)
    (message,) = held["messages"]
    theirs.settle(held=held["held"], how="ack", sequence=message["sequence"])
    heard["queues: ours to theirs"] = plain(message)

    feed = kq.events.receive(f"{channel}.e1", live=True)
    theirs.send_event(channel=f"{channel}.e1", **MESSAGE)
    feed.wait(count=1, timeout=WAIT)
    heard["events: theirs to ours"] = row(feed.df)
    theirs.subscribe_events(subscription=1, channel=f"{channel}.e2")
    send = lambda: kq.events.send(f"{channel}.e2", **MESSAGE)  # noqa: E731
    heard["events: ours to theirs"] = plain(until(told[1], send))

    theirs.send_stored(channel=f"{channel}.s1", **MESSAGE)
    heard["events_store: theirs to ours"] = row(kq.events_store.receive(f"{channel}.s1", start="first"))
    kq.events_store.send(f"{channel}.s2", **MESSAGE)
    theirs.subscribe_stored(subscription=2, channel=f"{channel}.s2", start="first")
    heard["events_store: ours to theirs"] = plain(told[2].get(timeout=WAIT))

    seen: queue.Queue[object] = queue.Queue()
    kq.commands.respond(f"{channel}.c1", seen.put)
    answer = theirs.ask(kind="commands", channel=f"{channel}.c1", timeout=10, **MESSAGE)
    request = seen.get(timeout=WAIT)
    asked = {"body": request.body, "metadata": request.metadata, "tags": request.tags}
    heard["commands: theirs to ours"] = plain(asked) | {"executed": answer["executed"]}
    theirs.respond(subscription=3, kind="commands", channel=f"{channel}.c2", reply=EXECUTED)
    heard["commands: ours to theirs"] = ask(
        lambda: kq.commands.send(f"{channel}.c2", timeout=1.0, **MESSAGE)
    ).executed

    kq.queries.respond(f"{channel}.r1", lambda request: b"answer to " + request.body)
    answer = theirs.ask(kind="queries", channel=f"{channel}.r1", timeout=10, **MESSAGE)
    heard["queries: theirs to ours"] = bytes(answer["body"]).decode()
    theirs.respond(subscription=4, kind="queries", channel=f"{channel}.r2", reply=ANSWER)
    response = ask(lambda: kq.queries.send(f"{channel}.r2", timeout=1.0, **MESSAGE))
    heard["queries: ours to theirs"] = {"body": response.text, "metadata": response.metadata}
    return heard


def main() -> None:
    driver, order, address, channel = sys.argv[1:]
    token = sys.stdin.readline().strip()
    ours, theirs = load(driver, order)
    told: dict[int, queue.Queue[dict[str, object]]] = defaultdict(queue.Queue)
    official = theirs.Client(
        address=address, token=token, client_id="theirs", tell=lambda to, item: told[to].put(item)
    )
    with ours.connect(address, token_file=sys.stdin.readline().strip()) as kq:
        heard = exchange(kq, official, told, channel)
    sys.stdout.write(json.dumps(heard) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some threads of the official SDKs never end


main()
