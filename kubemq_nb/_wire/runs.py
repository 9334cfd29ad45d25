"""Messages of a queue as our broker brings them: what differs as columns, what is alike once."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb


class Runs(Collection[bytes]):
    """The messages of a part; as a collection the payloads that other calls bring, made when asked for."""

    def __init__(self, part: bytes, runs: Sequence[containers.QueueRun]) -> None:
        self._part = part
        self._runs = runs  # of that part

    def __len__(self) -> int:
        return sum(len(run.Contents) for run in self._runs)

    def __iter__(self) -> Iterator[bytes]:
        for run in self._runs:
            yield from _payloads(run)

    def __contains__(self, payload: object) -> bool:
        return payload in list(self)

    @property
    def contents(self) -> list[bytes]:
        """The wire form of id, client id, metadata, body and tags of each."""
        return [content for run in self._runs for content in run.Contents]

    def decoded(self) -> list[containers.QueueContent]:
        """The same taken apart, all at once, which takes half of what it takes one by one.

        Raises:
            DecodeError: One of them is damaged.
        """
        part = containers.QueuePartContents.FromString(self._part)
        return [content for run in part.Runs for content in run.Contents]

    def others(self) -> dict[str, list[Any]]:
        """Columns of all that is not in their contents, by the names of `columns.queue_messages`."""
        first, *more = map(_others, self._runs)
        for columns in more:
            for name, values in columns.items():
                first[name] += values
        return first


def _others(run: containers.QueueRun) -> dict[str, list[Any]]:
    common = pb.QueueMessage.FromString(run.Common)
    attributes, policy = common.Attributes, common.Policy
    count = len(run.Contents)
    digests = run.Digests.hex()
    return {
        "channel": [common.Channel] * count,
        "timestamp": list(run.Timestamps),
        "sequence": list(run.Sequences),
        "md5_of_body": [digests[start : start + 32] for start in range(0, len(digests), 32)],
        "receive_count": [attributes.ReceiveCount] * count,
        "rerouted": [attributes.ReRouted] * count,
        "rerouted_from": [attributes.ReRoutedFromQueue or None] * count,
        "expiration_at": list(run.ExpirationAt) or [0] * count,
        "delayed_to": [0] * count,
        "expiration": [policy.ExpirationSeconds] * count,
        "delay": [0] * count,
        "max_receive_count": [policy.MaxReceiveCount] * count,
        "dead_letter": [policy.MaxReceiveQueue] * count,
    }


def _payloads(run: containers.QueueRun) -> Iterator[bytes]:
    common = pb.QueueMessage.FromString(run.Common)
    name = pb.QueueMessage(Channel=common.Channel).SerializeToString()
    policy = pb.QueueMessage(Policy=common.Policy).SerializeToString() if common.HasField("Policy") else b""
    added = pb.QueueMessage(Attributes=common.Attributes)
    attributes = added.Attributes
    expire_at = run.ExpirationAt or [0] * len(run.Contents)
    beside = zip(run.Contents, run.Sequences, run.Timestamps, expire_at, strict=True)
    for place, (content, sequence, timestamp, expires_at) in enumerate(beside):
        attributes.Sequence, attributes.Timestamp, attributes.ExpirationAt = sequence, timestamp, expires_at
        attributes.MD5OfBody = run.Digests[16 * place : 16 * place + 16].hex()
        yield b"".join((content, name, added.SerializeToString(), policy))
