"""A session: one connection, all patterns, its jobs, and the embedded broker if it has one."""

import builtins
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from kubemq_nb import frames
from kubemq_nb.client.connection import Connection
from kubemq_nb.client.tokens import Token
from kubemq_nb.errors import BrokerUnavailable, KubeMQError
from kubemq_nb.messages import Kind, ServerInfo, Start, Where
from kubemq_nb.session import access, language, profiles, registry
from kubemq_nb.session.broker import Broker
from kubemq_nb.session.channels import Channels
from kubemq_nb.session.embedded import Embedded
from kubemq_nb.session.jobs import Job, listing
from kubemq_nb.session.link import Link, Progress
from kubemq_nb.session.queues import Queues

if TYPE_CHECKING:
    from pandas import DataFrame

    from kubemq_nb.session.answers import Answers
    from kubemq_nb.session.events import Events
    from kubemq_nb.session.events_store import EventsStore
    from kubemq_nb.session.requests import Commands, Queries
    from kubemq_nb.session.ui import Opened

STATUS = {
    "connection": "object",
    "address": "object",
    "state": "object",
    "server": "object",
    "client": "object",
    "access": "object",  # how it is let in, and where another client finds the token
    "jobs": "int64",
    "up": "timedelta64[ns]",  # the server, not the session
}

KEEPALIVE = 3.0  # seconds; an embedded broker may be asked often, other servers end such connections


