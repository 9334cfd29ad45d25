"""The public surface: pinned, so that a name comes or goes on purpose (and with a line in CHANGELOG)."""

import inspect

import pytest

import kubemq_nb

PUBLIC = [
    "Answers",
    "AuthenticationFailed",
    "BrokerStartError",
    "BrokerUnavailable",
    "ConfirmationRequired",
    "DeadlineExceeded",
    "Event",
    "Feed",
    "InvalidChannel",
    "InvalidMessage",
    "JobStatus",
    "KubeMQError",
    "NotSupported",
    "OutcomeUnknown",
    "QueueMessage",
    "Request",
    "RequestRejected",
    "Responder",
    "Response",
    "SendForm",
    "SendResult",
    "ServerInfo",
    "Session",
    "SessionClosed",
    "Settlement",
    "StartPosition",
    "SubscriptionLost",
    "Transaction",
    "TransactionClosed",
    "connect",
]


def test_the_public_names_are_these():
    assert sorted(kubemq_nb.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_is(name):
    assert inspect.getdoc(getattr(kubemq_nb, name))


def public_members(owner):
    members = inspect.getmembers(
        owner, lambda member: inspect.isfunction(member) or isinstance(member, property)
    )
    return [(name, member) for name, member in members if not name.startswith("_")]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name[0].isupper()])
def test_every_public_method_says_what_it_does(name):
    silent = [
        member for member, value in public_members(getattr(kubemq_nb, name)) if not inspect.getdoc(value)
    ]

    assert silent == []


def test_every_error_is_one_of_ours():
    errors = [value for name in PUBLIC if isinstance(value := getattr(kubemq_nb, name), type)]

    raised = [error for error in errors if issubclass(error, BaseException)]

    assert all(issubclass(error, kubemq_nb.KubeMQError) for error in raised)


def test_completion_offers_the_public_names():
    assert set(PUBLIC) <= set(dir(kubemq_nb))
