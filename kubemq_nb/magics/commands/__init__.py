"""The commands, a module for each family."""

from kubemq_nb.magics.commands import connections, events, information, queues, requests

COMMANDS = (
    *connections.COMMANDS,
    *queues.COMMANDS,
    *events.COMMANDS,
    *requests.COMMANDS,
    *information.COMMANDS,
)
"""Every command, in the order of the help."""
