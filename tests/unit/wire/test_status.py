"""Statuses and texts of a broker to errors."""

import grpc
import pytest

from kubemq_nb import errors, rules
from kubemq_nb._wire import status

READ = status.Attempt(what="the peek at orders", address="here:1", channel="orders", timeout=5.0)
SEND = status.Attempt(what="the send to orders", address="here:1", channel="orders", timeout=5.0, effect=True)


class Failed(grpc.RpcError):
    """A failed call as grpc raises it."""

    def __init__(self, code: grpc.StatusCode, details: str = "") -> None:
        super().__init__()
        self._code = code
        self._details = details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


REFUSED = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"
CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "details", "of_read", "of_send"),
    [
        (CODE.UNAVAILABLE, REFUSED, errors.BrokerUnavailable, errors.BrokerUnavailable),
        (CODE.UNAVAILABLE, "Socket closed", errors.BrokerUnavailable, errors.OutcomeUnknown),
        (CODE.UNAVAILABLE, "", errors.BrokerUnavailable, errors.OutcomeUnknown),
        (CODE.UNAVAILABLE, "DNS resolution failed for x", errors.BrokerUnavailable, errors.BrokerUnavailable),
        (CODE.CANCELLED, "", errors.BrokerUnavailable, errors.OutcomeUnknown),
        (CODE.DEADLINE_EXCEEDED, "Deadline Exceeded", errors.DeadlineExceeded, errors.OutcomeUnknown),
        (CODE.UNAUTHENTICATED, "", errors.AuthenticationFailed, errors.AuthenticationFailed),
        (CODE.PERMISSION_DENIED, "", errors.AuthenticationFailed, errors.AuthenticationFailed),
        (CODE.UNIMPLEMENTED, "", errors.NotSupported, errors.NotSupported),
        (CODE.RESOURCE_EXHAUSTED, "larger than max (2 vs. 1)", status.TooLarge, status.TooLarge),
        (CODE.RESOURCE_EXHAUSTED, "disk full", errors.RequestRejected, errors.RequestRejected),
        (CODE.INTERNAL, "Received RST_STREAM with error 2", errors.BrokerUnavailable, errors.OutcomeUnknown),
        (CODE.INTERNAL, rules.text(107), errors.InvalidChannel, errors.InvalidChannel),
        (CODE.INTERNAL, rules.text(110), errors.InvalidMessage, errors.InvalidMessage),
        (CODE.INTERNAL, "stan: clientID already registered", errors.RequestRejected, errors.RequestRejected),
        (CODE.UNKNOWN, "Stream removed", errors.RequestRejected, errors.OutcomeUnknown),
    ],
)
def test_a_status_is_one_error_for_a_read_and_maybe_another_for_a_send(code, details, of_read, of_send):
    failed = Failed(code, details)

    assert type(status.from_grpc(failed, READ)) is of_read
    assert type(status.from_grpc(failed, SEND)) is of_send


@pytest.mark.rows("C-15")
@pytest.mark.parametrize("number", sorted(set(rules.TEXTS) - {129, 301}))
def test_a_refusal_keeps_the_number_and_the_text_of_the_broker(number):
    error = status.refusal(rules.text(number), SEND)

    assert isinstance(error, errors.RequestRejected)
    assert error.number == number
    assert error.reason == rules.text(number)
    assert error.channel == "orders"
    assert f"(error {number}). Nothing was done." in str(error)


@pytest.mark.parametrize("text", ["invalid ack sequence id 9", "5,000 messages were removed, the others not"])
def test_what_was_refused_half_way_is_not_said_to_be_undone(text):
    error = status.refusal(text, SEND)

    assert type(error) is errors.RequestRejected
    assert str(error).endswith(f": {text}.")


def test_what_may_be_stored_although_the_disk_refused_it_is_an_unknown_outcome():
    text = f"disk I/O error; {rules.NOT_KNOWN}: look before you send again"

    error = status.refusal(text, SEND)

    assert type(error) is errors.OutcomeUnknown
    assert not status.never_left(error)
    assert str(error) == f"{SEND.address} could not finish {SEND.what}: {text}."


