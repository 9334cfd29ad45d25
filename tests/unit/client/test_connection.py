"""A channel before its first call."""

import pytest

from kubemq_nb.client.connection import Connection
from kubemq_nb.client.queues import QueuesClient
from kubemq_nb.errors import AuthenticationFailed, SessionClosed
from kubemq_nb.messages import QueueMessage


def test_a_token_does_not_go_in_clear_to_another_machine():
    with pytest.raises(AuthenticationFailed, match="in clear"):
        Connection("broker.example.com:50000", token="secret")


def test_a_token_goes_in_clear_to_this_machine():
    Connection("127.0.0.1:50000", token="secret").close()


def test_a_token_goes_in_clear_when_told_so():
    Connection("broker.example.com:50000", token="secret", insecure=True).close()


def test_a_channel_never_shows_its_token():
    connection = Connection("127.0.0.1:50000", token="canary")
    connection.close()

    assert "canary" not in repr(connection)


@pytest.mark.parametrize("token", ["a\nb", "a\r", "ä", "\x00"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(token):
    with pytest.raises(ValueError, match="no header can carry") as caught:
        Connection("127.0.0.1:50000", token=token)

    assert token not in str(caught.value)


def test_a_certificate_needs_its_key():
    with pytest.raises(ValueError, match="both --cert and --key"):
        Connection("127.0.0.1:50000", cert="cert.pem")


def test_a_certificate_that_cannot_be_read_is_named(tmp_path):
    missing = tmp_path / "ca.pem"

    with pytest.raises(ValueError, match=r"ca\.pem cannot be read"):
        Connection("127.0.0.1:50000", ca=missing)


@pytest.mark.rows("C-05")
def test_a_closed_channel_says_so_whatever_is_asked():
    connection = Connection("127.0.0.1:50000")
    connection.close()
    connection.close()

    queues = QueuesClient(connection)
    message = QueueMessage(channel="a", body=b"x", client_id="me")
    for ask in (
        connection.ping,
        connection.connect,
        lambda: queues.send(message),
        lambda: queues.send_batch([message]),
        lambda: queues.receive("a", count=1, wait=1, client_id="me"),
    ):
        with pytest.raises(SessionClosed, match="is closed"):
            ask()
