"""What a connection opens: two channels of gRPC, their options and certificates."""

import logging

import grpc
from grpc.experimental import ChannelOptions

from kubemq_nb._wire import certificates, codec
from kubemq_nb._wire.address import Address
from kubemq_nb._wire.certificates import PemFile
from kubemq_nb._wire.stub import Stub
from kubemq_nb.rules import MAX_MESSAGE_BYTES

logger = logging.getLogger(__name__)

AHEAD = 4 * 2**20  # bytes of a stream that are read before somebody takes them, beside one message


class GrpcChannels:
    """The channels of a connection, as gRPC has them, and the calls on them."""

    def __init__(
        self, target: str, credentials: grpc.ChannelCredentials | None, options: list[tuple[str, object]]
    ) -> None:
        def made(options: list[tuple[str, object]]) -> grpc.Channel:
            if credentials:
                return grpc.secure_channel(target, credentials, options)
            return grpc.insecure_channel(target, options)

        self._calls = made(options)
        self._waits = made([*options, (ChannelOptions.SingleThreadedUnaryStream, 1)])
        self.stub = Stub(self._calls, self._waits)

    def forget_waits(self) -> None:
        """In a fork: end the calls that wait, which belong to threads of the parent, or were cancelled.

        Told of forks, gRPC would itself wait here for their end, which nobody reads.
        """
        self._waits.close()

    def close(self) -> None:
        """End every call on them."""
        self._calls.close()
        self._waits.close()


def options_for(address: Address, keepalive: float) -> list[tuple[str, object]]:
    """What both are made with; `keepalive` in seconds."""
    options: list[tuple[str, object]] = [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", codec.milliseconds(keepalive)),
        ("grpc.keepalive_timeout_ms", codec.milliseconds(min(keepalive, 20.0))),
        # In newer gRPC this counts instead: left alone, a minute whatever the line before says.
        ("grpc.http2.ping_timeout_ms", codec.milliseconds(min(keepalive, 20.0))),
        ("grpc.http2.max_pings_without_data", 0),
        # Its own sockets: a restarted broker is met at once, whatever another session has seen.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
        ("grpc.service_config_disable_resolution", 1),
        # gRPC would find out by itself how much is worth reading ahead, and hold 100 MB for a busy kernel.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", AHEAD),
    ]
    return [*options, ("grpc.enable_http_proxy", 0)] if address.loopback else options


def credentials_of(ca: PemFile | None, cert: PemFile | None, key: PemFile | None) -> grpc.ChannelCredentials:
    """TLS by PEM files; see `Connection`."""
    found = certificates.read(ca, cert, key)
    if key and (warning := certificates.exposed(key)):
        logger.warning("%s", warning)
    return grpc.ssl_channel_credentials(found.ca or certificates.trusted(), found.key, found.cert)
