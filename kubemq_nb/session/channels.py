"""Channels: which there are, as far as the server tells and this session has seen."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from kubemq_nb import frames
from kubemq_nb.client.queues import QueueInfo
from kubemq_nb.errors import DeadlineExceeded
from kubemq_nb.messages import Kind, Request
from kubemq_nb.session.link import Link

if TYPE_CHECKING:
    from pandas import DataFrame

KINDS: tuple[Kind, ...] = get_args(Kind)
PATIENCE = 0.5  # seconds; an embedded broker answers at once, a community server never
ONLY_QUEUES = "This server tells only its queues; of the other patterns, the channels that this session used."
MANAGEMENT = "kubemq.cluster.internal.requests"  # where the SDKs ask for lists; docs/protocol.md, 11

COLUMNS = {
    "channel": "object",
    "kind": "object",
    "messages": "Int64",  # stored; NA where the server does not tell, as in all columns below
    "waiting": "Int64",  # in a queue, to be taken
    "delayed": "Int64",  # in a queue, not visible yet
    "first_sequence": "Int64",
    "last_sequence": "Int64",
    "bytes": "Int64",
    "last_activity": frames.TIME,
}


class Channels:
    """The channels of the broker."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._answers: bool | None = None  # None: not tried yet

    def list(self, pattern: Kind | None = None, filter: str | None = None) -> "DataFrame":
        """List the channels with what is known of each.

        A real server tells only its queues; of the other patterns the channels that this session used are
        listed.

        Args:
            pattern: Only this pattern.
            filter: Only channels whose name contains this text.
        """
        kinds = KINDS if pattern is None else (pattern,)
        known: dict[tuple[Kind, str], dict[str, object]] = {
            place: {"last_activity": used} for place, used in self._link.seen.items()
        }
        for place, facts in self._told(kinds):
            known.setdefault(place, {}).update(facts)
        rows = [
            {"channel": channel, "kind": kind, **facts}
            for (kind, channel), facts in sorted(known.items())
            if kind in kinds and (filter or "") in channel
        ]
        complete = bool(self._answers) or kinds == ("queues",)
        return frames.table(
            {name: [row.get(name) for row in rows] for name in COLUMNS},
            COLUMNS,
            count=len(rows),
            complete=complete,
            note="" if complete else ONLY_QUEUES,
            server=self._link.address,
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
            except DeadlineExceeded:
                self._answers = False
        return self._answers

    def _ask(self, kind: Kind) -> Iterator[dict[str, Any]]:
        request = Request(
            kind="query",
            channel=MANAGEMENT,
            metadata="list-channels",
            tags={"channel_type": kind, "channel_search": ""},
            client_id=self._link.client_id,
            timeout=PATIENCE,
        )
        answer = self._link.requests.send(request)
        yield from json.loads(answer.body) if answer.executed else ()


def _facts(item: dict[str, Any]) -> dict[str, object]:
    incoming = item.get("incoming") or {}
    facts = {name: incoming.get(name) for name in ("messages", "waiting", "delayed")}
    if at := item.get("lastActivity"):
        facts["last_activity"] = datetime.fromtimestamp(at, UTC)
    return facts


def _counts(info: QueueInfo) -> dict[str, object]:
    return {
        "messages": info.messages,
        "waiting": info.waiting,
        "first_sequence": info.first_sequence,
        "last_sequence": info.last_sequence,
        "bytes": info.bytes,
    }
