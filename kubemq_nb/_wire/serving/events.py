"""Events on the broker's side of the wire."""

from collections.abc import Sequence
from typing import NamedTuple

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.serving.common import new_id, read, with_fields


class SubscribeRequest(NamedTuple):
    """What a subscriber asks for."""

    type: int  # 1 events, 2 events store, 3 commands, 4 queries
    client_id: str
    channel: str
    group: str
    start: int
    start_value: int


def read_event(data: bytes) -> tuple[str, str, str, bool, bool, bytes]:
    """Id, client id, channel, whether it is empty, whether it is to be stored, what subscribers get."""
    event = read(pb.Event, data)
    received = pb.EventReceive(
        EventID=event.EventID or new_id(),
        Channel=event.Channel,
        Metadata=event.Metadata,
        Tags=event.Tags,
    )
    client_id, stored, body = event.ClientID, event.Store, event.Body
    del event  # a large one is copied often enough
    empty = not received.Metadata and not body
    content = with_fields(received.SerializeToString(), received.BODY_FIELD_NUMBER, [body] if body else ())
    return received.EventID, client_id, received.Channel, empty, stored, content


def given_event_id(data: bytes) -> str:
    """The id that an event came with, which may be empty: refusals on a stream name it as it is."""
    return read(pb.Event, data).EventID


def stamp_event(timestamp: int, sequence: int) -> bytes:
    """What makes a live event's wire form a stored one's, when appended."""
    return pb.EventReceive(Timestamp=timestamp, Sequence=sequence).SerializeToString()


def missed(count: int) -> bytes:
    """What tells a listener of dropped events, when appended to one; other clients pass it over."""
    return containers.EventsMissed(Missed=count).SerializeToString()


def event_result(id: str, error: str = "") -> bytes:
    """What the sender of an event gets."""
    return pb.Result(EventID=id, Sent=not error, Error=error).SerializeToString()


def read_subscribe(data: bytes) -> SubscribeRequest:
    """What a subscriber asks for."""
    request = read(pb.Subscribe, data)
    return SubscribeRequest(
        request.SubscribeTypeData,
        request.ClientID,
        request.Channel,
        request.Group,
        request.EventsStoreTypeData,
        request.EventsStoreTypeValue,
    )


class PageRequest(NamedTuple):
    """What somebody who reads page by page asks for."""

    channel: str
    start: int
    start_value: int
    last: int  # the last sequence wanted, 0 for all
    most: int  # bytes of events, 0 for any number


def read_page_request(data: bytes) -> PageRequest:
    """What somebody who reads page by page asks for."""
    request = read(containers.EventsPageRequest, data)
    return PageRequest(request.Channel, request.StartType, request.StartValue, request.Last, request.Most)


def events_page(events: Sequence[bytes], last: int, following: int, *, size: int = 0) -> bytes:
    """A page: its events, the last sequence that is stored, and where the next page begins, 0 for nowhere.

    Instead of events that are too large for who asked, it tells their size in bytes.
    """
    page = containers.EventsPage(Last=last, Next=following, Size=size)
    return with_fields(page.SerializeToString(), page.EVENTS_FIELD_NUMBER, events)


def events_batch(events: Sequence[bytes]) -> bytes:
    """Several events for one subscriber, in order."""
    return with_fields(b"", containers.EventsBatch.EVENTS_FIELD_NUMBER, events)
