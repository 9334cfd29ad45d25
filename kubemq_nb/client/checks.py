"""What is refused before anything is sent: names, messages and bounds, in sentences.

The rules are `kubemq_nb.rules`; here they speak to a person, with the broker's number for the same refusal.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from numbers import Integral

from kubemq_nb import rules
from kubemq_nb.errors import InvalidChannel, InvalidMessage, RequestRejected
from kubemq_nb.messages import Event, QueueMessage, Request

_STORE_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]+")

_channel_error = lru_cache(rules.channel_error)  # a batch asks it of one name many times

_CHANNEL_WORDS = {
    102: "is empty",
    107: "holds a wildcard (* or >), which only subscriptions to live events may",
    108: "holds white space or a control character",
    119: "ends with a dot",
}


def check_channel(channel: str, *, wildcards: bool = False) -> None:
    """Refuse a channel name of events or requests that breaks a rule."""
    _check_text(channel)
    if number := _channel_error(channel, wildcards=wildcards):
        raise _invalid_channel(channel, number, number)
    _check_utf8("The channel", channel, None)


def check_queue(channel: str) -> None:
    """Refuse a queue name that breaks a rule."""
    _check_text(channel)
    if number := _channel_error(channel):
        raise _invalid_channel(channel, number, 120)
    _check_utf8("The channel", channel, None)


def _check_text(channel: object) -> None:
    if not isinstance(channel, str):
        raise TypeError(f"a channel is text, not {channel!r}")


def check_subscriber(client_id: str, group: str, *, channel: str, store: bool = False) -> None:
    """Refuse a client id or group that a server would refuse, or answer badly."""
    check_client_id(client_id, channel=channel)
    _check_utf8("The group", group, channel)
    if rules.has_white_space(group):
        raise RequestRejected(f"The group {group!r} holds white space. Nothing was done.", channel=channel)
    if store and not _STORE_CLIENT_ID.fullmatch(client_id):
        raise RequestRejected(
            f"The client id {client_id!r} of an events store subscription is letters, digits, - and _."
            " Nothing was done.",
            channel=channel,
        )
    if store and ":" in group:
        raise RequestRejected(f"The group {group!r} holds a colon. Nothing was done.", channel=channel)


def check_client_id(client_id: str, *, channel: str) -> None:
    """Refuse an empty client id, which every verb needs."""
    if not client_id:
        raise RequestRejected(
            "The client id is empty (error 101). Nothing was sent.", channel=channel, number=101
        )
    _check_utf8("The client id", client_id, channel)


def check_outgoing(message: QueueMessage | Event) -> None:
    """Refuse a message of a queue, or an event, that breaks a rule."""
    if isinstance(message, Event):
        check_event(message)
    else:
        check_queue_message(message)


def check_queue_message(message: QueueMessage) -> None:
    """Refuse a queue message that no broker would take."""
    check_queue(message.channel)
    _check_content(message, 110)
    _check_bound(message, "expiration", message.expiration, rules.MAX_EXPIRATION, 133)
    _check_bound(message, "delay", message.delay, rules.MAX_DELAY, 135)
    _check_bound(message, "max_receive_count", message.max_receive_count, rules.MAX_RECEIVE_COUNT, 134)
    if message.dead_letter:
        check_queue(message.dead_letter)


def check_event(event: Event) -> None:
    """Refuse an event that no broker would take."""
    check_channel(event.channel)
    _check_content(event, 110)


def check_request(request: Request) -> None:
    """Refuse a command or query that no broker would take."""
    check_channel(request.channel)
    _check_content(request, 115)
    if not 0 < request.timeout <= rules.MAX_TIMEOUT:
        bound = "more than 0" if request.timeout <= 0 else f"at most {rules.MAX_TIMEOUT:,}"
        raise InvalidMessage(
            f"The timeout is {bound} seconds, not {request.timeout:g} (error 109). Nothing was sent.",
            channel=request.channel,
            number=109,
        )
    if request.cache_key and request.cache_ttl <= 0:
        raise InvalidMessage(
            "A cache key needs a time to live of at least 1 s (error 116). Nothing was sent.",
            channel=request.channel,
            number=116,
        )


def check_count(channel: str, count: int | None) -> None:
    """Refuse a count below 1."""
    if count is not None and not isinstance(count, Integral):
        raise TypeError(f"a count is a whole number, not {count!r}")
    if count is not None and count < 1:
        raise RequestRejected(
            f"The count is at least 1, not {count} (error 122).", channel=channel, number=122
        )


def check_bounds(channel: str, *, count: int, wait: float) -> None:
    """Refuse a count below 1, or a wait that servers refuse."""
    check_count(channel, count)
    if not 0 <= wait <= rules.MAX_WAIT:
        raise RequestRejected(
            f"The wait is 0 to {rules.MAX_WAIT:,} seconds, not {wait:g} (error 136).",
            channel=channel,
            number=136,
        )


def whole_visibility(channel: str, visibility: float) -> int:
    """A visibility in seconds as the wire takes it: whole, from 1."""
    if visibility != int(visibility) or not 1 <= visibility <= rules.MAX_VISIBILITY:
        raise RequestRejected(
            f"The visibility is 1 to {rules.MAX_VISIBILITY:,} whole seconds, not {visibility:g} (error 127).",
            channel=channel,
            number=127,
        )
    return int(visibility)


def _invalid_channel(channel: str, rule: int, number: int) -> InvalidChannel:
    name = f"The channel {channel!r}" if channel else "The channel name"
    return InvalidChannel(
        f"{name} {_CHANNEL_WORDS[rule]} (error {number}). Nothing was sent.", channel=channel, number=number
    )


def _check_content(message: QueueMessage | Event | Request, number: int) -> None:
    check_client_id(message.client_id, channel=message.channel)
    if not message.body and not message.metadata:
        raise InvalidMessage(
            f"A message needs a body or metadata, tags alone are not enough (error {number})."
            " Nothing was sent.",
            channel=message.channel,
            number=number,
        )
    _check_utf8("The id", message.id, message.channel)
    _check_utf8("The metadata", message.metadata, message.channel)
    _check_tags(message.tags, message.channel)
    size = len(message.body) + len(message.metadata)
    if size > rules.MAX_SENT_BYTES:
        raise InvalidMessage(
            f"The message has {size / 1e6:.1f} MB; a broker passes"
            f" {rules.MAX_MESSAGE_BYTES / 2**20:.0f} MiB with its envelope. Nothing was sent.",
            channel=message.channel,
        )


def _check_bound(message: QueueMessage, name: str, value: int, last: int, number: int) -> None:
    if not 0 <= value <= last:
        raise InvalidMessage(
            f"{name} is 0 to {last:,}, not {value:,} (error {number}). Nothing was sent.",
            channel=message.channel,
            number=number,
        )


def _check_tags(tags: Mapping[str, str], channel: str) -> None:
    for key, value in tags.items():
        _check_utf8("A tag", key, channel)
        _check_utf8("A tag", value, channel)


def _check_utf8(what: str, text: str, channel: str | None) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidMessage(
            f"{what} {text!r} holds a lone surrogate, which is not text. Nothing was sent.", channel=channel
        ) from None
