"""What a transaction can be in."""

from collections.abc import Callable
from typing import Literal

State = Literal["empty", "held", "acked", "rejected", "resent", "modified", "expired", "closed", "lost"]
"""`expired`: visibility ran out; `closed`: given back; `lost`: the connection broke, which gives back too."""

SettlingName = Literal["ack", "reject", "resend", "modify"]

OnChange = Callable[[], None]
"""Called, from any thread, when state or deadline have changed; it must not act on the transaction."""
