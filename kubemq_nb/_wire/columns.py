"""Wire bytes to columns, many messages at once and no object a row."""

from collections.abc import Collection, Sequence
from hashlib import md5
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from kubemq_nb._wire import damaged
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.runs import Runs

M = TypeVar("M", bound=Message)

SENDER_TAG = "x-kubemq-client-id"  # where the official SDKs put the sender of an event


class Columns(NamedTuple):
    """Columns by name, all equally long, and what could not be decoded.

    Times are integers, Unix nanoseconds, 0 for none; `rerouted_from` is None when never rerouted. A damaged
    message (text that is not UTF-8) keeps its row: its text is shown with escapes, or, when even its frame is
    broken, the row is empty and `body` holds all its bytes; `errors` names it.
    """

    columns: dict[str, list[Any]]
    errors: list[tuple[int, str]]  # row, reason


def queue_messages(payloads: Collection[bytes]) -> Columns:
    """Columns of queue messages, those of `decode_queue_message` by the same names.

    `md5_of_body` is computed where the server left it empty, which real ones do.
    """
    if isinstance(payloads, Runs):
        messages, errors = _contents(payloads)
        return Columns({**_of_sender(messages), **payloads.others()}, errors)
    messages, errors = _parse(pb.QueueMessage, payloads)
    attributes = [message.Attributes for message in messages]
    policies = [message.Policy for message in messages]
    columns: dict[str, list[Any]] = {
        **_of_sender(messages),
        "channel": [message.Channel for message in messages],
        "timestamp": [part.Timestamp for part in attributes],
        "sequence": [part.Sequence for part in attributes],
        "md5_of_body": [
            part.MD5OfBody or body_digest(message.Body)
            for message, part in zip(messages, attributes, strict=True)
        ],
        "receive_count": [part.ReceiveCount for part in attributes],
        "rerouted": [part.ReRouted for part in attributes],
        "rerouted_from": [part.ReRoutedFromQueue or None for part in attributes],
        "expiration_at": [part.ExpirationAt for part in attributes],
        "delayed_to": [part.DelayedTo for part in attributes],
        "expiration": [policy.ExpirationSeconds for policy in policies],
        "delay": [policy.DelaySeconds for policy in policies],
        "max_receive_count": [policy.MaxReceiveCount for policy in policies],
        "dead_letter": [policy.MaxReceiveQueue for policy in policies],
    }
    return Columns(columns, errors)


def _contents(runs: Runs) -> tuple[Sequence[Any], list[tuple[int, str]]]:
    try:
        return runs.decoded(), []
    except DecodeError:
        return _parse_one_by_one(pb.QueueMessage, runs.contents)


def _of_sender(messages: Sequence[Any]) -> dict[str, list[Any]]:
    return {
        "id": [message.MessageID for message in messages],
        **_content(messages),
        "client_id": [message.ClientID for message in messages],
    }


def events(payloads: Sequence[bytes]) -> Columns:
    """Columns id channel metadata body tags client_id timestamp sequence.

    Timestamp and sequence are 0 on live events. The wire has no sender: `client_id` is what an official SDK
    put into its tag.
    """
    messages, errors = _parse(pb.EventReceive, payloads)
    columns: dict[str, list[Any]] = {
        "id": [message.EventID for message in messages],
        "channel": [message.Channel for message in messages],
        **_content(messages),
        "client_id": [tags.get(SENDER_TAG, "") for tags in [message.Tags for message in messages]],
        "timestamp": [message.Timestamp for message in messages],
        "sequence": [message.Sequence for message in messages],
    }
    return Columns(columns, errors)


def requests(payloads: Sequence[bytes]) -> Columns:
    """Columns id channel metadata body tags client_id timeout reply_channel cache_key cache_ttl; seconds."""
    messages, errors = _parse(pb.Request, payloads)
    columns: dict[str, list[Any]] = {
        "id": [message.RequestID for message in messages],
        "channel": [message.Channel for message in messages],
        **_content(messages),
        "client_id": [message.ClientID for message in messages],
        "timeout": [message.Timeout / 1000 for message in messages],
        "reply_channel": [message.ReplyChannel for message in messages],
        "cache_key": [message.CacheKey for message in messages],
        "cache_ttl": [message.CacheTTL for message in messages],
    }
    return Columns(columns, errors)


def body_digest(body: bytes) -> str:
    """The MD5 of a body in hex, as KubeMQ's `MD5OfBody`."""
    return md5(body, usedforsecurity=False).hexdigest()


def _content(messages: Sequence[Any]) -> dict[str, list[Any]]:
    """What every kind of message says."""
    return {
        "metadata": [message.Metadata for message in messages],
        "body": [message.Body for message in messages],
        "tags": [{key: tags[key] for key in tags} for tags in [message.Tags for message in messages]],
    }


def _parse(kind: type[M], payloads: Collection[bytes]) -> tuple[list[M], list[tuple[int, str]]]:
    parse = kind.FromString
    try:
        return [parse(payload) for payload in payloads], []
    except DecodeError:
        return _parse_one_by_one(kind, payloads)


def _parse_one_by_one(kind: type[M], payloads: Collection[bytes]) -> tuple[list[M], list[tuple[int, str]]]:
    messages, errors = [], []
    for row, payload in enumerate(payloads):
        message, error = damaged.parse(kind, payload)
        messages.append(message)
        if error:
            errors.append((row, error))
    return messages, errors
