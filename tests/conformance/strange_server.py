"""A server that behaves as told, call by call: what a real one does and the embedded one never."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb._wire.methods import METHODS, OWN, TWO_WAY, UNARY, path

Answer = Callable[..., object]


class StrangeServer(grpc.GenericRpcHandler):
    """Answers the methods it was given; takes and gives bytes. Everything else is UNIMPLEMENTED.

    Attributes:
        calls: The requests of each method so far, as bytes; of streams, nothing.
        metadata: What the last call of each method carried.
    """

    def __init__(self, *, port: int = 0, credentials: grpc.ServerCredentials | None = None) -> None:
        self.calls: dict[str, list[bytes]] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self._answers: dict[str, Answer] = {"Ping": lambda _request, _context: pb.PingResult(Host="strange")}
        self._server = grpc.server(ThreadPoolExecutor(16), handlers=[self])
        if credentials:
            self.port = self._server.add_secure_port(f"localhost:{port}", credentials)
        else:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self._server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def on(self, method: str, answer: Answer) -> None:
        """Answer a method: unary ones `(request, context)`, streams `(request or requests, context)`."""
        self._answers[method] = answer

    def stop(self) -> None:
        self._server.stop(0).wait(10)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = details.method.rpartition("/")[2]
        if method not in self._answers or details.method != path(method):
            return None
        self.metadata[method] = {pair[0]: pair[1] for pair in details.invocation_metadata}
        shape = {**METHODS, **OWN}[method]
        if shape == UNARY:
            return grpc.unary_unary_rpc_method_handler(self._unary(method))
        if shape == TWO_WAY:
            return grpc.stream_stream_rpc_method_handler(self._stream(method))
        return grpc.unary_stream_rpc_method_handler(self._stream(method))

    def _unary(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.setdefault(method, []).append(request)
            return _bytes(self._answers[method](request, context))

        return answer

    def _stream(self, method: str) -> Callable[[object, grpc.ServicerContext], Iterator[bytes]]:
        def answer(request: object, context: grpc.ServicerContext) -> Iterator[bytes]:
            for item in self._answers[method](request, context):
                yield _bytes(item)

        return answer


def _bytes(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
