"""Row 16: channels that are deleted while people send to them, read from them and hold what is in them."""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import grpc

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.broker.engine.events_store import ID_IN_USE
from kubemq_nb.broker.handlers.channels import CHANNEL
from kubemq_nb.broker.launcher import RunningBroker
from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import Session
from tests.campaign.grounds import fresh, own_broker, session
from tests.campaign.outcome import Outcome, Property
from tests.plain_wire import Wire

SENDERS = 2  # of each kind
AFTER = 5  # messages and events of each sender behind a deletion, before it is judged
LONGEST = 30.0  # seconds for anything at all
BLOCK = 25  # deletions of one channel
PAUSE = 0.005  # seconds between two looks


class Sender:
    """Sends one message after another while it may.

    Attributes:
        acked: When the sending of each id began, of those that were acknowledged, in that order.
    """

    def __init__(self, name: str, send: Callable[[str], str]) -> None:
        self.acked: dict[str, float] = {}
        self._ids = (f"{name}-{number}" for number in itertools.count())
        self._send = send
        self._turn = threading.Lock()

    def one(self, flowing: threading.Event) -> str:
        """Send the next one, if that is wanted; gives why it was refused."""
        with self._turn:
            if not flowing.is_set():
                return ""
            id, began = next(self._ids), time.monotonic()
            error = self._send(id)
            if not error:
                self.acked[id] = began
            return error

    def since(self, moment: float) -> list[str]:
        """The ids whose sending began later than that, and was acknowledged."""
        with self._turn:
            return [id for id, began in self.acked.items() if began > moment]


