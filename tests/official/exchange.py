"""What both sides say in these tests, and both sides' messages in one form to compare."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from tests.official.client import Client

PATIENCE = 20.0  # seconds until what should have happened counts as lost

MESSAGE: dict[str, Any] = {
    "id": "Bestellung 1",
    "metadata": "Grüße 🚚\n",
    "body": bytes(range(256)) * 5,
    "tags": {"k": "v", "größe": "XL", "leer": ""},
}


def sendable(client: "Client", **message: Any) -> dict[str, Any]:
    """The message without what a client cannot send: the JavaScript SDK 1.2.3 raises on any tag."""
    return message if "js" not in client.name else {k: v for k, v in message.items() if k != "tags"}


def said(client: "Client", **expected: Any) -> dict[str, Any]:
    """What is to arrive of `sendable(client, **expected)`."""
    return expected | {"tags": sendable(client, **expected).get("tags", {})}


def rows(frame: "DataFrame") -> list[dict[str, Any]]:
    """The rows of our frame."""
    return frame.to_dict("records")


def fields(message: dict[str, Any], *names: str) -> dict[str, Any]:
    """The named fields; without names those that every pattern carries."""
    return {name: message[name] for name in names or ("id", "channel", "metadata", "body", "tags")}


def bodies(messages: "list[dict[str, Any]] | DataFrame") -> list[bytes]:
    """The bodies, in order."""
    return list(messages["body"]) if not isinstance(messages, list) else [row["body"] for row in messages]


def wait_until(true: Callable[[], object]) -> None:
    """Wait for a condition, which may itself wait."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "what should have happened has not"
        time.sleep(0.02)


def answered(ask: Callable[[], Any], *, unanswered: type[Exception]) -> Any:
    """Ask until a responder is there to answer: that of an official client does not say when it is live."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except unanswered:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.02)
