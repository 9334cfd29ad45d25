"""The embedded broker of a session, under its user's control."""

from datetime import datetime
from typing import TYPE_CHECKING

from kubemq_nb import frames
from kubemq_nb.errors import NotSupported
from kubemq_nb.session.embedded import Embedded
from kubemq_nb.session.link import Link
from kubemq_nb.session.read_only import changes

if TYPE_CHECKING:
    from pandas import DataFrame

DAMAGE = {"at": "datetime64[ns, UTC]", "channel": "object", "sequence": "Int64", "what": "object"}
COLUMNS = {"address": "object", "state": "object", "pid": "Int64", "store": "object", "token": "object"}


class Broker:
    """The embedded broker of a session; a session that talks to another server refuses these."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def start(self) -> "DataFrame":
        """Start the broker again after `stop`, on the same store and address."""
        self._embedded().start()
        return self._row()

    @changes
    def stop(self) -> "DataFrame":
        """Stop the broker process; what is stored stays.

        On a store that others share too, it stays stopped for all until one of them starts it, or another
        connects.
        """
        self._embedded().stop()
        return self._row()

    @changes
    def restart(self) -> "DataFrame":
        """Stop the broker and start it again, on the same store and address."""
        self._embedded().restart()
        return self._row()

    @changes
    def reset(self) -> "DataFrame":
        """Forget all channels and messages: an empty store, at the same address."""
        self._embedded().reset()
        self._link.seen.clear()
        return self._row()

    def damage(self) -> "DataFrame":
        """What of the store was found damaged: at channel sequence what; empty when all is well.

        A damaged message is set aside and not delivered. A line without channel is about the whole store.
        """
        found = self._embedded().running.damage()
        columns: dict[str, list[object]] = {name: [line[name] for line in found] for name in DAMAGE}
        columns["at"] = [datetime.fromisoformat(str(at)) for at in columns["at"]]
        return frames.table(columns, DAMAGE)

    def _embedded(self) -> Embedded:
        self._link.check()
        if self._link.embedded is None:
            raise NotSupported(
                f"{self._link.name} talks to the server at {self._link.address}, which is not ours to stop "
                "or start; connecting without an address starts an embedded broker."
            )
        return self._link.embedded

    def _row(self) -> "DataFrame":
        running = self._embedded().running
        up = running.is_running
        columns: dict[str, list[object]] = {
            "address": [running.address],
            "state": ["running" if up else "stopped"],
            "pid": [running.pid if up else None],
            "store": [str(running.store)],
            "token": [str(running.token_file) if running.token_file else None],
        }
        return frames.table(columns, COLUMNS)