class People:
    """Those who use a queue and a channel of stored events of the same name, each on a thread."""

    def __init__(self, broker: RunningBroker, holders: list[Session], chance: random.Random) -> None:
        self.channel = fresh("deleted")
        self.wrong: list[str] = []
        self.lost: set[str] = set()
        self.taken: Counter[str] = Counter()  # for good
        self.heard: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()  # heard by one who comes and goes
        self._last_kept = ""
        self.flowing = threading.Event()
        self._over = threading.Event()
        self._wire = Wire(broker.address, broker.token())
        self._chance = chance
        self.queue = [Sender(f"m{n}", self._send_message) for n in range(SENDERS)]
        self.log = [Sender(f"e{n}", self._send_event) for n in range(SENDERS)]
        self._live = self._subscribe("live", pb.Subscribe.StartNewOnly)
        self._live.initial_metadata()  # it hears all that is sent from now on
        work = [*(self._sending(sender) for sender in (*self.queue, *self.log))]
        work += [self._receive, self._listen, *(partial(self._hold, kq) for kq in holders)]
        self._threads = [threading.Thread(target=self._on(each), daemon=True) for each in work]
        self.flowing.set()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let them all go home; who does not is told."""
        self._over.set()
        self.flowing.set()
        self._live.cancel()
        for thread in self._threads:
            thread.join(LONGEST)
            if thread.is_alive():
                self.wrong.append("somebody hangs")
        self._wire.channel.close()

    @property
    def doubled(self) -> int:
        """How many came twice."""
        return sum(count > 1 for seen in (self.taken, self.heard, self.kept) for count in seen.values())

    def deletion(self) -> None:
        """Delete both under all of that, and judge what was acknowledged behind it."""
        self._read_a_few()
        for kind in ("queues", "events_store"):
            self._delete(kind)
        ended = time.monotonic()
        self._until(lambda: all(len(each.since(ended)) >= AFTER for each in (*self.queue, *self.log)))
        self.flowing.clear()
        self._look_for(ended)
        self.flowing.set()

    def _look_for(self, ended: float) -> None:
        """Everything behind the deletion is taken and heard, also by one who had read before it."""
        messages = {id for sender in self.queue for id in sender.since(ended)}
        events = {id for sender in self.log for id in sender.since(ended)}
        self._until(lambda: messages <= self.taken.keys() and events <= self.heard.keys(), "not all come")
        self._read(lambda: events <= self.kept.keys())
        for seen, sent in ((self.taken, messages), (self.heard, events), (self.kept, events)):
            self.lost |= sent - seen.keys()

    # What each of them does

    def _send_message(self, id: str) -> str:
        message = pb.QueueMessage(MessageID=id, ClientID="sender", Channel=self.channel, Body=b"x")
        return self._wire.unary("SendQueueMessage", message, pb.SendQueueMessageResult, LONGEST).Error

    def _send_event(self, id: str) -> str:
        return self._wire.event(self.channel, id, store=True).Error

    def _sending(self, sender: Sender) -> Callable[[], None]:
        def send() -> None:
            self.flowing.wait(PAUSE)
            if error := sender.one(self.flowing):
                self.wrong.append(f"a send is refused: {error}")

        return send

    def _receive(self) -> None:
        self.taken.update(message.MessageID for message in self._wire.receive(self.channel).Messages)

    def _hold(self, kq: Session) -> None:
        """Hold some, and acknowledge them, or give them back by word or by going away."""
        with kq.queues.transaction(self.channel, count=self._chance.choice((1, 4)), wait=1) as held:
            ids = [message.id for message in held.messages]
            self._over.wait(self._chance.choice((0, 0.01, 0.05)))
            if not ids:
                return
            if self._chance.random() < 0.6:
                held.ack()
                self.taken.update(ids)
            elif self._chance.random() < 0.5:
                held.reject()

    def _listen(self) -> None:
        for event in self._live:
            self.heard[event.EventID] += 1

    def _on(self, work: Callable[[], None]) -> Callable[[], None]:
        def again_and_again() -> None:
            while not self._over.is_set():
                try:
                    work()
                except (grpc.RpcError, KubeMQError) as error:
                    if not self._over.is_set():
                        self.wrong.append(f"{type(error).__name__}: {error}")

        return again_and_again

    # What the one does who deletes

    def _delete(self, kind: str) -> None:
        tags = {"channel_type": kind, "channel": self.channel, "client_id": "keeper"}
        request = pb.Request(
            RequestID="delete",
            RequestTypeData=pb.Request.Query,
            ClientID="keeper",
            Channel=CHANNEL,
            Metadata="delete-channel",
            Tags=tags,
            Timeout=10_000,
        )
        answer = self._wire.unary("SendRequest", request, pb.Response, LONGEST)
        if answer.Error:
            self.wrong.append(f"a deletion is refused: {answer.Error}")

    def _read_a_few(self) -> None:
        """Read as one whose place is kept, and go just before the channel does."""
        before = self.kept.total()
        self._read(lambda: self.kept.total() >= before + AFTER)

    def _read(self, enough: Callable[[], bool]) -> None:
        """Come back to one's place, and read until it is enough."""
        while not enough():
            stream = self._subscribe("kept", pb.Subscribe.StartFromFirst)
            try:
                self._read_on(stream, enough)
            except grpc.RpcError as error:
                if ID_IN_USE not in str(error.details()):  # the stream before it has not ended yet
                    self.wrong.append(f"who comes back is told {error.code().name}: {error.details()}")
                    return
            finally:
                stream.cancel()
            threading.Event().wait(PAUSE)

    def _read_on(self, stream: Iterator[pb.EventReceive], enough: Callable[[], bool]) -> None:
        # It goes as soon as it has the last one, maybe before the broker knows that: then it comes again.
        again = self._last_kept
        while not enough():
            self._last_kept = next(stream).EventID
            if self._last_kept != again:
                self.kept[self._last_kept] += 1
            again = ""

    def _subscribe(self, client: str, start: int) -> grpc.Call:
        request = pb.Subscribe(
            SubscribeTypeData=pb.Subscribe.EventsStore,
            ClientID=client,
            Channel=self.channel,
            EventsStoreTypeData=start,
        )
        longest = LONGEST if client == "kept" else None
        return self._wire.subscribe("SubscribeToEvents", request, pb.EventReceive, longest)

    def _until(self, done: Callable[[], bool], otherwise: str = "nothing is sent any more") -> None:
        deadline = time.monotonic() + LONGEST
        while not done():
            if time.monotonic() > deadline:
                self.wrong.append(otherwise)
                return
            threading.Event().wait(PAUSE)


def deleted_channels(tries: int, seed: int) -> Outcome:
    """What is acknowledged behind a deletion is there, once, for those who were there before it too.

    Seen red on `deleted-counts-from-one.patch`; and on an earlier build: who held a message of a deleted
    queue acknowledged one that was sent later, readers missed what came, and sends failed.
    """
    chance = random.Random(seed)
    lost = doubled = 0
    wrong: list[str] = []
    worst = 0.0
    with (
        own_broker() as broker,
        session(broker.address, broker.token_file) as first,
        session(broker.address, broker.token_file) as second,
    ):
        for start in range(0, tries, BLOCK):
            people = People(broker, [first, second], chance)
            for _ in range(min(BLOCK, tries - start)):
                began = time.monotonic()
                people.deletion()
                worst = max(worst, time.monotonic() - began)
                if people.wrong:
                    break  # each more would wait for what does not come
            people.close()
            lost, doubled, wrong = lost + len(people.lost), doubled + people.doubled, wrong + people.wrong
    note = "; ".join(wrong[:3]) or "until all that was acknowledged behind it had come"
    return Outcome(tries, lost, doubled, len(wrong), worst, note)


PROPERTIES = (Property(16, "deleted-channels", deleted_channels, short=5, long=200),)
