"""The fifteen calls and our two, typed. What carries other people's text comes as bytes, decoded one by one.

`calls` is an ordinary grpc channel. `waits` has the option SingleThreadedUnaryStream: a stream on it costs
a fourth of the processor time, and a unary method called as a stream can be cancelled from another thread.
Only a worker thread may read there, and nobody may ask for headers: on a silent stream `cancel` would wait
for ever.
"""

from typing import TypeVar

import grpc
from google.protobuf.message import Message

from kubemq_nb._wire import containers_pb2 as containers
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import EVENTS_BATCH, EVENTS_PAGE, path

DownstreamAnswer = containers.QueuesDownstreamResponse
BatchAnswer = pb.QueueMessagesBatchResponse
NOTHING = pb.Empty()

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


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
        self.store_events_batch = _batch(calls, EVENTS_BATCH)

        self.subscribe_to_events = _payloads(calls, "SubscribeToEvents", pb.Subscribe)
        self.subscribe_to_requests = _payloads(calls, "SubscribeToRequests", pb.Subscribe)
        self.send_events_stream = _two_way(calls, "SendEventsStream", pb.Event, pb.Result)
        self.queues_upstream = _two_way(
            calls, "QueuesUpstream", containers.QueuesUpstreamRequest, pb.QueuesUpstreamResponse
        )
        self.queues_downstream = _two_way(
            calls, "QueuesDownstream", pb.QueuesDownstreamRequest, containers.QueuesDownstreamResponse
        )
        self.stream_queue_message = _two_way(
            calls, "StreamQueueMessage", pb.StreamQueueMessagesRequest, containers.StreamQueueMessagesResponse
        )

        self.ping_waits = _unary(waits, "Ping", pb.Empty, pb.PingResult)
        self.replay_events = _payloads(waits, "SubscribeToEvents", pb.Subscribe)
        self.send_request = _payloads(waits, "SendRequest", pb.Request)
        self.receive_queue_messages = _payloads(waits, "ReceiveQueueMessages", pb.ReceiveQueueMessagesRequest)
        self.read_events_page = _payloads(waits, EVENTS_PAGE, containers.EventsPageRequest)
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
    return channel.unary_stream(path(method), request.SerializeToString)


def _two_way(
    channel: grpc.Channel, method: str, request: type[Q], answer: type[A]
) -> "grpc.StreamStreamMultiCallable[Q, A]":
    return channel.stream_stream(path(method), request.SerializeToString, answer.FromString)
