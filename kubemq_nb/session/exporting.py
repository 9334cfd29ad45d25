"""A replay written to a file as it comes, so that it may be larger than memory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubemq_nb import frames
from kubemq_nb.session.link import Link

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = {"file": "object", "events": "int64", "bytes": "int64"}


def replay_to_file(link: Link, channel: str, file: str | Path, **reading: Any) -> "DataFrame":
    """Write what a replay brings; one line with the file, how many events it has, and its size.

    The file is there when the replay is over, in place of one that was there before; after an error or an
    interrupt it is as it was.
    """
    client = link.ready().events_store
    with frames.Writer(file) as writer:
        writer.write(frames.empty("events_store"))
        replay = client.replay(
            channel, sink=lambda payloads: writer.write(frames.events(payloads, "events_store")), **reading
        )
    link.used("events_store", channel)
    columns: dict[str, list[object]] = {
        "file": [str(writer.path)],
        "events": [writer.count],
        "bytes": [writer.path.stat().st_size],
    }
    return frames.table(
        columns,
        COLUMNS,
        channel=channel,
        server=link.address,
        complete=replay.complete,
        note="" if replay.complete else f"not complete, ended by {replay.end}",
        last_sequence=replay.last,
    )
