"""The embedded broker of a session, under its user's control."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.connection import Session


class Broker:
    """The embedded broker of a session; a session that talks to another server refuses these."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def start(self) -> "DataFrame":
        """Start the broker again after `stop`, on the same store and address."""
        raise NotImplementedError

    def stop(self) -> "DataFrame":
        """Stop the broker process; what is stored stays."""
        raise NotImplementedError

    def restart(self) -> "DataFrame":
        """Stop the broker and start it again, on the same store and address."""
        raise NotImplementedError

    def reset(self) -> "DataFrame":
        """Forget all channels and messages: an empty store, at the same address."""
        raise NotImplementedError
