"""Bare grpcio and the bare store: what fills the servers, what is neither side's own, and the ceilings."""

import asyncio
import shutil
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import grpc
from grpc.experimental import ChannelOptions

from benchmarks import load
from benchmarks.worker import timed
from kubemq_nb._wire import codec
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import path
from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.storage.sqlite import SqliteStore

BATCH = 1000
LARGE = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
FAST_STREAM = [*LARGE, (ChannelOptions.SingleThreadedUnaryStream, 1)]
NAME = "bench"  # of this client
IN_FLIGHT = 4  # batches under way at once
PROBES = 60  # queries that a responder asks itself, half a second each, until one is answered


class Side:
    """Calls without a client library."""

    def __init__(self, *, address: str, token: str | None) -> None:
        self._address = address
        self._metadata = [("authorization", token)] if token else []
        self._channel = grpc.insecure_channel(address, LARGE)
        self._held: list[Any] = []  # a call that nobody refers to is cancelled

    def fill(self, *, channel: str, first: int, count: int, size: int = 0) -> None:
        """Put messages into a queue."""
        send = self._method("SendQueueMessagesBatch", pb.QueueMessagesBatchResponse)
        for batch in batches([channel], first, count, size):
            answer = send(batch, metadata=self._metadata)
            assert not answer.HaveErrors, answer

    def drain(self, *, channel: str, count: int) -> str:
        """Take messages out of a queue; their check sum."""
        receive = self._method("ReceiveQueueMessages", pb.ReceiveQueueMessagesResponse)
        found: list[Any] = []
        while len(found) < count:
            asked = min(BATCH, count - len(found))
            request = pb.ReceiveQueueMessagesRequest(
                RequestID="1", ClientID=NAME, Channel=channel, MaxNumberOfMessages=asked, WaitTimeSeconds=1
            )
            answer = receive(request.SerializeToString(), metadata=self._metadata)
            if not answer.Messages:
                break
            found += answer.Messages
        return load.checksum(
            [m.MessageID for m in found],
            [m.Metadata for m in found],
            [m.Body for m in found],
            [m.Tags for m in found],
        )

    def waiting(self, *, channel: str) -> int:
        """How many messages wait in a queue."""
        info = self._method("QueuesInfo", pb.QueuesInfoResponse)
        request = pb.QueuesInfoRequest(RequestID="1", QueueName=channel)
        answer = info(request.SerializeToString(), metadata=self._metadata)
        return sum(queue.Waiting for queue in answer.Info.Queues if queue.Name == channel)

    def store(self, *, channel: str, first: int, count: int, size: int = 0) -> None:
        """Store events."""
        answers = self._stream_events(iter(events(channel, first, count, size=size)))
        for _ in range(count):
            assert next(answers).Sent
        answers.cancel()

    def send_events(self, *, channel: str, count: int, rate: int) -> dict[str, Any]:
        """Send live events, so many a second; how many a second it was."""
        made = events(channel, 0, count, store=False)
        began = time.perf_counter()

        def paced() -> Any:
            for number, event in enumerate(made):
                if number % 50 == 0:
                    time.sleep(max(0.0, began + number / rate - time.perf_counter()))
                yield event

        answers = self._stream_events(paced())
        for answer in answers:
            assert answer.Sent, answer
        return {"rate": count / (time.perf_counter() - began), "ended": time.time()}

    def respond(self, *, channel: str) -> None:
        """Answer queries with their own bodies from now on; a query of its own tells when that is."""
        subscribe = self._channel.unary_stream(
            path("SubscribeToRequests"), None, response_deserializer=pb.Request.FromString
        )
        respond = self._method("SendResponse", pb.Empty)
        request = pb.Subscribe(SubscribeTypeData=pb.Subscribe.Queries, ClientID=NAME, Channel=channel)
        requests = subscribe(request.SerializeToString(), metadata=self._metadata)
        self._held.append(requests)

        def answer() -> None:
            for asked in requests:
                answer = pb.Response(
                    ClientID=NAME,
                    RequestID=asked.RequestID,
                    ReplyChannel=asked.ReplyChannel,
                    Body=asked.Body,
                    Executed=True,
                    Timestamp=int(time.time()),
                )
                respond(answer.SerializeToString(), metadata=self._metadata)

        threading.Thread(target=answer, daemon=True).start()
        ask = self._method("SendRequest", pb.Response)
        probe = pb.Request(
            RequestTypeData=pb.Request.Query, ClientID=NAME, Channel=channel, Body=b"probe", Timeout=500
        )
        for _ in range(PROBES):
            with suppress(grpc.RpcError):
                if ask(probe.SerializeToString(), metadata=self._metadata).Executed:
                    return
        raise RuntimeError(f"no query to {channel} was answered")

    def send_batches(self, *, channel: str, count: int) -> dict[str, Any]:
        """Send prebuilt batches, some at a time."""
        send = self._method("SendQueueMessagesBatch", pb.QueueMessagesBatchResponse)
        made = batches([channel], 0, count)
        spent: dict[str, float] = {}
        under_way: deque[Any] = deque()
        refused = 0
        with timed(spent):
            for batch in made:
                if len(under_way) == IN_FLIGHT:
                    refused += under_way.popleft().result().HaveErrors
                under_way.append(send.future(batch, metadata=self._metadata))
            refused += sum(call.result().HaveErrors for call in under_way)
        return {**spent, "refused": refused}

    def store_batches(self, *, folder: str, count: int) -> dict[str, Any]:
        """Put the same batches into a store of the broker's kind, one commit each."""
        place = Path(tempfile.mkdtemp(dir=folder, prefix="bench-store-"))
        made = [plan.InsertMessages(stored(1, start, BATCH)) for start in range(0, count, BATCH)]
        store = SqliteStore(place)
        spent: dict[str, float] = {}
        try:
            store.apply([[plan.AddChannel(1, "queues", "bench")]])
            with timed(spent):
                for operation in made:
                    store.apply([[operation]])
            kept = store.load().queues[1].ranges
        finally:
            store.close()
            shutil.rmtree(place)
        return {**spent, "kept": sum(stop - start for start, stop in kept)}

    def read_stored(self, *, address: str, channel: str, count: int) -> dict[str, Any]:
        """Read stored events as bytes."""
        request = pb.Subscribe(
            SubscribeTypeData=pb.Subscribe.EventsStore,
            ClientID=f"{NAME}-{time.time_ns()}",
            Channel=channel,
            EventsStoreTypeData=pb.Subscribe.StartFromFirst,
        ).SerializeToString()
        found: list[bytes] = []
        spent: dict[str, float] = {}
        with grpc.insecure_channel(address, FAST_STREAM) as channel_:
            with timed(spent):
                call = channel_.unary_stream(path("SubscribeToEvents"))(request, metadata=self._metadata)
                for payload in call:
                    found.append(payload)
                    if len(found) == count:
                        break
            call.cancel()
        came = [pb.EventReceive.FromString(payload) for payload in found]
        sums = load.checksum(
            [e.EventID for e in came],
            [e.Metadata for e in came],
            [e.Body for e in came],
            [e.Tags for e in came],
        )
        return {**spent, "checksums": [sums]}

    def send_each(self, *, address: str, channel: str, clients: int, count: int) -> dict[str, Any]:
        """Let so many clients send `count` messages each, one after another."""
        made = [queue_message(channel, load.item(number)) for number in range(count)]
        results = asyncio.run(self._each(address, "SendQueueMessage", made, clients))
        refused = sum(
            pb.SendQueueMessageResult.FromString(result).IsError for result in results.pop("answers")
        )
        return {**results, "refused": refused}

    def send_batches_each(
        self, *, address: str, channels: list[str], clients: int, count: int, rows: int
    ) -> dict[str, Any]:
        """Let so many clients send `count` batches of `rows` messages each, spread over the channels."""
        made = [batch for number in range(count) for batch in batches(channels, number * rows, rows)]
        results = asyncio.run(self._each(address, "SendQueueMessagesBatch", made, clients))
        answers = [pb.QueueMessagesBatchResponse.FromString(answer) for answer in results.pop("answers")]
        return {**results, "sent": sum(not one.IsError for answer in answers for one in answer.Results)}

    def receive_each(
        self, *, address: str, channel: str, clients: int, count: int, rows: int
    ) -> dict[str, Any]:
        """Let so many clients receive `rows` messages `count` times each; how many there were, none twice."""
        request = pb.ReceiveQueueMessagesRequest(
            RequestID="1", ClientID=NAME, Channel=channel, MaxNumberOfMessages=rows, WaitTimeSeconds=1
        ).SerializeToString()
        results = asyncio.run(self._each(address, "ReceiveQueueMessages", [request] * count, clients))
        answers = [pb.ReceiveQueueMessagesResponse.FromString(answer) for answer in results.pop("answers")]
        return {**results, "received": len({one.MessageID for answer in answers for one in answer.Messages})}

    async def _each(self, address: str, name: str, requests: list[bytes], clients: int) -> dict[str, Any]:
        # Connections of their own: otherwise all clients of a process share one.
        options = [*LARGE, ("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.aio.insecure_channel(address, options) for _ in range(clients)]

        async def call(method: Any) -> list[bytes]:
            return [await method(request, metadata=self._metadata) for request in requests]

        methods = [one.unary_unary(path(name)) for one in channels]
        await asyncio.gather(*(one.channel_ready() for one in channels))
        spent: dict[str, Any] = {}
        with timed(spent):
            answers = await asyncio.gather(*map(call, methods))
        await asyncio.gather(*(one.close() for one in channels))
        return {**spent, "answers": [answer for of_one in answers for answer in of_one]}

    def _method(self, name: str, answer: Any) -> Any:
        return self._channel.unary_unary(path(name), None, response_deserializer=answer.FromString)

    def _stream_events(self, made: Any) -> Any:
        method = self._channel.stream_stream(
            path("SendEventsStream"), None, response_deserializer=pb.Result.FromString
        )
        return method(made, metadata=self._metadata)


def queue_message(channel: str, item: load.Item) -> bytes:
    """A message as it is sent to a queue."""
    return pb.QueueMessage(
        MessageID=item.id,
        ClientID=NAME,
        Channel=channel,
        Metadata=item.metadata,
        Body=item.body,
        Tags=item.tags,
    ).SerializeToString()


def batches(channels: list[str], first: int, count: int, size: int = 0) -> list[bytes]:
    """Messages of queues, of one after the other, as requests."""
    around = cycle(channels)
    items = load.items(first, count, size)
    made = [queue_message(channel, item) for channel, item in zip(around, items, strict=False)]
    return [codec.encode_batch(made[start : start + BATCH], id="1") for start in range(0, count, BATCH)]


def events(channel: str, first: int, count: int, *, store: bool = True, size: int = 0) -> list[bytes]:
    """Events as they are sent."""
    return [
        pb.Event(
            EventID=item.id,
            ClientID=NAME,
            Channel=channel,
            Metadata=item.metadata,
            Body=item.body,
            Store=store,
            Tags=item.tags,
        ).SerializeToString()
        for item in load.items(first, count, size)
    ]


def stored(queue: int, first: int, count: int) -> list[plan.Message]:
    """Messages as the broker's store takes them; their sequences begin at `first` + 1."""
    return [
        plan.Message(
            queue=queue,
            sequence=number + 1,
            content=queue_message("", load.item(number)),
            md5=bytes(16),
            timestamp=time.time_ns(),
            expires_at=0,
            expiration=0,
            receive_count=0,
            max_receive_count=1024,
            dead_letter="",
            rerouted_from="",
        )
        for number in range(first, first + count)
    ]


def stored_events(channel: str, first: int, count: int) -> list[plan.StoredEvent]:
    """Events as the broker's store takes them; their sequences begin at `first` + 1."""
    return [
        plan.StoredEvent(number + 1, number + 1, received_event(channel, number))
        for number in range(first, first + count)
    ]


def received_event(channel: str, number: int) -> bytes:
    """A stored event as subscribers get it."""
    item = load.item(number)
    return pb.EventReceive(
        EventID=item.id,
        Channel=channel,
        Metadata=item.metadata,
        Body=item.body,
        Tags=item.tags,
        Timestamp=number + 1,
        Sequence=number + 1,
    ).SerializeToString()
