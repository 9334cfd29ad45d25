"""Wire bytes to columns, many messages at once and no object a row."""

from collections.abc import Sequence
from typing import NamedTuple


class Columns(NamedTuple):
    """Columns by name, all equally long, and what could not be decoded.

    Times are integers, Unix nanoseconds, 0 for none; `rerouted_from` is None when never rerouted. A damaged message
    (text that is not UTF-8) keeps its row: its text is shown with escapes, or, when even its frame is broken, the row
    is empty and `body` holds all its bytes; `errors` names it.
    """

    columns: dict[str, list[object]]
    errors: list[tuple[int, str]]  # row, reason


def queue_messages(payloads: Sequence[bytes]) -> Columns:
    """Columns id channel metadata body tags client_id timestamp sequence md5_of_body receive_count rerouted
    rerouted_from expiration_at delayed_to expiration delay max_receive_count dead_letter.
    """
    raise NotImplementedError


def events(payloads: Sequence[bytes]) -> Columns:
    """Columns id channel metadata body tags client_id timestamp sequence; 0 for both on live events."""
    raise NotImplementedError


def requests(payloads: Sequence[bytes]) -> Columns:
    """Columns id channel metadata body tags client_id timeout reply_channel cache_key cache_ttl; seconds."""
    raise NotImplementedError
