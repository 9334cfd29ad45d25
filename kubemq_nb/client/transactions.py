"""Messages held open: one with a visibility time, or several without."""

from kubemq_nb.client.many_transaction import ManyTransaction
from kubemq_nb.client.one_transaction import OneTransaction
from kubemq_nb.client.transaction_state import State

__all__ = ["ManyTransaction", "OneTransaction", "State"]
