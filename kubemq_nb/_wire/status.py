"""From grpc statuses and error texts of the broker to this package's errors: one table, one way in.

Whether a request left decides between two errors. gRPC says so itself: "failed to connect" and failed name
resolution end a call before anything is written; every other break may come after.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import grpc

from kubemq_nb.errors import (
    AuthenticationFailed,
    BrokerUnavailable,
    DeadlineExceeded,
    InvalidChannel,
    InvalidMessage,
    KubeMQError,
    NotSupported,
    OutcomeUnknown,
    RequestRejected,
    TransactionClosed,
)
from kubemq_nb.rules import MAX_MESSAGE_BYTES, NOT_KNOWN

HINT = "Is the server running? `%kubemq connect` without an address starts the embedded broker."
LOOK = "Outcome unknown: look before sending again."

NO_ANSWER, VISIBILITY_OVER, NOTHING_THERE = 301, 129, 138

_NUMBER = re.compile(r"\s*Error (\d+): (.*)", re.DOTALL)

_BY_NUMBER: dict[int, type[RequestRejected]] = {
    **dict.fromkeys((102, 107, 108, 119, 120), InvalidChannel),
    **dict.fromkeys((110, 115, 116, 131, 133, 134, 135), InvalidMessage),
}
_OVER = ("closed response", "transaction is completed")
_NOT_READY = frozenset((302, 402, 405, 409))

# Before anything is written: what the details say, and what that means to a person.
_NEVER_LEFT = (
    "failed to connect",
    "connections to all backends failing",
    "DNS resolution failed",
    "Name resolution",
    "Domain name not found",
    "empty address list",
    "errors resolving",
    "not ready to accept requests",
)
_CAUSES = (
    ("Connection refused", "connection refused"),
    ("not ready to accept requests", "it is not ready yet"),
    ("No route to host", "no route to host"),
    ("etwork is unreachable", "the network is unreachable"),
    ("esolution", "the name is not known"),
    ("Domain name not found", "the name is not known"),
)
OTHER_NAME = "its certificate is for another name"
_BY_WHICH_NAME = f"{OTHER_NAME}. Connect by a name that it is for, or give it as --server-name"
UNTRUSTED = "its certificate is not signed by "
_TLS_CAUSES = (
    ("Hostname Verification", _BY_WHICH_NAME),
    ("not in peer certificate", _BY_WHICH_NAME),  # as older gRPC says it
    ("certificate has expired", "its certificate has expired. The server needs a new one"),
    ("not yet valid", "its certificate is not valid yet. Is the time of this machine right?"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        f"{UNTRUSTED}the given CA. Give --ca the certificate of the authority that did",
    ),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS. Leave out --tls, --ca, --cert and --key"),
    ("andshake failed", "the TLS handshake failed. See --ca, --cert and --key"),
    ("Failed parsing HTTP/2", "what answers there does not speak gRPC. Is it the port of something else?"),
)
NOT_TRUSTED = (
    f"{UNTRUSTED}an authority that this system trusts. Give --ca the certificate of the authority that did"
)
_SHUT = ("Socket closed", "onnection reset")


class Attempt(NamedTuple):
    """One thing tried, in the words that its errors use."""

    what: str  # with article: "the send to orders"
    address: str
    channel: str | None = None
    timeout: float = 0.0  # seconds, the deadline of the call
    wait: float = 0.0  # seconds of it that the broker was asked to wait
    effect: bool = False  # the broker may have done it although no answer came
    token: str = ""  # the token that was shown, in words: "the token of /run/token"
    tls: bool = False
    authority: bool = False  # one was given; otherwise those count that the system trusts
    certificate: bool = False  # one of the client's own was shown


class TooLarge(InvalidMessage):
    """More than a gRPC message carries; a read may ask for fewer."""


@contextmanager
def translated(attempt: Attempt) -> Iterator[None]:
    """Turn every grpc error raised inside into one of this package's."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_grpc(error, attempt) from None


def from_grpc(error: grpc.RpcError, attempt: Attempt) -> KubeMQError:  # noqa: PLR0911 (it is the table)
    """The error of this package that a failed call stands for."""
    code, details = error.code(), error.details() or ""
    match code:
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return _unavailable(details, attempt)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return too_late(attempt, details)
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return _turned_away(details, attempt)
        case grpc.StatusCode.UNIMPLEMENTED:
            return NotSupported(
                f"This server does not offer {attempt.what}.", channel=attempt.channel, reason=details
            )
        case grpc.StatusCode.RESOURCE_EXHAUSTED if "larger than max" in details:
            return _too_large(details, attempt)
        case grpc.StatusCode.INTERNAL if details.startswith("Received RST_STREAM"):
            return broken(attempt, details)
        case grpc.StatusCode.UNKNOWN if attempt.effect:
            return broken(attempt, details)
    return refusal(details, attempt)