class Session:
    """An open connection to a broker; safe to use from many threads at once.

    Attributes:
        server: What the broker said of itself when the session was opened.
        queues: Each message goes to one receiver.
        channels: Which there are.
        broker: The embedded broker.
    """

    def __init__(self, link: Link, server: ServerInfo, allowed: str = "") -> None:
        self._link = link
        self._access = allowed
        self.server = server
        self.queues = Queues(link)
        self.channels = Channels(link)
        self.broker = Broker(link)

    # Loaded when they are first used: a first read needs one pattern.

    @cached_property
    def events(self) -> "Events":
        """To all who listen at that moment."""
        from kubemq_nb.session.events import Events  # noqa: PLC0415

        return Events(self._link)

    @cached_property
    def events_store(self) -> "EventsStore":
        """Kept, to be read again."""
        from kubemq_nb.session.events_store import EventsStore  # noqa: PLC0415

        return EventsStore(self._link)

    @cached_property
    def commands(self) -> "Commands":
        """Do something, and tell whether it was done."""
        from kubemq_nb.session.requests import Commands  # noqa: PLC0415

        return Commands(self._link)

    @cached_property
    def queries(self) -> "Queries":
        """Ask for something."""
        from kubemq_nb.session.requests import Queries  # noqa: PLC0415

        return Queries(self._link)

    @property
    def name(self) -> str:
        """What `use`, `--on` and `connections` call it."""
        return self._link.name

    @property
    def address(self) -> str:
        """Where the broker is, as host:port."""
        return self._link.address

    @property
    def client_id(self) -> str:
        """Who this session is, unless a call says otherwise."""
        return self._link.client_id

    @property
    def embedded(self) -> bool:
        """Whether this session started the broker, or shares it by its store."""
        return self._link.embedded is not None

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return bool(self._link.closed_because)

    @property
    def read_only(self) -> bool:
        """Whether it only looks: what sends, takes or destroys is refused."""
        return self._link.read_only

    @property
    def answers(self) -> "Answers":
        """Where requests wait for an answer by hand: those of all channels with `respond(manual=True)`."""
        from kubemq_nb.session.requests import desk_of  # noqa: PLC0415

        return desk_of(self._link)

    @property
    def progress(self) -> Progress | None:
        """Told how many of how many messages a long send has sent; None, or whoever shows it."""
        return self._link.progress

    @progress.setter
    def progress(self, listener: Progress | None) -> None:
        self._link.progress = listener

    @property
    def token_file(self) -> Path | None:
        """Where the token of its embedded broker is kept, for other clients; None when there is none."""
        return self._link.embedded.running.token_file if self._link.embedded else None

    def ping(self) -> ServerInfo:
        """Ask the broker who it is and since when it runs."""
        return self._link.ready().connection.ping()

    def status(self) -> "DataFrame":
        """One line about this session: connection address state server client access jobs up.

        Of a store that has a name, `attrs` tell in words what it holds.
        """
        return _status([self], notes=self._content())

    def connections(self) -> "DataFrame":
        """The line of `status` for every open session; `attrs["notes"]` names the current one of several."""
        sessions = registry.all()
        current = [f"{registry.current().name} is the current one"] if len(sessions) > 1 else []
        return _status(sessions, notes=current)

    def use(self, name: str) -> "Session":
        """Make another open session the current one.

        Args:
            name: Its name, as in `connections`.
        """
        return registry.use(name)

    def jobs(self) -> "DataFrame":
        """What runs in the background: id kind channel state received errors since note."""
        return listing(self.open_jobs(), connection=self.name)

    def open_jobs(self) -> list[Job]:
        """The feeds, responders and transactions that have not ended, oldest first."""
        return self._link.jobs.all()

    def begin(self, job: Job) -> None:
        """Number a job, and list it until it ends; a session that was closed ends it.

        Args:
            job: What runs in the background.
        """
        self._link.add(job)

    def stop(self, job: int | Literal["all"]) -> "DataFrame":
        """Stop a job, or all of them, and list what was stopped.

        Args:
            job: Number of the job, as in `jobs`, or "all".
        """
        return listing(self._link.jobs.stop(job), connection=self.name)

    def pause(self, job: int) -> "DataFrame":
        """Freeze what a feed or responder shows; it goes on receiving.

        Args:
            job: Number of the job, as in `jobs`.
        """
        return self._told(job, "pause")

    def resume(self, job: int) -> "DataFrame":
        """Show again what a paused feed or responder received meanwhile.

        Args:
            job: Number of the job, as in `jobs`.
        """
        return self._told(job, "resume")

    def clear(self, job: int) -> "DataFrame":
        """Let go of the rows that a feed or responder holds; the channel is not touched.

        Args:
            job: Number of the job, as in `jobs`.
        """
        return self._told(job, "clear")

    def retry(self, job: int) -> "DataFrame":
        """Let a feed or responder connect now, when it waits for its next attempt or has given up.

        Args:
            job: Number of the job, as in `jobs`.
        """
        return self._told(job, "retry")

    def filter(self, job: int, where: Where | None = None) -> "DataFrame":
        """Let the views of a feed or responder show only rows that match; it goes on holding all.

        Args:
            job: Number of the job, as in `jobs`.
            where: A condition over columns, `body`, `tags` and `size`, such as `body.total > 10`, or a plain
                text to search for everywhere; all rows when left out.
        """
        return self._told(job, "filter", where=where)

    def restart(self, job: int, *, start: Start | None = None) -> "DataFrame":
        """Let a feed begin again, also one that was stopped and is still shown or held in a variable.

        Args:
            job: Number of the job, as in `jobs`.
            start: Where to begin to read a store: "new", "first", "last", "seq:N", a time, or a duration
                (that long ago); where it began before when left out.
        """
        return self._told(job, "restart", start=start)

    def _told(self, job: int, verb: str, **options: object) -> "DataFrame":
        found = self._link.jobs.able(job, verb)
        getattr(found, verb)(**options)
        return listing([found], connection=self.name)

    def stats(self, channel: str | None = None) -> "DataFrame":
        """Tell counts, sequences and last activity of channels, as far as the server tells them.

        Of stored events only an embedded broker tells the sequences, whoever started it; of queues a server
        does as well. What is not told is missing, and the line below the table says so.

        Args:
            channel: Only this channel, of whatever kind; all when left out.
        """
        return self.channels.stats(channel)

    def ui(self, noun: Kind | None = None, channel: str | None = None, *, send: bool = False) -> "Opened":
        """Open a view to click in: all channels, or one of them.

        A queue opens as messages to look at and hold, events as a live table, commands and queries as
        requests to answer by hand. What a view shows and does is there in Python as well, on the object that
        this gives.

        Args:
            noun: Pattern of the channel; a dashboard of all channels when left out.
            channel: Its name.
            send: Open a form to send to it.
        """
        from kubemq_nb.session import ui  # noqa: PLC0415  it knows what a session gives

        return ui.opened(self, noun, channel, send=send)

    def run(self, text: str, variables: dict[str, Any] | None = None) -> list[object]:
        """Run commands as a cell of `%%kubemq` does, one a line; the first error ends it and notes the line.

        Args:
            text: The commands, with or without `%kubemq`; empty lines and those that begin with # are none.
            variables: What `{{...}}` on a line sees, and where `-o` puts a result.

        Returns:
            What each command gave.
        """
        return language.run(self, text, {} if variables is None else variables)

    def close(self, name: str | None = None) -> None:
        """Close this connection: its jobs end, and what its transactions hold goes back; safe to call again.

        Args:
            name: Another connection to close in its place, as in `connections`.
        """
        if name:
            registry.get(name).close()
        else:
            self._end(f"The connection {self.name} was closed; `connect` opens another.")

    def _end(self, because: str) -> None:
        registry.remove(self)
        self._link.close(because)

    def replaced(self) -> None:
        """Close, because a later session has taken its name."""
        self._end(
            f"The connection {self.name} was closed when a later one took its name; "
            "give each a `name` to keep both."
        )

    def line(self) -> dict[str, object]:
        """What `status` tells of it."""
        state, server = self._reach()
        said = f"{server.host} {server.version}".strip() if server else None
        return {
            "connection": self.name,
            "address": self.address,
            "state": state,
            "server": said,
            "client": self.client_id,
            "access": self._access,
            "jobs": len(self.open_jobs()),
            "up": server.uptime if server else None,
        }

    def _content(self) -> builtins.list[str]:
        """What its named store holds; nothing where it has none, or nobody can tell now."""
        embedded = self._link.embedded
        if embedded is None or embedded.private:
            return []
        try:
            known = [each for each in self.channels.figures() if each.messages is not None]
        except KubeMQError:
            return []
        store = f"the store {embedded.store}"
        if not known:
            return [f"{store} is {'new and ' if embedded.running.is_new else ''}empty"]
        kept = [each for each in known if each.kind in ("queues", "events_store")]
        messages = sum((each.messages or 0) + (each.delayed or 0) for each in kept)
        held = [_counted(len(known), "channel"), *([_counted(messages, "message")] if messages else [])]
        return [f"{store} holds {', '.join(held)}"]

    def _reach(self) -> tuple[str, ServerInfo | None]:
        if self.closed:
            return "closed", None
        try:
            server = self._link.connection.ping()
            self._link.connection.reach_waits()
        except KubeMQError:
            return "not connected", None
        return "live", server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "the embedded broker" if self.embedded else self.address
        return f"<Session {self.name} on {where}{', closed' if self.closed else ''}>"


