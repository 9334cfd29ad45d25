"""A side of a comparison in a process of its own: `python -m benchmarks.worker MODULE`.

Requests and answers are lines of JSON on standard input and output; the first line is what the module's
`Side` is made with. It ends with its input.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Note seconds and processor seconds (of all threads) that the block takes."""
    gc.collect()  # of what the round before left
    began, cpu = time.perf_counter(), time.process_time()
    yield
    spent["seconds"] = time.perf_counter() - began
    spent["cpu"] = time.process_time() - cpu


def main(name: str) -> None:
    """Answer requests until the input ends."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    side = importlib.import_module(f"benchmarks.{name}").Side(**json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(side, request["call"])(**request["with"])}
        except Exception:  # noqa: BLE001  (whatever goes wrong on a side is said by the bench)
            answer = {"error": traceback.format_exc()}
        output.write(json.dumps(answer) + "\n")
        output.flush()
    getattr(side, "close", lambda: None)()
    os._exit(0)  # some threads of some libraries never end


if __name__ == "__main__":
    main(sys.argv[1])
