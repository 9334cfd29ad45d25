"""The wire without this package's client: what a test says is what is sent."""

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire import methods

OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)


class Wire:
    """One connection; requests are messages, or bytes as they are."""

    def __init__(self, address, token=None, *, credentials=None):
        if credentials is None:
            self.channel = grpc.insecure_channel(address, options=OPTIONS)
        else:
            self.channel = grpc.secure_channel(address, credentials, options=OPTIONS)
        self.metadata = (("authorization", token),) if token else None

    def unary(self, rpc, request, gives, timeout=60):
        """Make a call and wait for its answer."""
        return self.call(rpc, request, gives, timeout).result()

    def call(self, rpc, request, gives, timeout=60):
        """Begin a call."""
        method = self.channel.unary_unary(methods.path(rpc), as_bytes, gives.FromString)
        return method.future(request, timeout=timeout, metadata=self.metadata)

    def stream(self, rpc, requests, gives, timeout=60):
        """Open a stream that both sides send on."""
        method = self.channel.stream_stream(methods.path(rpc), as_bytes, gives.FromString)
        return method(requests, timeout=timeout, metadata=self.metadata)

    def subscribe(self, rpc, request, gives, timeout=60):
        """Open a stream that the server sends on; live once its headers are there."""
        method = self.channel.unary_stream(methods.path(rpc), as_bytes, gives.FromString)
        return method(request, timeout=timeout, metadata=self.metadata)

    # Words for what tests do most

    def send(self, channel, *ids, body=b"x", **policy):
        """Send messages in one batch; their results."""
        messages = [
            pb.QueueMessage(
                MessageID=id,
                ClientID="sender",
                Channel=channel,
                Body=body,
                Policy=pb.QueueMessagePolicy(**policy),
            )
            for id in ids
        ]
        request = pb.QueueMessagesBatchRequest(Messages=messages)
        return self.unary("SendQueueMessagesBatch", request, pb.QueueMessagesBatchResponse).Results

    def receive(self, channel, limit=1, *, wait=1, peek=False):
        """Receive or peek; the whole answer."""
        return self.receiving(channel, limit, wait=wait, peek=peek).result()

    def receiving(self, channel, limit=1, *, wait=1, peek=False):
        """A receive or peek under way."""
        request = pb.ReceiveQueueMessagesRequest(
            ClientID="reader",
            Channel=channel,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait,
            IsPeak=peek,
        )
        return self.call("ReceiveQueueMessages", request, pb.ReceiveQueueMessagesResponse, timeout=wait + 60)

    def event(self, channel, id="id", *, store=False, body=b"x"):
        """Send an event; the answer."""
        event = pb.Event(EventID=id, ClientID="sender", Channel=channel, Body=body, Store=store)
        return self.unary("SendEvent", event, pb.Result)

    def listen(self, channel, *, client_id="listener", group="", start=None, value=0):
        """Subscribe to live events, or to stored ones from a start; live when this returns."""
        request = pb.Subscribe(
            SubscribeTypeData=pb.Subscribe.Events if start is None else pb.Subscribe.EventsStore,
            ClientID=client_id,
            Channel=channel,
            Group=group,
            EventsStoreTypeData=start or 0,
            EventsStoreTypeValue=value,
        )
        stream = self.subscribe("SubscribeToEvents", request, pb.EventReceive)
        stream.initial_metadata()
        return stream

    def query(self, channel, *, metadata="", body=b"", tags=None, timeout=5000, key="", ttl=0):
        """Ask a query; the response."""
        request = pb.Request(
            RequestTypeData=pb.Request.Query,
            ClientID="asker",
            Channel=channel,
            Metadata=metadata,
            Body=body,
            Tags=tags,
            Timeout=timeout,
            CacheKey=key,
            CacheTTL=ttl,
        )
        return self.unary("SendRequest", request, pb.Response)


def as_bytes(request):
    """What goes onto the wire."""
    return request if isinstance(request, bytes) else request.SerializeToString()
