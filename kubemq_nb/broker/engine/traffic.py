"""What went through live channels, by name: they keep nothing else."""

from kubemq_nb.broker.engine.clock import Clock


class Traffic:
    """Counts of one channel since the broker started; sizes in bytes, times in Unix nanoseconds."""

    def __init__(self) -> None:
        self.sent = 0
        self.sent_bytes = 0
        self.delivered = 0
        self.delivered_bytes = 0
        self.responses = 0
        self.last_activity = 0


class Traffics:
    """The counts of all channels of one kind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_name: dict[str, Traffic] = {}

    def names(self) -> list[str]:
        """The channels that something happened on."""
        return list(self._by_name)

    def of(self, name: str) -> Traffic:
        """The counts of one channel, zero for a new one."""
        traffic = self._by_name.get(name)
        if traffic is None:
            traffic = self._by_name[name] = Traffic()
        return traffic

    def count(self, name: str, size: int, receivers: int) -> None:
        """Count something sent to a channel and on to so many receivers."""
        traffic = self.of(name)
        traffic.sent += 1
        traffic.sent_bytes += size
        traffic.delivered += receivers
        traffic.delivered_bytes += size * receivers
        traffic.last_activity = self._clock.now()

    def forget(self, name: str) -> None:
        """Start anew with a channel."""
        self._by_name.pop(name, None)
