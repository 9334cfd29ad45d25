"""Messages of queues on their way in, on the broker's side of the wire."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import md5

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read, start_of_field

Draft = tuple[str, str, str, bool, bytes, bytes, int, int, int, str, str]
"""id, client id, channel, if it is empty, content, MD5, expiration, delay, max count, dead letter, error."""

TOGETHER = 2**20  # bytes of a request whose messages are decoded all at once

_ID = pb.SendQueueMessageResult.MESSAGEID_FIELD_NUMBER

Result = tuple[str, int, int, int, str]
"""id, sent at, expires at, delayed to, error."""


def _results(results: Iterable[Result]) -> Iterator[bytes]:
    """The wire form of results."""
    last = 0
    end = b""  # the field of this time, which most results of a request have in common
    for id, sent_at, expires_at, delayed_to, error in results:
        if expires_at or delayed_to or error or not id:
            yield pb.SendQueueMessageResult(
                MessageID=id,
                SentAt=sent_at,
                ExpirationAt=expires_at,
                DelayedTo=delayed_to,
                IsError=bool(error),
                Error=error,
            ).SerializeToString()
            continue
        if sent_at != last:
            last, end = sent_at, _sent_at(sent_at)
        text = id.encode()
        yield start_of_field(_ID, len(text)) + text + end  # half of what the library takes


@lru_cache(maxsize=1)  # of results that are given together, also to several clients
def _sent_at(time: int) -> bytes:
    return pb.SendQueueMessageResult(SentAt=time).SerializeToString()


def read_message(data: bytes) -> Draft:
    """A message as its sender gives it; attributes are the broker's and are left out."""
    message = read(pb.QueueMessage, data)
    limits = _limits(message.Policy)
    id = message.MessageID
    # Most are kept as they came; the channel in them is overruled by the one that a delivery appends.
    if not id or message.Policy.ByteSize() or message.Attributes.ByteSize():
        id = message.MessageID = id or new_id()
        message.ClearField("Policy")
        message.ClearField("Attributes")
        data = message.SerializeToString()
    empty = not message.Body and not message.Metadata
    digest = md5(message.Body, usedforsecurity=False).digest()
    return (id, message.ClientID, message.Channel, empty, data, digest, *limits)


def read_messages(request: bytes, messages: Sequence[bytes]) -> Iterator[Draft]:
    """The same of all messages of a batch or of an upstream request, which have the same fields.

    To decode them together takes half of what it takes one by one; large ones would be in memory twice.

    Raises:
        Malformed: One of them, or more, does not decode.
    """
    if len(request) > TOGETHER:
        return map(read_message, messages)
    return map(_draft, read(containers.SentMessages, request).Messages, messages)


def _draft(message: containers.SentMessage, data: bytes) -> Draft:
    id, body = message.MessageID, message.Body
    if not id or message.Policy or message.Attributes:
        return read_message(data)
    empty = not body and not message.Metadata
    digest = md5(body, usedforsecurity=False).digest()
    return (id, message.ClientID, message.Channel, empty, data, digest, 0, 0, 0, "", "")


def _limits(policy: pb.QueueMessagePolicy) -> tuple[int, int, int, str, str]:
    return policy.ExpirationSeconds, policy.DelaySeconds, policy.MaxReceiveCount, policy.MaxReceiveQueue, ""


def send_result(result: Result) -> bytes:
    """What the sender of one message gets."""
    return next(_results([result]))


def read_batch(data: bytes) -> tuple[str, Sequence[bytes]]:
    """Id and messages of a batch."""
    batch = read(containers.QueueMessagesBatchRequest, data)
    return batch.BatchID, batch.Messages


def batch_response(id: str, results: Iterable[Result], *, have_errors: bool) -> bytes:
    """The answer to a batch."""
    return containers.QueueMessagesBatchResponse(
        BatchID=id, Results=_results(results), HaveErrors=have_errors
    ).SerializeToString()


def read_upstream(data: bytes) -> tuple[str, Sequence[bytes], bool]:
    """Id and messages of one upstream request, and whether one time may stand for all results."""
    request = read(containers.QueuesUpstreamRequest, data)
    return request.RequestID, request.Messages, request.Brief


def upstream_response(
    id: str, results: Sequence[Result] = (), *, error: str = "", brief: bool = False
) -> bytes:
    """The answer to one upstream request; a brief one tells when all were stored, if that is all."""
    alike = {result[1:] for result in results} if brief else set()
    if len(alike) == 1:
        sent_at, *others = alike.pop()
        if not any(others):
            return containers.QueuesUpstreamResponse(RefRequestID=id, SentAt=sent_at).SerializeToString()
    return containers.QueuesUpstreamResponse(
        RefRequestID=id, Results=_results(results), IsError=bool(error), Error=error
    ).SerializeToString()