def refusal(text: str, attempt: Attempt) -> KubeMQError:
    """The error of this package that an error text of the broker stands for."""
    match = _NUMBER.match(text)
    number, words = (int(match[1]), match[2].strip()) if match else (None, text.strip())
    if number == NO_ANSWER:
        return DeadlineExceeded(
            f"No answer on {attempt.channel} within {_seconds(attempt.wait)} (error 301)."
            " Is a responder running? See `%kubemq jobs`.",
            timeout=attempt.wait,
            channel=attempt.channel,
            number=number,
            reason=text,
        )
    if number in _NOT_READY:
        return BrokerUnavailable(
            f"{attempt.address} cannot take {attempt.what} now: {words} (error {number}). Try again.",
            address=attempt.address,
            channel=attempt.channel,
        )
    if number == VISIBILITY_OVER:
        return TransactionClosed(
            f"Too late for {attempt.what}: visibility ran out (error 129). The message is back in its queue.",
            channel=attempt.channel,
            number=number,
            reason=text,
        )
    if any(sign in words for sign in _OVER):
        return TransactionClosed(
            f"Too late for {attempt.what}: the transaction is over ({words}).",
            channel=attempt.channel,
            reason=text,
        )
    if NOT_KNOWN in words:
        return OutcomeUnknown(
            f"{attempt.address} could not finish {attempt.what}: {words}.",
            channel=attempt.channel,
            reason=text,
        )
    refused = _BY_NUMBER.get(number or 0, RequestRejected)
    # Without a number it may have been refused half-way: then the words say what was done.
    told = f" (error {number}). Nothing was done." if number else "."
    return refused(
        f"The broker refused {attempt.what}: {words}{told}",
        channel=attempt.channel,
        number=number,
        reason=text,
    )


def number_of(text: str) -> int | None:
    """The number in a text such as `Error 138: no new message in queue, wait time expired`, or None."""
    match = _NUMBER.match(text)
    return int(match[1]) if match else None


def never_left(error: KubeMQError) -> bool:
    """Whether an error says that the broker saw nothing of the request."""
    return isinstance(error, BrokerUnavailable | AuthenticationFailed | RequestRejected | NotSupported)


def _unavailable(details: str, attempt: Attempt) -> KubeMQError:
    if not any(sign in details for sign in _NEVER_LEFT):
        return broken(attempt, details)
    if cause := _meaning(details, _CAUSES):
        return nobody_there(cause, attempt)
    if cause := _meaning(details, _TLS_CAUSES):
        strange = cause.startswith(UNTRUSTED) and not attempt.authority
        return _unsafe(NOT_TRUSTED if strange else cause, attempt)
    if any(sign in details for sign in _SHUT):
        return _unsafe(_shut(attempt), attempt)
    return nobody_there("no connection", attempt)


def _meaning(details: str, causes: Iterable[tuple[str, str]]) -> str:
    return next((words for sign, words in causes if sign in details), "")


def _turned_away(details: str, attempt: Attempt) -> AuthenticationFailed:
    why = f"refused {attempt.token}. Give another" if attempt.token else "wants a token. Give it"
    return AuthenticationFailed(
        f"{attempt.address} {why} with --token-env or --token-file.", channel=attempt.channel, reason=details
    )


def _shut(attempt: Attempt) -> str:
    """Why a server hangs up on a connection that has just begun: gRPC is not told, so it is guessed."""
    if not attempt.tls:
        wants = "speaks TLS only. Give --tls, or --ca for an authority of its own"
    elif not attempt.certificate:
        wants = "wants a certificate of the client. Give --cert and --key"
    else:
        wants = "refuses the client's certificate. Is it out of date, or of another authority?"
    return f"it closed the connection, as a server does that {wants}"


def _unsafe(cause: str, attempt: Attempt) -> BrokerUnavailable:
    end = "" if cause.endswith("?") else "."
    return BrokerUnavailable(
        f"No connection to {attempt.address}: {cause}{end} {_nothing_sent(attempt)}".rstrip(),
        address=attempt.address,
        channel=attempt.channel,
    )


def _nothing_sent(attempt: Attempt) -> str:
    return "Nothing was sent. " if attempt.effect else ""


def nobody_there(cause: str, attempt: Attempt) -> BrokerUnavailable:
    """Nothing answers at the address, for a cause in words ("connection refused")."""
    return BrokerUnavailable(
        f"Nothing answers at {attempt.address} ({cause}). {_nothing_sent(attempt)}{HINT}",
        address=attempt.address,
        channel=attempt.channel,
    )


def tried_for(timeout: float) -> str:
    """The cause when nothing at all came back, in words."""
    return f"tried for {_seconds(timeout)}"


def broken(attempt: Attempt, details: str = "") -> KubeMQError:
    """The connection went while an answer was due."""
    broke = f"The connection to {attempt.address} broke during {attempt.what}."
    if attempt.effect:
        return OutcomeUnknown(f"{broke} {LOOK}", channel=attempt.channel, reason=details)
    lost = BrokerUnavailable(f"{broke} {HINT}", address=attempt.address, channel=attempt.channel)
    lost.reason = details
    return lost


def too_late(attempt: Attempt, details: str = "") -> KubeMQError:
    """No answer came within the attempt's timeout."""
    late = f"{attempt.address} did not answer {attempt.what} within {_seconds(attempt.timeout)}."
    if attempt.effect:
        return OutcomeUnknown(f"{late} {LOOK}", channel=attempt.channel, reason=details)
    return DeadlineExceeded(
        f"{late} Try again, or give it more time.",
        timeout=attempt.timeout,
        channel=attempt.channel,
        reason=details,
    )


def _too_large(details: str, attempt: Attempt) -> KubeMQError:
    return TooLarge(
        f"{attempt.what[:1].upper()}{attempt.what[1:]} is larger than a broker passes:"
        f" {MAX_MESSAGE_BYTES / 2**20:.0f} MiB with its envelope. Nothing was done.",
        channel=attempt.channel,
        reason=details,
    )


def _seconds(timeout: float) -> str:
    return f"{timeout:g} s"
