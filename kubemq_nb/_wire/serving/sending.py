"""Messages of queues on their way in, on the broker's side of the wire."""

from collections.abc import Iterable, Sequence
from hashlib import md5

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read

Draft = tuple[str, str, str, bool, bytes, bytes, int, int, int, str, str]
"""id, client id, channel, if it is empty, content, MD5, expiration, delay, max count, dead letter, error."""

NO_LIMITS = (0, 0, 0, "", "")

Result = tuple[str, int, int, int, str]
"""id, sent at, expires at, delayed to, error."""


class _Results:
    """The wire form of results, one after another."""

    def __init__(self) -> None:
        self._good = pb.SendQueueMessageResult()  # one for all: setting a field takes a fifth of making one

    def one(self, result: Result) -> bytes:
        id, sent_at, expires_at, delayed_to, error = result
        if not (expires_at or delayed_to or error):
            self._good.MessageID = id
            self._good.SentAt = sent_at
            return self._good.SerializeToString()
        return pb.SendQueueMessageResult(
            MessageID=id,
            SentAt=sent_at,
            ExpirationAt=expires_at,
            DelayedTo=delayed_to,
            IsError=bool(error),
            Error=error,
        ).SerializeToString()


def read_message(data: bytes) -> Draft:
    """A message as its sender gives it; attributes are the broker's and are left out."""
    message = read(pb.QueueMessage, data)
    id, body = message.MessageID, message.Body
    digest = md5(body, usedforsecurity=False).digest()
    limits = NO_LIMITS
    if not id or message.HasField("Policy") or message.HasField("Attributes"):
        limits = _limits(message.Policy)
        id = message.MessageID = id or new_id()
        message.ClearField("Policy")
        message.ClearField("Attributes")
        data = message.SerializeToString()
    # Most are kept as they came; the channel in them is overruled by the one that a delivery appends.
    return (id, message.ClientID, message.Channel, not body and not message.Metadata, data, digest, *limits)


def _limits(policy: pb.QueueMessagePolicy) -> tuple[int, int, int, str, str]:
    return policy.ExpirationSeconds, policy.DelaySeconds, policy.MaxReceiveCount, policy.MaxReceiveQueue, ""


def send_result(result: Result) -> bytes:
    """What the sender of one message gets."""
    return _Results().one(result)


def read_batch(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of a batch."""
    batch = read(containers.QueueMessagesBatchRequest, data)
    return batch.BatchID, batch.Messages


def batch_response(id: str, results: Iterable[Result], *, have_errors: bool) -> bytes:
    """The answer to a batch."""
    return containers.QueueMessagesBatchResponse(
        BatchID=id, Results=map(_Results().one, results), HaveErrors=have_errors
    ).SerializeToString()


def read_upstream(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of one upstream request."""
    request = read(containers.QueuesUpstreamRequest, data)
    return request.RequestID, request.Messages


def upstream_response(id: str, results: Iterable[Result] = (), *, error: str = "") -> bytes:
    """The answer to one upstream request."""
    return containers.QueuesUpstreamResponse(
        RefRequestID=id, Results=map(_Results().one, results), IsError=bool(error), Error=error
    ).SerializeToString()
