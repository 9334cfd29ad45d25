"""The first result of a new process: run with the name of a side, address, token's file and channel.

The clock starts where a notebook's user begins: in a process that has IPython's shell and nothing else.
Prints one line of JSON.
"""

import io
import json
import sys
import time
from contextlib import redirect_stdout

from IPython.core.interactiveshell import InteractiveShell

from benchmarks.load import checksum_of_frame

CELLS = {
    "ours": """
%load_ext kubemq_nb
%kubemq connect {address}{token_option}
frame = %kubemq queues peek {channel} --count 10
""",
    "official": """
import kubemq
import pandas as pd
client = kubemq.QueuesClient(address="{address}", client_id="bench", auth_token={token!r})
messages = client.peek_queue_messages("{channel}", 10, 1).messages
from benchmarks.official import queue_frame
frame = queue_frame(messages)
""",
}


def main(side: str, address: str, token_file: str, channel: str) -> None:
    """Run the cell and say how long it took."""
    token = open(token_file).read().strip() if token_file else None  # noqa: SIM115, PTH123  (not a part of it)
    shell = InteractiveShell.instance(colors="NoColor", history_load_length=0)
    cell = CELLS[side].format(
        address=address,
        channel=channel,
        token=token,
        token_option=f" --token-file {token_file}" if token_file else "",
    )
    began, cpu = time.perf_counter(), time.process_time()
    with redirect_stdout(io.StringIO()) as shown:
        result = shell.run_cell(cell)
    spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    if not result.success:
        raise SystemExit(shown.getvalue())
    print(json.dumps({**spent, "checksums": [checksum_of_frame(shell.user_ns["frame"])]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
