"""Channels: which there are, as far as the server tells and this session has seen."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from kubemq_nb import frames
from kubemq_nb.client.queues import QueueInfo
from kubemq_nb.errors import DeadlineExceeded, NotSupported, RequestRejected
from kubemq_nb.messages import Kind, Request, Response
from kubemq_nb.session.link import Link
from kubemq_nb.session.read_only import changes

if TYPE_CHECKING:
    from pandas import DataFrame, Series

KINDS: tuple[Kind, ...] = get_args(Kind)
PATIENCE = 0.5  # seconds; an embedded broker answers at once, a community server never
ONLY_QUEUES = "This server tells only its queues; of the other patterns, the channels that this session used."
NO_SEQUENCES = (
    "It does not tell sequences of stored events: events_store receive --start last shows the last one."
)
MANAGEMENT = "kubemq.cluster.internal.requests"  # where the SDKs ask for lists; docs/protocol.md, 11

COLUMNS = {
    "channel": "object",
    "kind": "object",
    "messages": "Int64",  # stored, without delayed ones; NA where the server does not tell, as in all below
    "waiting": "Int64",  # in a queue, to be taken
    "delayed": "Int64",  # in a queue, not visible yet
    "first_sequence": "Int64",
    "last_sequence": "Int64",
    "bytes": "Int64",
    "last_activity": frames.TIME,
}


class Figures(NamedTuple):
    """What is known of one channel; None where the server does not tell."""

    channel: str
    kind: Kind
    messages: int | None = None  # stored
    waiting: int | None = None  # in a queue, to be taken
    delayed: int | None = None  # in a queue, not visible yet
    expired: int | None = None  # from a queue, since the broker started
    sent: int | None = None  # in all; only grows, until the broker starts anew
    delivered: int | None = None
    responses: int | None = None  # to commands and queries
    listeners: int | None = None  # who waits for messages of a queue
    first_sequence: int | None = None
    last_sequence: int | None = None
    bytes: int | None = None
    last_activity: datetime | None = None

    @property
    def held(self) -> int | None:
        """Messages of a queue that somebody holds in a transaction."""
        if self.messages is None or self.waiting is None:
            return None
        return max(0, self.messages - self.waiting)


class Channels:
    """The channels of the broker."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._answers: bool | None = None  # None: not tried yet
        self._listed: Sequence[tuple[Kind, str]] = ()

    def list(self, pattern: Kind | None = None, filter: str | None = None) -> "DataFrame":
        """List the channels with what is known of each.

        A real server tells only its queues; of the other patterns the channels that this session used are
        listed.

        Args:
            pattern: Only this pattern.
            filter: Only channels whose name contains this text.
        """
        rows = [each for each in self.figures(pattern) if (filter or "") in each.channel]
        complete = self.complete or pattern == "queues"
        return frames.table(
            {name: [getattr(row, name) for row in rows] for name in COLUMNS},
            COLUMNS,
            count=len(rows),
            complete=complete,
            note="" if complete else ONLY_QUEUES,
            server=self._link.address,
        )

    def figures(self, pattern: Kind | None = None) -> Sequence[Figures]:
        """What `list` tells and more, by kind and name, one object a channel.

        Args:
            pattern: Only this pattern.
        """
        kinds = KINDS if pattern is None else (pattern,)
        known: dict[tuple[Kind, str], dict[str, Any]] = {}
        for place, facts in self._told(kinds):
            known.setdefault(place, {}).update(facts)
        for place, used in self._link.seen.items():
            # A queue that was only looked for is none, where the server tells all there are.
            if place in known or place[0] != "queues" or not self.complete:
                known[place] = {"last_activity": used} | known.get(place, {})
        found = [
            Figures(kind=kind, channel=channel, **facts)
            for (kind, channel), facts in sorted(known.items())
            if kind in kinds
        ]
        self._listed = [(each.kind, each.channel) for each in found]
        return found

    @property
    def names(self) -> Sequence[tuple[Kind, str]]:
        """Kind and name of the channels that this session used or was told of last; asks no broker."""
        return [*dict.fromkeys([*self._link.seen, *self._listed])]

    @property
    def complete(self) -> bool:
        """Whether the server tells the channels of every pattern, as far as it was asked by now."""
        return bool(self._answers)

    @changes
    def create(self, kind: Kind, channel: str) -> "DataFrame":
        """Make a channel; one that exists is fine. Without this a channel begins with its first message.

        Args:
            kind: Pattern of the channel.
            channel: Its name.

        Raises:
            NotSupported: This server has no channel management.
        """
        self._manage("create-channel", kind, channel)
        return self._one(kind, channel)

    @changes
    def delete(self, kind: Kind, channel: str) -> "DataFrame":
        """Delete a channel with all that it holds; a list of what remains under its name.

        Args:
            kind: Pattern of the channel.
            channel: Its name.

        Raises:
            NotSupported: This server has no channel management.
        """
        self._manage("delete-channel", kind, channel)
        self._link.seen.pop((kind, channel), None)
        return self._one(kind, channel)

    def stats(self, channel: str | None = None) -> "DataFrame":
        """See `Session.stats`."""
        found = self.list()
        if channel is not None:
            found = self._kept(found, found["channel"] == channel)
        for row in found.index[found["kind"] == "events_store"]:
            ends = self._link.events_store.ends(found.loc[row, "channel"])
            if ends is None:
                found.attrs["note"] = f"{found.attrs['note']} {NO_SEQUENCES}".strip()
                break
            found.loc[row, ["first_sequence", "last_sequence"]] = ends
        return found

    def _one(self, kind: Kind, channel: str) -> "DataFrame":
        found = self.list(kind)
        return self._kept(found, found["channel"] == channel)

    @staticmethod
    def _kept(found: "DataFrame", chosen: "Series[bool]") -> "DataFrame":
        kept = found[chosen].reset_index(drop=True)
        kept.attrs.update({**found.attrs, "count": len(kept)})
        return kept

    def _manage(self, verb: str, kind: Kind, channel: str) -> None:
        self._link.ready()
        if not self._manages():
            raise NotSupported(
                f"The server at {self._link.address} has no channel management: a channel begins with its "
                "first message, and ends by itself when it is idle."
            )
        answer = self._call(verb, {"channel_type": kind, "channel": channel})
        if not answer.executed:
            raise RequestRejected(
                f"The broker refuses {verb} of {channel}: {answer.error}",
                channel=channel,
                reason=answer.error,
            )

    def _told(self, kinds: tuple[Kind, ...]) -> Iterator[tuple[tuple[Kind, str], dict[str, object]]]:
        """What the server says of the channels of these kinds."""
        link = self._link.ready()
        for kind in kinds if self._manages() else ():
            for item in self._ask(kind):
                yield (kind, item["name"]), _facts(item)
        if "queues" in kinds:
            for info in link.queues.info() or ():
                yield ("queues", info.name), _counts(info)

    def _manages(self) -> bool:
        """Whether the server answers questions about its channels; the community server never does."""
        if self._answers is None:
            try:
                list(self._ask("queries"))
                self._answers = True
            except (DeadlineExceeded, NotSupported, RequestRejected):
                self._answers = False
        return self._answers

    def _ask(self, kind: Kind) -> Iterator[dict[str, Any]]:
        answer = self._call("list-channels", {"channel_type": kind, "channel_search": ""})
        yield from json.loads(answer.body) if answer.executed else ()

    def _call(self, verb: str, tags: dict[str, str]) -> Response:
        request = Request(
            kind="query",
            channel=MANAGEMENT,
            metadata=verb,
            tags=tags,
            client_id=self._link.client_id,
            timeout=PATIENCE,
        )
        return self._link.requests.send(request)


def _facts(item: dict[str, Any]) -> dict[str, object]:
    incoming, outgoing = item.get("incoming") or {}, item.get("outgoing") or {}
    facts = {name: incoming.get(name) for name in ("messages", "waiting", "delayed", "expired", "responses")}
    facts |= {"sent": incoming.get("messages"), "delivered": outgoing.get("messages")}
    at = item.get("lastActivity")  # whoever tells this knows better than a session when something came
    return facts | {"last_activity": datetime.fromtimestamp(at, UTC) if at else None}


def _counts(info: QueueInfo) -> dict[str, object]:
    return {
        "messages": info.messages,
        "waiting": info.waiting,
        "sent": info.sent,
        "delivered": info.delivered,
        "listeners": info.subscribers,
        "first_sequence": info.first_sequence,
        "last_sequence": info.last_sequence,
        "bytes": info.bytes,
    }
