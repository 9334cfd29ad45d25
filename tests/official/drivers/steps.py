"""Let a test step an official client: requests and answers are lines of JSON on standard input and output.

    > {"id": 1, "call": "peek", "with": {"channel": "q"}}
    < {"id": 1, "result": [...]}                  or {"id": 1, "error": "KubeMQError: ..."}
    < {"subscription": 7, "item": {...}}          whenever something arrives

The first line is what the client is made with. Each request has a thread of its own, so that one may wait
while others go on. Bodies travel as {"base64": "..."}. Ends with its input.
"""

import base64
import json
import os
import sys
import threading
from collections.abc import Callable

Tell = Callable[[int, dict[str, object]], None]


def serve(make: Callable[..., object]) -> None:
    """Answer requests with the methods of what `make` returns, until the input ends."""
    write = writer()
    client = make(
        **read(sys.stdin.readline()), tell=lambda to, item: write({"subscription": to, "item": item})
    )

    def answer(request: dict[str, object]) -> None:
        try:
            said = {"result": getattr(client, request["call"])(**request["with"])}
        except Exception as error:  # noqa: BLE001  (whatever the SDK raises is what the test asks for)
            said = {"error": f"{type(error).__name__}: {error}"}
        write({"id": request["id"]} | said)

    for line in sys.stdin:
        threading.Thread(target=answer, args=(read(line),), daemon=True).start()
    os._exit(0)  # some threads of the SDKs never end


def writer() -> Callable[[dict[str, object]], None]:
    """Writes a line to the true standard output; what SDKs print goes to standard error."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lock = threading.Lock()

    def write(message: dict[str, object]) -> None:
        with lock:
            output.write(json.dumps(message, default=as_base64) + "\n")
            output.flush()

    return write


def read(line: str) -> dict[str, object]:
    """The object that a line says."""
    return json.loads(line, object_hook=from_base64)


def as_base64(body: bytes) -> dict[str, str]:
    """How a body travels."""
    return {"base64": base64.b64encode(body).decode()}


def from_base64(value: dict[str, object]) -> object:
    """The opposite of `as_base64`; everything else stays."""
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
