"""The connection to a broker: address, token, TLS, deadlines, close."""

from kubemq_nb.messages import ServerInfo


class Channel:
    """One connection to one broker, shared by the clients of all patterns and by any number of threads.

    Nothing is sent before the first call. `ca`, `cert` and `key` are paths of PEM files; `ca` alone is TLS, all three
    mutual TLS. `timeout` (seconds) bounds every call beyond the wait that the call itself asks for.

    Raises:
        ValueError: An address that is not `host:port`, or a certificate file that cannot be read.
        AuthenticationFailed: A token would travel in clear to another machine and `insecure` is not set.
    """

    address: str
    timeout: float

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        ca: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        insecure: bool = False,
        timeout: float = 5.0,
    ) -> None:
        raise NotImplementedError

    def connect(self) -> ServerInfo:
        """Reach the broker and try the token, within `timeout`."""
        raise NotImplementedError

    def ping(self) -> ServerInfo:
        """Ask the broker who it is; no token is needed for that."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        raise NotImplementedError

    def close(self) -> None:
        """End every call and stream; later use raises SessionClosed. Closing again does nothing."""
        raise NotImplementedError
