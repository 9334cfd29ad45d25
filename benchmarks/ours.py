"""Our side: what a user of kubemq_nb writes."""

import time
from typing import Any

import pandas as pd

import kubemq_nb
from benchmarks import load
from benchmarks.worker import timed


class Side:
    """A session of ours."""

    def __init__(self, *, address: str, token: str | None, token_file: str | None) -> None:
        del token
        self._session = kubemq_nb.connect(address, token_file=token_file)

    def peek(self, *, channel: str, count: int, times: int = 1) -> dict[str, Any]:
        """Look at the same messages again and again."""
        spent: dict[str, float] = {}
        with timed(spent):
            found = [self._session.queues.peek(channel, count=count) for _ in range(times)]
        return {**spent, "checksums": [load.checksum_of_frame(frame) for frame in found]}

    def receive(self, *, channel: str, count: int, times: int) -> dict[str, Any]:
        """Take messages until none is left; they are settled when they have arrived."""
        spent: dict[str, float] = {}
        with timed(spent):
            found = [self._session.queues.receive(channel, count=count) for _ in range(times)]
        return {**spent, "checksums": [load.checksum_of_frame(pd.concat(found))]}

    def replay(self, *, channel: str, count: int, start: str = "first") -> dict[str, Any]:
        """Read stored events to the last."""
        del count
        spent: dict[str, float] = {}
        with timed(spent):
            frame = self._session.events_store.receive(channel, start=start)
        return {**spent, "checksums": [load.checksum_of_frame(frame)]}

    def send(self, *, channel: str, first: int, count: int, size: int = 0) -> dict[str, Any]:
        """Send a frame."""
        frame = pd.DataFrame(load.columns(first, count, size))
        spent: dict[str, float] = {}
        with timed(spent):
            results = self._session.queues.send(channel, rows=frame)
        return {**spent, "sent": list(results["id"][results["sent"]])}

    def list_channels(self, *, times: int) -> dict[str, Any]:
        """Tell of all channels."""
        spent: dict[str, float] = {}
        with timed(spent):
            found = [self._session.channels.list() for _ in range(times)]
        return {**spent, "found": [len(frame) for frame in found]}

    def ask(self, *, channel: str, count: int) -> dict[str, Any]:
        """Ask one query after another."""
        asked = load.items(0, count)
        answers, times = [], []
        spent: dict[str, float] = {}
        with timed(spent):
            for item in asked:
                began = time.perf_counter()
                answer = self._session.queries.send(
                    channel, item.body, metadata=item.metadata, tags=item.tags
                )
                times.append(time.perf_counter() - began)
                answers.append(answer.body)
        return {**spent, "times": times, "right": answers == [item.body for item in asked]}