def connect(
    address: str | None = None,
    *,
    store: str | Path | None = None,
    name: str | None = None,
    client_id: str | None = None,
    token_env: str | None = None,
    token_file: str | Path | None = None,
    tls: bool = False,
    ca: str | Path | None = None,
    cert: str | Path | None = None,
    key: str | Path | None = None,
    server_name: str | None = None,
    insecure: bool = False,
    read_only: bool = False,
    profile: str | None = None,
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
        tls: Speak TLS with a server whose certificate an authority signed that this system trusts.
        ca: Certificate file of the authority that signed the server's; turns TLS on.
        cert: Certificate file of this client.
        key: Key file of this client's certificate.
        server_name: Name that the server's certificate is for, where it is not that of the address.
        insecure: Allow a token to go unencrypted to another machine.
        read_only: Refuse what sends, takes or destroys messages, what moves the position of others, and what
            stops a broker.
        profile: Name of a table in your `profiles.toml`, which says what the other arguments leave out.

    Raises:
        BrokerUnavailable: Nothing answers at the address.
        AuthenticationFailed: The broker wants a token, or another one.
        BrokerStartError: The embedded broker did not start.
        TypeError: What is for a server, such as a token, without an address.
    """
    if profile:
        given = {**profiles.profile(profile), **_said(locals())}
        return connect(**{"name": profile, **given})
    where = access.address_of(address, store)
    security: dict[str, Any] = {"tls": tls, "ca": ca, "cert": cert, "key": key, "server_name": server_name}
    if not where:
        access.refuse_for_embedded(token_env=token_env, token_file=token_file, **security)
    if hasattr(builtins, "get_ipython"):  # somebody looks at frames; a script may need none
        frames.load_ahead()  # it takes as long as a broker to start
    embedded = None if where else Embedded(store)
    try:
        if embedded:
            running = embedded.running
            token = access.in_file(running.token_file) if running.token_file else Token(lambda: None)
            connection = Connection(running.address, token=token, keepalive=KEEPALIVE)
        else:
            token = access.token_of(where, token_env, token_file)
            connection = Connection(where, token=token, insecure=insecure, **security)
        server = connection.connect()
    except BaseException as error:
        if embedded:
            embedded.leave()
        if where and address is None and isinstance(error, BrokerUnavailable):
            raise access.of_variable(error, where) from error
        raise
    link = Link(
        name=name or str(store or where or "embedded"),
        connection=connection,
        client_id=client_id or "",
        embedded=embedded,
        read_only=read_only,
    )
    allowed = access.described(token, encrypted=bool(tls or ca or cert), certificate=cert is not None)
    allowed = f"read-only, {allowed}" if read_only else allowed
    session = Session(link, server, allowed)
    if former := registry.add(session):
        former.replaced()
    return session


def _said(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call that were not left out, without the profile itself."""
    return {name: value for name, value in arguments.items() if value and name != "profile"}


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _status(sessions: list[Session], **attrs: object) -> "DataFrame":
    lines = [session.line() for session in sessions]
    columns = {name: [line[name] for line in lines] for name in STATUS}
    return frames.table(columns, STATUS, count=len(lines), **attrs)