def test_a_refused_connection_says_what_where_and_what_to_do():
    error = status.from_grpc(Failed(CODE.UNAVAILABLE, REFUSED), SEND)

    assert str(error) == (
        "Nothing answers at here:1 (connection refused). Nothing was sent. Is the server running?"
        " `%kubemq connect` without an address starts the embedded broker."
    )


@pytest.mark.parametrize(
    ("details", "cause"),
    [
        (
            "Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED: OK",
            (
                "its certificate is not signed by an authority that this system trusts. "
                "Give --ca the certificate of the authority that did."
            ),
        ),
        (
            "Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: WRONG_VERSION_NUMBER: OK",
            "it does not speak TLS. Leave out --tls, --ca, --cert and --key.",
        ),
        (
            "Custom verification check failed: UNAUTHENTICATED: Hostname Verification Check failed.",
            (
                "its certificate is for another name. "
                "Connect by a name that it is for, or give it as --server-name."
            ),
        ),
        (
            "ipv4:127.0.0.1:1: Socket closed",
            (
                "it closed the connection, as a server does that speaks TLS only. "
                "Give --tls, or --ca for an authority of its own."
            ),
        ),
    ],
)
def test_a_connection_that_fails_over_tls_says_why(details, cause):
    failed = Failed(CODE.UNAVAILABLE, f"failed to connect to all addresses; last error: UNKNOWN: {details}")

    error = status.from_grpc(failed, READ)

    assert isinstance(error, errors.BrokerUnavailable)
    assert str(error) == f"No connection to here:1: {cause}"


def test_a_name_that_is_not_known_is_told():
    details = "errors resolving x:1: [field:hostname lookup error: Domain name not found]"

    error = status.from_grpc(Failed(CODE.UNAVAILABLE, details), READ)

    assert str(error).startswith("Nothing answers at here:1 (the name is not known).")


def test_an_unknown_outcome_says_to_look_first():
    error = status.from_grpc(Failed(CODE.DEADLINE_EXCEEDED), SEND)

    assert str(error) == (
        "here:1 did not answer the send to orders within 5 s. Outcome unknown: look before sending again."
    )


@pytest.mark.rows("R-03")
def test_a_request_without_an_answer_names_channel_and_timeout():
    asked = status.Attempt(
        what="the query to gates", address="here:1", channel="gates", timeout=7, wait=2, effect=True
    )

    error = status.refusal(rules.text(301), asked)

    assert isinstance(error, errors.DeadlineExceeded)
    assert (error.timeout, error.number, error.channel) == (2, 301, "gates")
    assert str(error).startswith("No answer on gates within 2 s (error 301).")


def test_visibility_that_ran_out_closes_the_transaction():
    assert isinstance(status.refusal(rules.text(129), SEND), errors.TransactionClosed)


@pytest.mark.parametrize(
    "text",
    ["cannot ack messages with closed response ", "transaction is completed or transaction id not found"],
)
def test_a_transaction_the_server_no_longer_knows_is_closed(text):
    assert isinstance(status.refusal(text, SEND), errors.TransactionClosed)


@pytest.mark.parametrize("number", [302, 402, 405, 409])
def test_a_server_that_is_not_ready_is_unavailable(number):
    assert isinstance(status.refusal(f"Error {number}: not now", SEND), errors.BrokerUnavailable)


@pytest.mark.parametrize(
    ("text", "number"), [(rules.text(138), 138), ("  Error 1: x", 1), ("no number", None), ("", None)]
)
def test_the_number_of_a_text(text, number):
    assert status.number_of(text) == number


def test_only_grpc_errors_are_translated():
    with pytest.raises(ZeroDivisionError), status.translated(READ):
        raise ZeroDivisionError


def test_no_grpc_error_is_left_in_the_chain():
    with pytest.raises(errors.DeadlineExceeded) as caught, status.translated(READ):
        raise Failed(CODE.DEADLINE_EXCEEDED)

    assert caught.value.__suppress_context__
