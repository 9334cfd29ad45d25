"""The embedded broker: a process of its own that speaks KubeMQ's wire, and the launcher that runs it."""
