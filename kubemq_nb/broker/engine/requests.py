"""Commands and queries: a request goes to whoever answers its channel, the first answer goes back."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from kubemq_nb import rules
from kubemq_nb.broker.engine.cache import Cache
from kubemq_nb.broker.engine.clock import SECOND, Alarm, Clock
from kubemq_nb.broker.engine.events import Refused, Subscription, subscribed
from kubemq_nb.broker.engine.groups import Subscribers
from kubemq_nb.broker.engine.traffic import Traffics

Kind = Literal["commands", "queries"]


class Ask(NamedTuple):
    """A request as its sender gives it."""

    kind: Kind | None  # None: neither a command nor a query
    client_id: str
    channel: str
    empty: bool
    timeout: int  # milliseconds
    cache_key: str
    cache_ttl: int  # seconds
    content: Callable[[str], bytes]  # gives the wire form for responders, with the place for the answer


class Answer(NamedTuple):
    """A response as its responder gives it."""

    client_id: str
    request_id: str
    reply_channel: str
    executed: bool
    content: bytes  # what the asker gets


class Pending:
    """A request that waits for its answer."""

    def __init__(self, ask: Ask, reply: Callable[[bytes], None], alarm: Alarm) -> None:
        self.ask = ask
        self.reply = reply
        self.alarm = alarm


class Requests:
    """Everybody who answers, and every request under way.

    Args:
        new_inbox: Gives a name that no request under way has, where its answer is expected.

    Attributes:
        traffic: What went through the channels of each kind.
    """

    def __init__(self, clock: Clock, new_inbox: Callable[[], str]) -> None:
        self._clock = clock
        self._new_inbox = new_inbox
        self._cache = Cache(clock)
        self.traffic: dict[Kind, Traffics] = {"commands": Traffics(clock), "queries": Traffics(clock)}
        self._pending: dict[str, Pending] = {}
        self._responders: dict[Kind, Subscribers[Subscription]] = {
            "commands": Subscribers(),
            "queries": Subscribers(),
        }

    def subscribe(
        self, kind: Kind, client_id: str, channel: str, group: str, wake: Callable[[], None]
    ) -> Subscription:
        """Answer requests to a channel or pattern from now on."""
        subscription = subscribed(client_id, channel, group, 0, wake)
        self._responders[kind].add(channel, group, subscription)
        return subscription

    def unsubscribe(self, kind: Kind, subscription: Subscription) -> None:
        """Answer no longer; requests handed over and not answered run into their timeout."""
        self._responders[kind].remove(subscription.channel, subscription.group, subscription)

    def channels(self, kind: Kind) -> Iterator[str]:
        """The channels that somebody answers by their name."""
        return self._responders[kind].channels()

    def responders(self, kind: Kind, channel: str) -> int:
        """How many answer a channel."""
        return self._responders[kind].count(channel)

    def send(
        self,
        ask: Ask,
        *,
        reply: Callable[[bytes], None],
        hit: Callable[[bytes], None],
        timed_out: Callable[[], None],
    ) -> Callable[[], None]:
        """Send a request to its responders; exactly one of the three is called, later or at once.

        Args:
            ask: The request.
            reply: Gets the answer of a responder.
            hit: Gets an answer that was kept from before.
            timed_out: Called when there was none in time.

        Returns:
            What to call when the asker has gone.
        """
        error = request_error(ask)
        if error or ask.kind is None:
            raise Refused(error)
        kept = (
            self._cache.get(ask.channel, ask.cache_key) if ask.kind == "queries" and ask.cache_key else None
        )
        if kept is not None:
            hit(kept)
            return lambda: None
        inbox = self._new_inbox()

        def expire() -> None:
            del self._pending[inbox]
            timed_out()

        until = self._clock.now() + ask.timeout * SECOND // 1000
        self._pending[inbox] = Pending(ask, reply, self._clock.wake_at(until, expire))
        content = ask.content(inbox)
        chosen = self._responders[ask.kind].chosen(ask.channel)
        for responder in chosen:
            responder.put(content)
        self.traffic[ask.kind].count(ask.channel, len(content), len(chosen))
        return lambda: self._abandon(inbox)

    def respond(self, answer: Answer) -> None:
        """Hand an answer to whoever waits for it; late and second ones are forgotten silently."""
        error = answer_error(answer)
        if error:
            raise Refused(error)
        pending = self._forget(answer.reply_channel)
        if pending is None:
            return
        ask = pending.ask
        if ask.kind == "queries" and ask.cache_key and answer.executed:
            self._cache.keep(ask.channel, ask.cache_key, answer.content, ttl=ask.cache_ttl)
        if ask.kind is not None:
            self.traffic[ask.kind].of(ask.channel).responses += 1
        pending.reply(answer.content)

    def _abandon(self, inbox: str) -> None:
        self._forget(inbox)

    def _forget(self, inbox: str) -> Pending | None:
        pending = self._pending.pop(inbox, None)
        if pending is not None:
            pending.alarm.cancel()
        return pending


def request_error(ask: Ask) -> str:
    """The text of the first rule that a request breaks, or nothing; in the order of the real server."""
    if ask.kind is None:
        return rules.text(206)
    if not ask.client_id:
        return rules.text(101)
    number = rules.channel_error(ask.channel)
    if number is None:
        number = 109 if ask.timeout <= 0 else 115 if ask.empty else None
    if number is None and ask.cache_key and ask.cache_ttl <= 0:
        number = 116
    return rules.text(number) if number else ""


def answer_error(answer: Answer) -> str:
    """The text of the first rule that a response breaks, or nothing; in the order of the real server."""
    if not answer.client_id:
        return rules.text(101)
    number = rules.channel_error(answer.reply_channel) or (None if answer.request_id else 117)
    return rules.text(number) if number else ""
