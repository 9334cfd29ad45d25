"""Jobs: what a session does in the background, and how to see and stop it."""

import threading
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable
from weakref import WeakValueDictionary

from kubemq_nb import frames
from kubemq_nb.errors import KubeMQError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

State = Literal["connecting", "live", "paused", "reconnecting", "not connected", "stopped"]
"""What a view shows of a feed or responder."""

COLUMNS = {
    "id": "int64",
    "kind": "object",
    "channel": "object",
    "state": "object",
    "received": "int64",
    "errors": "int64",
    "since": frames.TIME,
    "note": "object",
}


class Job(Protocol):
    """What runs in the background of a session: a feed, a responder or an open transaction."""

    id: int
    kind: str
    channel: str
    connection: str  # name of its session
    code: str  # the line that made it
    since: datetime

    @property
    def state(self) -> str:
        """What it is doing, in a word."""
        ...

    @property
    def received(self) -> int:
        """How many messages came to it."""
        ...

    @property
    def errors(self) -> int:
        """How often something failed."""
        ...

    @property
    def note(self) -> str:
        """What is wrong and what happens next; "" when all is well."""
        ...

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        ...

    def stop(self) -> None:
        """End it; safe to call again."""
        ...


@runtime_checkable
class Attended(Protocol):
    """A job with handlers, which may be at work for a while when it is stopped."""

    def leave(self) -> None:
        """Call them for nothing more, and do not wait."""
        ...


class Jobs:
    """The jobs of one session. Numbers count from 1 and are not used again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._ended: WeakValueDictionary[int, Job] = WeakValueDictionary()  # may begin again while held
        self._last = 0

    def add(self, job: Job) -> None:
        """Give a job its number and list it until it ends; one that begins again keeps its number."""
        with self._lock:
            if not job.id:
                self._last += 1
                job.id = self._last
            self._jobs[job.id] = self._ended[job.id] = job

    def all(self) -> list[Job]:
        """What has not ended, oldest first."""
        with self._lock:
            self._jobs = {id: job for id, job in self._jobs.items() if not job.finished}
            return list(self._jobs.values())

    def get(self, id: int) -> Job:
        """The job of this number.

        Raises:
            ValueError: There is none.
        """
        jobs = {job.id: job for job in self.all()}
        if id not in jobs:
            known = f"running: {', '.join(map(str, jobs))}" if jobs else "none is running"
            raise ValueError(f"no job has the number {id} ({known})")
        return jobs[id]

    def stop(self, which: int | Literal["all"]) -> list[Job]:
        """Stop one or all; what was stopped.

        Raises:
            KubeMQError: Some of all did not stop as they should; the others did.
        """
        if which != "all":
            job = self.get(which)
            job.stop()
            return [job]
        jobs = self.all()
        for job in jobs:  # first, so that handlers of all of them finish side by side
            if isinstance(job, Attended):
                with suppress(Exception):  # told when it is stopped
                    job.leave()
        failures = [told for job in jobs if (told := _failure(job))]
        if failures:
            raise KubeMQError(
                f"{len(jobs) - len(failures)} of {len(jobs)} jobs were stopped; {'; '.join(failures)}."
                " `%kubemq jobs` lists what still runs."
            )
        return jobs

    def able(self, id: int, verb: str) -> Any:
        """The job of this number, also an ended one that somebody still holds, if it has this verb.

        Raises:
            ValueError: There is none, or it has no such verb.
        """
        job = self._ended.get(id) or self.get(id)
        if not hasattr(job, verb):
            raise ValueError(f"job {id} is a {job.kind} on {job.channel}: there is no {verb} for it")
        return job


def _failure(job: Job) -> str:
    """Stop a job: why it did not stop as it should, or nothing."""
    try:
        job.stop()
    except Exception as error:  # noqa: BLE001  whatever it is, the jobs behind this one are stopped too
        return f"job {job.id} ({job.kind} on {job.channel}): {str(error).rstrip('.') or type(error).__name__}"
    return ""


def listing(jobs: "Iterable[Job]", **attrs: object) -> "DataFrame":
    """These jobs as a frame: id kind channel state received errors since note."""
    jobs = list(jobs)
    columns = {name: [getattr(job, name) for job in jobs] for name in COLUMNS}
    return frames.table(columns, COLUMNS, count=len(jobs), **attrs)
