"""The fifteen calls and our own, typed. What carries other people's text comes as bytes, read one by one.

`calls` is an ordinary grpc channel. `waits` has the option SingleThreadedUnaryStream: a stream on it costs
a fourth of the processor time, and a unary method called as a stream can be cancelled from another thread.
Only a worker thread may read there, and nobody may ask for headers: on a silent stream `cancel` would wait
for ever.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire import large
from kubemq_nb._wire.methods import (
    EVENTS_BATCH,
    EVENTS_IN_BATCHES,
    EVENTS_PAGE,
    PARTS_ARRIVED,
    QUEUE_IN_PARTS,
    REQUESTS_BY_LINE,
    RESPONSES_BY_LINE,
    path,
)

DownstreamAnswer = containers.QueuesDownstreamResponse
BatchAnswer = pb.QueueMessagesBatchResponse
Part = containers.QueuePart
UpstreamAnswer = pb.QueuesUpstreamResponse
NOTHING = pb.Empty()

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TwoWay(Protocol[R, T_co]):
    """Makes the method of a two-way stream."""

    def __call__(self, take: Callable[[T_co], object]) -> "grpc.StreamStreamMultiCallable[R, bool]":
        """Its method, with what takes each answer: in gRPC's thread, as soon as it is there."""


class Stub:
    """One attribute a way of calling. Containers hold one bytes value a message; a payload is one message."""

    def __init__(self, calls: grpc.Channel, waits: grpc.Channel) -> None:
        self.ping = _unary(calls, "Ping", pb.Empty, pb.PingResult)
        self.queues_info = _unary(calls, "QueuesInfo", pb.QueuesInfoRequest, pb.QueuesInfoResponse)
        self.send_event = _unary(calls, "SendEvent", pb.Event, pb.Result)
        self.send_response = _unary(calls, "SendResponse", pb.Response, pb.Empty)
        self.send_queue_message = _unary(
            calls, "SendQueueMessage", pb.QueueMessage, pb.SendQueueMessageResult
        )
        self.send_queue_messages_batch = _batch(calls, "SendQueueMessagesBatch")
        self.send_events_batch = _batch(calls, EVENTS_BATCH)
        self.acknowledge_parts = _unary(calls, PARTS_ARRIVED, containers.QueuePartsArrived, pb.Empty)

        self.subscribe_to_events = _subscription(calls, "SubscribeToEvents", _alone)
        self.subscribe_to_events_in_batches = _subscription(calls, EVENTS_IN_BATCHES, _together)
        self.subscribe_to_requests = _subscription(calls, "SubscribeToRequests", _alone)
        self.send_events_stream = _two_way(
            calls, "SendEventsStream", pb.Event.SerializeToString, pb.Result.FromString
        )
        # A request is on the wire what a batch is.
        self.queues_upstream = _two_way(calls, "QueuesUpstream", bytes, UpstreamAnswer.FromString)
        self.queues_downstream = _two_way(
            calls,
            "QueuesDownstream",
            pb.QueuesDownstreamRequest.SerializeToString,
            DownstreamAnswer.FromString,
        )
        self.stream_queue_message = _two_way(
            calls,
            "StreamQueueMessage",
            pb.StreamQueueMessagesRequest.SerializeToString,
            containers.StreamQueueMessagesResponse.FromString,
        )
        # Answers are payloads, as those of the calls by themselves.
        self.requests_by_line = _two_way(calls, REQUESTS_BY_LINE, pb.Request.SerializeToString, bytes)
        self.responses_by_line = _two_way(calls, RESPONSES_BY_LINE, pb.Response.SerializeToString, bytes)

        self.ping_waits = _unary(waits, "Ping", pb.Empty, pb.PingResult)
        self.replay_events = _payloads(waits, "SubscribeToEvents", pb.Subscribe)
        self.send_request = _payloads(waits, "SendRequest", pb.Request)
        self.receive_queue_messages = _payloads(waits, "ReceiveQueueMessages", pb.ReceiveQueueMessagesRequest)
        self.read_events_page = _payloads(waits, EVENTS_PAGE, containers.EventsPageRequest)
        self.read_queue_in_parts = _payloads(waits, QUEUE_IN_PARTS, containers.QueuePartsRequest)
        self.ack_all_queue_messages = _payloads(waits, "AckAllQueueMessages", pb.AckAllQueueMessagesRequest)


def _unary(
    channel: grpc.Channel, method: str, request: type[Q], answer: type[A]
) -> "grpc.UnaryUnaryMultiCallable[Q, A]":
    return channel.unary_unary(path(method), request.SerializeToString, answer.FromString)


def _batch(channel: grpc.Channel, method: str) -> "grpc.UnaryUnaryMultiCallable[bytes, BatchAnswer]":
    return channel.unary_unary(path(method), None, BatchAnswer.FromString)


def _payloads(
    channel: grpc.Channel, method: str, request: type[Q]
) -> "grpc.UnaryStreamMultiCallable[Q, bytes]":
    return channel.unary_stream(path(method), request.SerializeToString, _arrived)


def _subscription(
    channel: grpc.Channel, method: str, split: Callable[[bytes], list[bytes]]
) -> "grpc.UnaryStreamMultiCallable[pb.Subscribe, list[bytes]]":
    return channel.unary_stream(path(method), pb.Subscribe.SerializeToString, split)


def _alone(payload: bytes) -> list[bytes]:
    return [_arrived(payload)]


def _arrived(payload: bytes) -> bytes:
    """A payload, when gRPC has done with it."""
    large.give_back(len(payload))
    return payload


def _together(batch: bytes) -> list[bytes]:
    return list(containers.EventsBatch.FromString(_arrived(batch)).Events)


def _two_way(
    channel: grpc.Channel, method: str, write: Callable[[R], bytes], read: Callable[[bytes], T]
) -> "TwoWay[R, T]":
    def made(take: Callable[[T], object]) -> "grpc.StreamStreamMultiCallable[R, bool]":
        def taken(payload: bytes) -> bool:
            take(read(_arrived(payload)))
            return True

        return channel.stream_stream(path(method), write, taken)

    return made
