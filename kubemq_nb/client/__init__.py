"""The client: blocking, thread-safe, wire bytes upwards; no DataFrames and no display here."""

from kubemq_nb.client import quiet as quiet  # first: what comes later imports grpc
