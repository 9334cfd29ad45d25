"""Messages of queues on their way out in parts, on the broker's side of the wire."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire.serving.common import read
from kubemq_nb._wire.serving.receiving import Stored, common_of

BESIDE = 45  # bytes of digest, timestamp and the start of a sequence in a message
EXPIRES = 10  # bytes of the time at which it expires


class PartsRequest(NamedTuple):
    """What somebody who reads in parts asks for."""

    client_id: str
    channel: str
    limit: int  # messages
    wait: int  # milliseconds
    is_peek: bool
    most: int  # about so many bytes; of more, nothing is read
    fitting: int  # the most bytes, beside a first message


class Last(NamedTuple):
    """What the last part says beside its messages."""

    expired: int = 0
    is_cut: bool = False
    is_large: bool = False
    transaction: str = ""
    error: str = ""
    delayed: int | None = None  # beside what a peek shows; None of a receive, as the next
    held: int | None = None


def read_parts_request(data: bytes) -> PartsRequest:
    """What somebody who reads in parts asks for."""
    request = read(containers.QueuePartsRequest, data)
    return PartsRequest(
        request.ClientID,
        request.Channel,
        request.Count,
        request.Wait,
        request.IsPeek,
        request.Most,
        request.Fitting,
    )


_OTHERS = itemgetter(slice(6, None))


class Run(NamedTuple):
    """Messages that differ in nothing but content, sequence, digest and times: these as columns."""

    common: bytes  # the wire form of what else they have
    sequences: Sequence[int]
    contents: Sequence[bytes]
    digests: Sequence[bytes]
    timestamps: Sequence[int]
    expire_at: Sequence[int]

    def sizes(self) -> list[int]:
        """How many bytes each of them has as a message of its own."""
        beside = len(self.common) + BESIDE
        return [
            beside + len(content) + (sequence.bit_length() + 6) // 7 + (EXPIRES if expires_at else 0)
            for content, sequence, expires_at in zip(
                self.contents, self.sequences, self.expire_at, strict=True
            )
        ]


def runs_of(channel: str, messages: Iterable[Stored]) -> list[Run]:
    """Messages of one queue as runs; mostly it is one."""
    return [
        Run(common_of(channel, others), *list(zip(*alike, strict=True))[1:6])
        for others, alike in groupby(messages, _OTHERS)
    ]


def queue_part(runs: Iterable[Run], last: Last | None = None) -> bytes:
    """One part; the last one says how it ended."""
    part = containers.QueuePart() if last is None else _last_part(last)
    for run in runs:
        part.Runs.add(
            Common=run.common,
            Contents=run.contents,
            Sequences=run.sequences,
            Timestamps=run.timestamps,
            ExpirationAt=run.expire_at if any(run.expire_at) else (),
            Digests=b"".join(run.digests),
        )
    return part.SerializeToString()


def _last_part(last: Last) -> containers.QueuePart:
    return containers.QueuePart(
        IsLast=True,
        Expired=last.expired,
        IsCut=last.is_cut,
        IsLarge=last.is_large,
        Transaction=last.transaction,
        Error=last.error,
        Delayed=last.delayed,
        Held=last.held,
    )


def read_arrived(data: bytes) -> str:
    """The transaction of which all parts have arrived."""
    return read(containers.QueuePartsArrived, data).Transaction
