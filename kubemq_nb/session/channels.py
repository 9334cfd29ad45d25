"""Channels: which there are, as far as the server tells and this session has seen."""

from typing import TYPE_CHECKING

from kubemq_nb.messages import Kind

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session


class Channels:
    """The channels of the broker."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def list(self, pattern: Kind | None = None, filter: str | None = None) -> "DataFrame":
        """List the channels with what is known of each.

        A real server tells only its queues; of the other patterns the channels that this session used are
        listed.

        Args:
            pattern: Only this pattern.
            filter: Only channels whose name contains this text.
        """
        raise NotImplementedError
