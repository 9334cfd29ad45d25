"""Recorded conversations with a KubeMQ server, and the runner that holds another server against them."""
