"""A session: one connection, all patterns, its jobs, and the embedded broker if it has one."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from kubemq_nb.messages import ServerInfo
from kubemq_nb.session.broker import Broker
from kubemq_nb.session.channels import Channels
from kubemq_nb.session.events import Events
from kubemq_nb.session.events_store import EventsStore
from kubemq_nb.session.queues import Queues
from kubemq_nb.session.requests import Commands, Queries

if TYPE_CHECKING:
    from pandas import DataFrame


class Session:
    """An open connection to a broker; safe to use from many threads at once.

    Attributes:
        name: What `use`, `--on` and `connections` call it.
        address: Where the broker is, as host:port.
        client_id: Who this session is, unless a call says otherwise.
        embedded: Whether this session started the broker, or shares it by its store.
        server: What the broker said of itself when the session was opened.
    """

    name: str
    address: str
    client_id: str
    embedded: bool
    server: ServerInfo
    queues: Queues
    events: Events
    events_store: EventsStore
    commands: Commands
    queries: Queries
    channels: Channels
    broker: Broker

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        raise NotImplementedError

    def ping(self) -> ServerInfo:
        """Ask the broker who it is and since when it runs."""
        raise NotImplementedError

    def status(self) -> "DataFrame":
        """One line about this session: connection address state server client access jobs up."""
        raise NotImplementedError

    def connections(self) -> "DataFrame":
        """The line of `status` for every open session."""
        raise NotImplementedError

    def use(self, name: str) -> "Session":
        """Make another open session the current one.

        Args:
            name: Its name, as in `connections`.
        """
        raise NotImplementedError

    def jobs(self) -> "DataFrame":
        """What runs in the background: id kind channel state received errors since note."""
        raise NotImplementedError

    def stop(self, job: int | Literal["all"]) -> "DataFrame":
        """Stop a job, or all of them, and list what was stopped.

        Args:
            job: Number of the job, as in `jobs`, or "all".
        """
        raise NotImplementedError

    def close(self) -> None:
        """End all jobs, give back what transactions hold, and leave; safe to call again."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def connect(
    address: str | None = None,
    *,
    store: str | Path | None = None,
    name: str | None = None,
    client_id: str | None = None,
    token_env: str | None = None,
    token_file: str | Path | None = None,
    ca: str | Path | None = None,
    cert: str | Path | None = None,
    key: str | Path | None = None,
    insecure: bool = False,
) -> Session:
    """Connect to a broker; without an address, to an embedded one that is started for it.

    A session of the same name is closed and replaced, so that a cell can be run again.

    Args:
        address: Server as host:port; left out, KUBEMQ_ADDRESS, and without that an embedded broker.
        store: Name or folder of a durable store for the embedded broker, shared by all who name it; without
            one the broker is private, starts empty, and ends with this session.
        name: What to call the connection; "embedded", the store or the address when left out.
        client_id: Who this session is to the broker; a unique one is made when left out.
        token_env: Environment variable that holds the token; KUBEMQ_AUTH_TOKEN is read when there is one.
        token_file: File that holds the token.
        ca: Certificate file of the authority that signed the server's; turns TLS on.
        cert: Certificate file of this client.
        key: Key file of this client's certificate.
        insecure: Allow a token to go unencrypted to another machine.

    Raises:
        BrokerUnavailable: Nothing answers at the address.
        AuthenticationFailed: The broker wants a token, or another one.
        BrokerStartError: The embedded broker did not start.
    """
    raise NotImplementedError
