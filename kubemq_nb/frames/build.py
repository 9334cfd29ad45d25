"""Columns to DataFrames, without one object a row."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from kubemq_nb._wire import columns as wire
from kubemq_nb.frames import collecting
from kubemq_nb.frames.decoding import decode_all
from kubemq_nb.frames.kinds import COLUMNS, EVENTS, EVENTS_STORE, QUEUE, RESULTS, TIME

_NO_TIME = np.iinfo(np.int64).min  # NaT


@collecting.paused()
def queue_messages(payloads: Sequence[bytes], **attrs: object) -> pd.DataFrame:
    """A frame of messages of a queue from their wire bytes."""
    read = wire.queue_messages(payloads)
    columns: dict[str, list[Any]] = read.columns
    columns["dead_letter"] = [queue or None for queue in columns["dead_letter"]]
    return _frame(read, QUEUE, {"kind": "queues", **attrs})


@collecting.paused()
def events(
    payloads: Sequence[bytes],
    kind: Literal["events", "events_store"],
    *,
    arrived: Sequence[int] = (),
    **attrs: object,
) -> pd.DataFrame:
    """A frame of live or stored events from their wire bytes.

    Args:
        payloads: The events.
        kind: Which of the two they are.
        arrived: When each live event came, in Unix nanoseconds: its timestamp, as nobody stored it.
        attrs: Facts about them.
    """
    read = wire.events(payloads)
    columns: dict[str, list[Any]] = read.columns
    columns["client_id"] = [sender or None for sender in columns["client_id"]]
    if kind == "events":
        columns["sequence"] = [None] * len(payloads)
        columns["timestamp"] = list(arrived)
    return _frame(read, EVENTS if kind == "events" else EVENTS_STORE, {"kind": kind, **attrs})


@collecting.paused()
def requests(
    payloads: Sequence[bytes],
    beside: Mapping[str, Sequence[object]],
    *,
    form: str = "queries",
    **attrs: object,
) -> pd.DataFrame:
    """A frame of requests from their wire bytes, beside what is known of them here.

    Args:
        payloads: The requests.
        beside: The columns of the form that the wire does not have, with timestamp (nanoseconds).
        form: The log of a responder, that of a desk, or requests that wait for an answer.
        attrs: Facts about them.
    """
    read = wire.requests(payloads)
    read.columns.update({name: list(values) for name, values in beside.items()})
    return _frame(read, COLUMNS[form], attrs)


@collecting.paused()
def results(sent: Mapping[str, Sequence[Any]], **attrs: object) -> pd.DataFrame:
    """A frame of what the broker said of each message; `attrs["refused"]` counts the refusals."""
    errors = [error or None for error in sent["error"]]
    refused = len(errors) - errors.count(None)
    return table({**sent, "error": errors}, RESULTS, count=len(errors), refused=refused, **attrs)


def table(
    columns: Mapping[str, Sequence[object]], dtypes: Mapping[str, str], **attrs: object
) -> pd.DataFrame:
    """A frame of these dtypes, in their order.

    Args:
        columns: Values by name; instants as Unix nanoseconds or aware datetimes, 0 or None for none.
        dtypes: Dtype by name.
        attrs: Facts about the frame, beside its `count`.
    """
    frame = pd.DataFrame({name: column(columns[name], dtype) for name, dtype in dtypes.items()})
    frame.attrs.update({"count": len(frame), **attrs})
    return frame


def empty(kind: str, **attrs: object) -> pd.DataFrame:
    """A frame of this kind without a row."""
    dtypes = COLUMNS[kind]
    return table({name: [] for name in dtypes}, dtypes, count=0, **attrs)


def _frame(read: wire.Columns, dtypes: Mapping[str, str], attrs: dict[str, object]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = read.columns
    columns["decoded"] = decode_all(columns["body"])
    frame = table(columns, dtypes, count=len(columns["id"]), **attrs)
    if read.errors:
        frame.attrs["damaged"] = [f"row {row}: {reason}" for row, reason in read.errors]
    return frame


def column(values: Sequence[Any], dtype: str) -> Any:
    """One column in the form that DataFrame takes fastest and keeps as it is."""
    if dtype == "object":  # as a Series: pandas 3 would make text of its own kind of an array
        return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)
    if dtype == TIME:
        return _times(values)
    if dtype in {"int64", "float64", "bool"}:
        return np.array(values, dtype=dtype)
    return pd.Series(list(values), dtype=dtype)


def _times(values: Sequence[Any]) -> pd.DatetimeIndex:
    if not any(isinstance(value, int) for value in values):
        return pd.DatetimeIndex(list(values), tz="UTC").as_unit("ns")
    nanoseconds = np.array(values, dtype=np.int64)
    nanoseconds[nanoseconds == 0] = _NO_TIME
    return pd.DatetimeIndex(nanoseconds.view("M8[ns]"), tz="UTC")
