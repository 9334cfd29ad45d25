"""A test's hold on an official client: a process of its own, stepped over lines of JSON."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Any

from tests.official import DRIVERS, node_with_kubemq, python_with
from tests.official.drivers.steps import as_base64, from_base64
from tests.official.exchange import PATIENCE

NAMES = ("kubemq 4.1.5", "kubemq 2.3.0", "kubemq-js 1.2.3")
PROBE_EVERY = 0.1  # seconds between probes to a subscription that does not say when it is live


class Refused(Exception):
    """The official client raised an error; the text is its class and message."""


class Client:
    """An official client.

    Every method of its driver is a method here: `client.peek(channel="orders", count=3, wait=1)`.
    """

    def __init__(
        self, name: str, address: str, token: str | None, client_id: str, tls: dict[str, str] | None = None
    ) -> None:
        """`tls` names the files `ca`, `cert` and `key`; None is a connection without TLS."""
        self.name = name
        self.client_id = client_id
        self._process = subprocess.Popen(
            command_of(name),
            env=environment_of(name, tls),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._numbers = count(1)
        self._answers: dict[int, Future[Any]] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write({"address": address, "token": token, "client_id": client_id, "tls": tls})

    def start(self, call: str, **arguments: object) -> Future[Any]:
        """Begin a call that the test goes on beside."""
        number = next(self._numbers)
        answer = self._answers[number] = Future()
        self._write({"id": number, "call": call, "with": arguments})
        return answer

    def __getattr__(self, call: str) -> Callable[..., Any]:
        return lambda **arguments: self.start(call, **arguments).result(PATIENCE)

    def subscribe(self, call: str, **arguments: object) -> "Subscription":
        """Begin a subscription or a responder by the driver's method of that name."""
        number = next(self._numbers)
        subscription = self._subscriptions[number] = Subscription(self, number)
        self.start(call, subscription=number, **arguments).result(PATIENCE)
        return subscription

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()

    def _write(self, message: dict[str, object]) -> None:
        self._process.stdin.write(json.dumps(message, default=as_base64) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        for line in self._process.stdout:
            said = json.loads(line, object_hook=from_base64)
            if "subscription" in said:
                self._subscriptions[said["subscription"]].items.put(said["item"])
            elif "error" in said:
                self._answers.pop(said["id"]).set_exception(Refused(said["error"]))
            else:
                self._answers.pop(said["id"]).set_result(said["result"])
        for answer in self._answers.values():
            answer.set_exception(RuntimeError(f"the process of {self.name} has ended"))


class Subscription:
    """What an official client's subscription or responder was handed, in order."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self._number = number
        self._ended = False
        self.items: queue.Queue[dict[str, Any]] = queue.Queue()

    def next(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """The next that is no probe, or {"error": ...}; raises queue.Empty."""
        deadline = time.monotonic() + timeout
        while True:
            item = self.items.get(timeout=max(0.0, deadline - time.monotonic()))
            if item.get("metadata") != PROBE:
                return item

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next that many."""
        return [self.next() for _ in range(count)]

    def heard(self) -> list[dict[str, Any]]:
        """All that has come and was not taken, without probes."""
        return [item for item in list(self.items.queue) if item.get("metadata") != PROBE]

    def live(self, probe: Callable[[], object]) -> "Subscription":
        """Wait until it is live: no SDK says so, hence send probes until one has come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            probe()
            try:
                item = self.items.get(timeout=PROBE_EVERY)
            except queue.Empty:
                continue
            if item.get("metadata") == PROBE:
                return self
        raise TimeoutError("the subscription is not live")

    def end(self) -> None:
        """Unsubscribe; safe to call again."""
        if not self._ended:
            self._ended = True
            self._client.unsubscribe(subscription=self._number)


PROBE = "is anybody there?"  # the metadata of a probe


def command_of(name: str) -> list[str]:
    """What starts the driver; makes the environment of the client when there is none."""
    package, version = name.split()
    if package == "kubemq-js":
        node_with_kubemq()
        return ["node", str(DRIVERS / "kubemq_js.js")]
    return [python_with(version), str(DRIVERS / f"kubemq_{version[0]}.py")]


def environment_of(name: str, tls: dict[str, str] | None) -> dict[str, str]:
    """What the driver's process finds around it; the JavaScript SDK takes an authority in no other way."""
    variables = dict(os.environ)
    if name.startswith("kubemq-js"):
        variables["NODE_PATH"] = str(node_with_kubemq() / "node_modules")
        if tls:
            variables["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = tls["ca"]
    return variables
