"""Columns to DataFrames, without one object a row."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from kubemq_nb._wire import columns as wire
from kubemq_nb.frames import collecting
from kubemq_nb.frames.decoding import decode_all
from kubemq_nb.frames.kinds import COLUMNS, EVENTS, EVENTS_STORE, QUEUE, RESULTS, TIME

_NO_TIME = np.iinfo(np.int64).min  # NaT
PLAIN = {"object": object, TIME: np.int64, "int64": np.int64, "float64": np.float64, "bool": np.bool_}


class QueueMessages:
    """A frame of messages of a queue that come in parts: each is taken apart while the next is on its way.

    Attributes:
        count: How many came until now.
    """

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[dict[str, np.ndarray[Any, Any]]] = []
        self._damaged: list[str] = []
        self._whole: pd.DataFrame | None = None

    @collecting.paused()
    def add(self, payloads: Collection[bytes]) -> None:
        """Take the next ones, as wire bytes."""
        read = wire.queue_messages(payloads)
        columns: dict[str, list[Any]] = read.columns
        columns["dead_letter"] = [queue or None for queue in columns["dead_letter"]]
        columns["decoded"] = decode_all(columns["body"])
        self._parts.append({name: _array(columns[name], dtype) for name, dtype in QUEUE.items()})
        self._damaged += _damaged(read, self.count)
        self.count += len(payloads)

    @collecting.paused()
    def complete(self) -> pd.DataFrame:
        """Make the frame, as no more will come."""
        if self._whole is None:
            if not self._parts:
                self.add(())
            columns = {name: np.concatenate([part[name] for part in self._parts]) for name in QUEUE}
            index = pd.RangeIndex(self.count)
            finished = {name: _finished(columns[name], dtype, index) for name, dtype in QUEUE.items()}
            self._whole = _framed(finished, index, {"kind": "queues"})
        return self._whole

    def frame(self, **attrs: object) -> pd.DataFrame:
        """All of them, with facts about them."""
        frame = self.complete()
        frame.attrs.update(attrs)
        if self._damaged:
            frame.attrs["damaged"] = self._damaged
        return frame


def queue_messages(payloads: Collection[bytes], **attrs: object) -> pd.DataFrame:
    """A frame of messages of a queue from their wire bytes."""
    messages = QueueMessages()
    messages.add(payloads)
    return messages.frame(**attrs)


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
    told = sent["error"]
    errors = [error or None for error in told] if any(told) else [None] * len(told)
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
    index = pd.RangeIndex(len(columns[next(iter(dtypes))]))
    finished = {name: column(columns[name], dtype, index) for name, dtype in dtypes.items()}
    return _framed(finished, index, attrs)


def _framed(columns: Mapping[str, Any], index: pd.RangeIndex, attrs: Mapping[str, object]) -> pd.DataFrame:
    # The columns are nobody else's; to copy them, and an index for each of them, would take half of the time.
    frame = pd.DataFrame(columns, index=index, copy=False)
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
    if damaged := _damaged(read, 0):
        frame.attrs["damaged"] = damaged
    return frame


def _damaged(read: wire.Columns, before: int) -> list[str]:
    return [f"row {before + row}: {reason}" for row, reason in read.errors]


def column(values: Sequence[Any], dtype: str, index: pd.RangeIndex | None = None) -> Any:
    """One column in the form that DataFrame takes fastest and keeps as it is."""
    if dtype == TIME and not any(isinstance(value, int) for value in values):
        return pd.DatetimeIndex(list(values), tz="UTC").as_unit("ns")
    if dtype in PLAIN:
        return _finished(_array(values, dtype), dtype, index)
    return pd.Series(list(values), dtype=dtype, index=index)


def _array(values: Sequence[Any], dtype: str) -> "np.ndarray[Any, Any]":
    """The values of a column that numpy knows; instants as Unix nanoseconds."""
    if dtype == "object":
        return np.fromiter(values, dtype=object, count=len(values))
    return np.array(values, dtype=PLAIN[dtype])


def _finished(values: "np.ndarray[Any, Any]", dtype: str, index: pd.RangeIndex | None) -> Any:
    if dtype == "object":  # as a Series: pandas 3 would make text of its own kind of an array
        return pd.Series(values, dtype=object, index=index, copy=False)
    if dtype == TIME:
        values[values == 0] = _NO_TIME
        return pd.DatetimeIndex(values.view("M8[ns]"), tz="UTC")
    return values
