"""Frames: what a read brought as a DataFrame, and a DataFrame as messages to send. The only user of pandas.

One column list and one dtype a column for each kind, also when there is no row:

- text, bodies, tags and decoded bodies are `object` in every version of pandas; absent text is None;
- instants are `datetime64[ns, UTC]`, NaT when there is none;
- numbers that are always there are `int64` (spans in seconds), those that may be absent `Int64`;
- yes or no is `bool`, `boolean` where it may be unknown.

`body` is bytes; `decoded` is the same as JSON, else as text, else None. Facts of the read are in `df.attrs`.
"""

from kubemq_nb.frames.build import (
    decode,
    empty,
    events,
    queue_messages,
    requests,
    results,
    table,
)
from kubemq_nb.frames.kinds import COLUMNS, TIME
from kubemq_nb.frames.rows import read_csv, read_file, records

__all__ = [
    "COLUMNS",
    "TIME",
    "decode",
    "empty",
    "events",
    "queue_messages",
    "read_csv",
    "read_file",
    "records",
    "requests",
    "results",
    "table",
]
