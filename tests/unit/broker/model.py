"""What a queue is by docs/protocol.md, sections 7, 8 and 10, said as simply as it can be.

No store, no plans, no ranges: lists that are walked, and a time that is set. The engine has to agree with it.
"""

from dataclasses import dataclass, field, replace

from kubemq_nb import rules
from kubemq_nb.broker.engine.clock import SECOND

NEVER = 1 << 62


@dataclass(frozen=True)
class Item:
    """A message; times in nanoseconds, `count` is how often it was given back."""

    id: str
    sequence: int = 0
    count: int = 0
    expiration: int = 0
    expires_at: int = 0
    most: int = rules.MAX_RECEIVE_COUNT
    dead_letter: str = ""
    source: str = ""


@dataclass
class Place:
    """One queue."""

    name: str
    last: int = 0
    ready: dict[int, Item] = field(default_factory=dict)
    waiting: list["Waiting"] = field(default_factory=list)


@dataclass(eq=False)
class Waiting:
    """Whoever waits for `limit` messages; `until` is when it goes on with what it has."""

    place: Place
    limit: int
    until: int
    taken: list[Item] = field(default_factory=list)
    over: bool = False


@dataclass(eq=False)
class Holder:
    """An older stream that holds a message, or only winds its clock."""

    waiting: Waiting | None = None
    item: Item | None = None
    place: Place | None = None
    visibility: int = 0
    ends_at: int = NEVER
    ended: bool = False


class Model:
    """Queues by name, what is delayed, and who waits or holds."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.places: dict[str, Place] = {}
        self.delayed: list[tuple[int, str, Item]] = []
        self.holders: list[Holder] = []

    def place(self, name: str) -> Place:
        return self.places.setdefault(name, Place(name))

    # Time

    def pass_to(self, moment: int) -> None:
        """Let everything happen that falls due until then, in order."""
        while (due := min(self._dues(), default=NEVER)) <= moment:
            self.now = max(self.now, due)
            self._happen()
        self.now = moment

    def _dues(self) -> list[int]:
        waits = [waiting.until for place in self.places.values() for waiting in place.waiting]
        holds = [holder.ends_at for holder in self.holders]
        return [*waits, *holds, *(due for due, _, _ in self.delayed)]

    def _happen(self) -> None:
        for due, name, item in sorted(self.delayed, key=lambda each: each[0]):
            if due <= self.now:
                self.delayed.remove((due, name, item))
                lifetime = item.expiration * SECOND
                self.append(self.place(name), replace(item, expires_at=lifetime and self.now + lifetime))
        for place in self.places.values():
            for waiting in [waiting for waiting in place.waiting if waiting.until <= self.now]:
                self._finish(waiting)
        for holder in [holder for holder in self.holders if holder.ends_at <= self.now]:
            self.leave(holder)

    # Messages

    def send(self, name: str, item: Item, delay: int = 0) -> None:
        """A new message, which may wait until it is due."""
        if delay:
            self.delayed.append((self.now + delay * SECOND, name, item))
        else:
            lifetime = item.expiration * SECOND
            self.append(self.place(name), replace(item, expires_at=lifetime and self.now + lifetime))

    def append(self, place: Place, item: Item) -> None:
        """Put a message behind the others."""
        place.last += 1
        place.ready[place.last] = replace(item, sequence=place.last)
        self.serve(place)

    def put_back(self, place: Place, items: list[Item]) -> None:
        """Put messages where they were."""
        place.ready |= {item.sequence: item for item in items}
        self.serve(place)

    def give_back(self, place: Place, item: Item) -> None:
        """One try less: behind the others, into the dead-letter queue, or nowhere."""
        tries = item.count + 1
        if not item.most or tries < item.most:
            self.append(place, replace(item, count=tries))
        elif item.dead_letter:
            dead = replace(item, count=0, expiration=0, most=0, dead_letter="", source=place.name)
            self.append(self.place(item.dead_letter), dead)

    def resend(self, item: Item, target: str) -> None:
        """The same message as a new one."""
        self.send(target, replace(item, count=0, most=item.most or rules.MAX_RECEIVE_COUNT, source=""))

    def look(self, place: Place, limit: int) -> tuple[list[Item], int]:
        """The first that are alive, and how many expired ones were met before them, which are gone."""
        alive: list[Item] = []
        expired = 0
        for sequence in sorted(place.ready):
            if len(alive) == limit:
                break
            item = place.ready[sequence]
            if 0 < item.expires_at <= self.now:
                del place.ready[sequence]
                expired += 1
            else:
                alive.append(item)
        return alive, expired

    def take(self, place: Place, limit: int) -> tuple[list[Item], int]:
        """The same, and what is alive is taken."""
        alive, expired = self.look(place, limit)
        for item in alive:
            del place.ready[item.sequence]
        return alive, expired

    def alive(self, place: Place) -> int:
        """How many could be taken now."""
        return sum(not 0 < item.expires_at <= self.now for item in place.ready.values())

    # Waiting

    def wait(self, name: str, limit: int, seconds: int) -> Waiting:
        waiting = Waiting(self.place(name), limit, self.now + seconds * SECOND)
        waiting.place.waiting.append(waiting)
        self.serve(waiting.place)
        return waiting

    def serve(self, place: Place) -> None:
        """Whoever waits longest takes first."""
        for waiting in list(place.waiting):
            waiting.taken += self.take(place, waiting.limit - len(waiting.taken))[0]
            if len(waiting.taken) == waiting.limit:
                self._finish(waiting)

    def _finish(self, waiting: Waiting) -> None:
        waiting.over = True
        waiting.place.waiting.remove(waiting)
        waiting.taken.sort(key=lambda item: item.sequence)
        for holder in self.holders:
            if holder.waiting is waiting and waiting.taken:
                holder.item, holder.place = waiting.taken[0], waiting.place
                holder.ends_at = self.now + holder.visibility * SECOND
            elif holder.waiting is waiting:
                holder.ended = True
                holder.ends_at = NEVER

    def abandon(self, waiting: Waiting) -> None:
        """Whoever waited has gone: what it had is where it was."""
        waiting.place.waiting.remove(waiting)
        self.put_back(waiting.place, waiting.taken)

    def restart(self) -> None:
        """Everybody has gone; whoever waited leaves what it had at its place."""
        for place in self.places.values():
            for waiting in place.waiting:
                place.ready |= {item.sequence: item for item in waiting.taken}
            place.waiting.clear()
        self.holders.clear()

    # Older streams

    def receive(self, holder: Holder, name: str, visibility: int, seconds: int) -> None:
        holder.visibility = visibility
        self.holders.append(holder)
        holder.waiting = Waiting(self.place(name), 1, self.now + seconds * SECOND)
        holder.waiting.place.waiting.append(holder.waiting)
        self.serve(holder.waiting.place)

    def leave(self, holder: Holder) -> None:
        """The stream is over: disconnected, or its visibility ran out."""
        item = self.end(holder)
        if item and holder.place:
            self.give_back(holder.place, item)
        elif holder.waiting and not holder.waiting.over:
            self.abandon(holder.waiting)

    def end(self, holder: Holder) -> Item | None:
        """The stream is over and says what it held."""
        holder.ended = True
        holder.ends_at = NEVER
        item, holder.item = holder.item, None
        return item
