"""The client: blocking, thread-safe, wire bytes upwards; no DataFrames and no display here."""
