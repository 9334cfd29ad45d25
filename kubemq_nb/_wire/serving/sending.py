"""Messages of queues on their way in, on the broker's side of the wire."""

from collections.abc import Iterable, Sequence
from hashlib import md5

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read

Draft = tuple[str, str, str, bool, bytes, bytes, int, int, int, str]
"""id, client id, channel, whether it is empty, content, MD5, expiration, delay, max count, dead letter."""

NO_LIMITS = (0, 0, 0, "")

Result = tuple[str, int, int, int, str]
"""id, sent at, expires at, delayed to, error."""


def read_message(data: bytes) -> Draft:
    """A message as its sender gives it; attributes are the broker's and are left out."""
    message = read(pb.QueueMessage, data)
    channel, body = message.Channel, message.Body
    limits = _limits(message.Policy) if message.HasField("Policy") else NO_LIMITS
    message.ClearField("Channel")
    message.ClearField("Attributes")
    id = message.MessageID
    if not id:
        id = message.MessageID = new_id()
    empty = not body and not message.Metadata
    digest = md5(body, usedforsecurity=False).digest()
    if limits is not NO_LIMITS:
        message.ClearField("Policy")
    return (id, message.ClientID, channel, empty, message.SerializeToString(), digest, *limits)


def _limits(policy: pb.QueueMessagePolicy) -> tuple[int, int, int, str]:
    return policy.ExpirationSeconds, policy.DelaySeconds, policy.MaxReceiveCount, policy.MaxReceiveQueue


def send_result(result: Result) -> bytes:
    """What the sender of one message gets."""
    return one_result(result).SerializeToString()


def one_result(result: Result) -> pb.SendQueueMessageResult:
    """What the sender of one message gets, as part of an answer."""
    id, sent_at, expires_at, delayed_to, error = result
    if not (expires_at or delayed_to or error):
        return pb.SendQueueMessageResult(MessageID=id, SentAt=sent_at)  # most are so, and it is half the work
    return pb.SendQueueMessageResult(
        MessageID=id,
        SentAt=sent_at,
        ExpirationAt=expires_at,
        DelayedTo=delayed_to,
        IsError=bool(error),
        Error=error,
    )


def read_batch(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of a batch."""
    batch = read(containers.QueueMessagesBatchRequest, data)
    return batch.BatchID, batch.Messages


def batch_response(id: str, results: Iterable[Result], *, have_errors: bool) -> bytes:
    """The answer to a batch."""
    return pb.QueueMessagesBatchResponse(
        BatchID=id, Results=map(one_result, results), HaveErrors=have_errors
    ).SerializeToString()


def read_upstream(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of one upstream request."""
    request = read(containers.QueuesUpstreamRequest, data)
    return request.RequestID, request.Messages


def upstream_response(id: str, results: Iterable[Result] = (), *, error: str = "") -> bytes:
    """The answer to one upstream request."""
    return pb.QueuesUpstreamResponse(
        RefRequestID=id, Results=map(one_result, results), IsError=bool(error), Error=error
    ).SerializeToString()
